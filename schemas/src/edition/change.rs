//! How one version of a file becomes the next: pieces of the old one, and what is new between them. A changed telephone
//! number is a few dozen bytes and not the file of all facts.
//!
//! It is no format that anything rests on: whoever applies one holds the result against the hash in the signed manifest,
//! and fetches the whole file where it does not fit.

use std::collections::HashMap;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::edition::MAX_FILE_BYTES;

/// The shortest stretch that is looked for in the old file: naming one costs up to eight bytes.
const STRETCH: usize = 16;
/// The most pieces: a change that needs more is hardly smaller than the file.
const MAX_PIECES: usize = 4096;

/// What a file is made of, in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FileChange {
    /// The pieces.
    #[n(0)]
    pub pieces: Vec<Piece>,
}

/// A stretch of the old file, and what follows it in the new one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Piece {
    /// Where the stretch begins in the old file, in bytes.
    #[n(0)]
    pub from: u32,
    /// How long it is, in bytes; 0 for none.
    #[n(1)]
    pub length: u32,
    /// What follows.
    #[n(2)]
    pub new: ByteVec,
}

impl FileChange {
    /// How `old` becomes `new`; `None` when it takes too many pieces, or a file is too long.
    ///
    /// Greedy: at each place the longest of the stretches that begin with the next bytes, of which the first and the one
    /// that goes on where the last ended are looked at. Linear in the two files, up to stretches that begin alike.
    pub fn between(old: &[u8], new: &[u8]) -> Option<Self> {
        if old.len().max(new.len()) > MAX_FILE_BYTES {
            return None;
        }
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        for (at, stretch) in old.windows(STRETCH).enumerate() {
            known.entry(stretch).or_insert(at);
        }
        let same = |from: usize, at: usize| {
            let pairs = old.get(from..).unwrap_or_default().iter().zip(new.get(at..).unwrap_or_default());
            pairs.take_while(|(a, b)| a == b).count()
        };
        let mut pieces: Vec<(usize, usize, Vec<u8>)> = Vec::new();
        let (mut at, mut ended) = (0, 0);
        while at < new.len() {
            let next = new.get(at..at + STRETCH).and_then(|stretch| known.get(stretch).copied());
            // Where a word was changed, the old file goes on behind a word of its own: a little further on.
            let on = (ended..ended + STRETCH).map(|from| (same(from, at), from)).max_by_key(|(length, _)| *length);
            let found = next.map(|from| (same(from, at), from));
            match found.into_iter().chain(on).max_by_key(|(length, _)| *length) {
                Some((length, from)) if length >= STRETCH => {
                    pieces.push((from, length, Vec::new()));
                    (at, ended) = (at + length, from + length);
                }
                _ => {
                    if pieces.is_empty() {
                        pieces.push((0, 0, Vec::new()));
                    }
                    let (last, byte) = (pieces.last_mut(), new.get(at));
                    last.into_iter().zip(byte).for_each(|((.., added), byte)| added.push(*byte));
                    at += 1;
                }
            }
        }
        let piece = |(from, length, new): (usize, usize, Vec<u8>)| {
            Some(Piece { from: from.try_into().ok()?, length: length.try_into().ok()?, new: new.into() })
        };
        let pieces: Vec<Piece> = pieces.into_iter().map(piece).collect::<Option<_>>()?;
        (pieces.len() <= MAX_PIECES).then_some(Self { pieces })
    }

    /// What `old` becomes. Nothing says that it is the right file: hold it against its hash.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] when a stretch is not in the old file, or the new one would be too long.
    pub fn apply(&self, old: &[u8]) -> Result<Vec<u8>, FormatError> {
        let malformed = FormatError::Malformed { what: "a file's change" };
        let mut made = Vec::new();
        for Piece { from, length, new } in &self.pieces {
            let from = usize::try_from(*from).unwrap_or(usize::MAX);
            let end = from.saturating_add(usize::try_from(*length).unwrap_or(usize::MAX));
            let Some(stretch) = old.get(from..end) else { return Err(malformed) };
            if made.len() + stretch.len() + new.len() > MAX_FILE_BYTES {
                return Err(malformed);
            }
            made.extend_from_slice(stretch);
            made.extend_from_slice(new);
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cbor;
    use crate::edition::shipped;

    fn size(old: &str, new: &str) -> usize {
        let change = FileChange::between(old.as_bytes(), new.as_bytes()).expect("two short files");
        assert_eq!(change.apply(old.as_bytes()).expect("it fits"), new.as_bytes());
        cbor::to_vec(&change).len()
    }

    #[test]
    fn a_changed_number_costs_some_dozens_of_bytes() {
        let contacts = &shipped::files()["contacts.toml"];
        assert!(size(contacts, &contacts.replace("0900-8844", "0900-8845")) < 64);
        assert!(size(contacts, contacts) < 16);
        assert_eq!(size("", ""), 2);
        assert!(size("", contacts) > contacts.len());
    }

    proptest! {
        /// Whatever was, becomes whatever is to be.
        #[test]
        fn a_change_makes_the_new_file_of_the_old(
            old in prop::collection::vec(0_u8..4, 0..400), new in prop::collection::vec(0_u8..4, 0..400), cut in 0_usize..400
        ) {
            let cut = cut.min(old.len());
            for target in [new.clone(), [&old[..cut], &new[..], &old[cut..]].concat(), old[cut..].to_vec()] {
                let change = FileChange::between(&old, &target).expect("two short files");
                prop_assert_eq!(change.apply(&old).expect("it fits"), target);
            }
        }

        /// And whatever comes from elsewhere is refused or bounded.
        #[test]
        fn what_comes_from_elsewhere_makes_no_file_too_long(
            old in prop::collection::vec(any::<u8>(), 0..64),
            pieces in prop::collection::vec((any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..8)), 0..32),
        ) {
            let pieces = pieces.into_iter().map(|(from, length, new)| Piece { from, length, new: new.into() }).collect();
            let made = FileChange { pieces }.apply(&old);
            prop_assert!(made.is_err() || made.is_ok_and(|made| made.len() <= MAX_FILE_BYTES));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = cbor::from_slice::<FileChange>(&bytes, "a file's change").map(|change| change.apply(&bytes));
        }
    }
}
