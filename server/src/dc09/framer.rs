//! Cuts a stream of bytes into frames, from LF to CR, whatever pieces it arrives in.
//!
//! Never on reads: two frames may come in one segment, and one frame in two. Bytes outside a frame are skipped, among
//! them the zero that some panels send after CR. An LF inside a frame starts it anew: the rest of a frame that was cut
//! off is not taken for the start of the next.

use super::frame::MAX_FRAME_BYTES;

/// Collects bytes and gives out frames. Holds at most one frame's worth.
#[derive(Debug, Default)]
pub struct Framer {
    held: Vec<u8>,
    dropped: u32,
}

impl Framer {
    /// Takes one byte; gives the frame that it ends, LF and CR included.
    pub fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        match byte {
            b'\n' => {
                if !self.held.is_empty() {
                    self.dropped = self.dropped.saturating_add(1);
                }
                self.held.clear();
                self.held.push(byte);
                None
            }
            _ if self.held.is_empty() => None,
            b'\r' => {
                self.held.push(byte);
                Some(std::mem::take(&mut self.held))
            }
            _ if self.held.len() >= MAX_FRAME_BYTES - 1 => {
                self.held.clear();
                self.dropped = self.dropped.saturating_add(1);
                None
            }
            _ => {
                self.held.push(byte);
                None
            }
        }
    }

    /// Whether a frame has begun and not ended.
    pub fn is_inside(&self) -> bool {
        !self.held.is_empty()
    }

    /// How many frames were too long or broken off since this was last asked.
    pub fn take_dropped(&mut self) -> u32 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Framer, MAX_FRAME_BYTES};

    fn frames(bytes: &[u8]) -> (Vec<Vec<u8>>, u32) {
        let mut framer = Framer::default();
        let found = bytes.iter().filter_map(|&byte| framer.push(byte)).collect();
        (found, framer.take_dropped())
    }

    #[test]
    fn noise_between_frames_is_skipped_and_a_cut_frame_is_counted() {
        let (found, dropped) = frames(b"noise\nAAA\r\0\nBB\nCCC\r\n\r");
        assert_eq!(found, [b"\nAAA\r".to_vec(), b"\nCCC\r".to_vec(), b"\n\r".to_vec()]);
        assert_eq!(dropped, 1);
    }

    #[test]
    fn an_endless_frame_is_dropped_at_its_limit_and_the_next_is_found() {
        let mut bytes = vec![b'\n'];
        bytes.resize(3 * MAX_FRAME_BYTES, b'x');
        bytes.extend_from_slice(b"\r\nAAA\r");
        assert_eq!(frames(&bytes), (vec![b"\nAAA\r".to_vec()], 1));
    }

    proptest! {
        #[test]
        fn what_is_held_never_exceeds_a_frame(
            noise in proptest::collection::vec(any::<u8>(), 0..300),
            run in 0..2 * MAX_FRAME_BYTES,
            more in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut framer = Framer::default();
            // Random bytes hold an LF every so often: only a long run without one comes near the bound.
            for byte in [noise, vec![b'\n'], vec![b'x'; run], more].concat() {
                if let Some(frame) = framer.push(byte) {
                    prop_assert!(frame.len() <= MAX_FRAME_BYTES);
                }
                prop_assert!(framer.held.len() < MAX_FRAME_BYTES);
            }
        }
    }
}
