//! DC-09 over UDP: one frame in one datagram, answered to where it came from, by the rules of TCP.
//!
//! Whoever sends may write any address on a datagram, so a reply is never much larger than what it answers, and what is
//! damaged is not answered at all. A datagram that comes when too many are being handled is dropped and counted: its
//! sender hears nothing and comes back.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::frame::MAX_FRAME_BYTES;
use super::framer::Framer;
use super::receiver::{ACCEPT_PAUSE, Handler, MAX_ACCEPT_FAILURES, Origin, Over, Receiver, Refusal};

impl<H: Handler> Receiver<H> {
    /// Answers datagrams until `shutdown` is done.
    ///
    /// # Errors
    /// What the socket says when it has failed for half a minute on end.
    pub async fn serve_udp(self: Arc<Self>, socket: UdpSocket, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let socket = Arc::new(socket);
        let mut shutdown = std::pin::pin!(shutdown);
        let mut handled = JoinSet::new();
        let mut failures = 0;
        // One byte more than a frame, so that what is cut off shows.
        let mut buffer = [0; MAX_FRAME_BYTES + 2];
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(_) = handled.join_next() => {}
                received = socket.recv_from(&mut buffer) => match received {
                    Ok((length, peer)) => {
                        failures = 0;
                        if handled.len() >= self.limits.datagrams {
                            let told = self.handler.refused(Refusal::TooManyConnections, peer);
                            let _ = timeout(self.limits.handling, told).await;
                            continue;
                        }
                        let (receiver, socket) = (Arc::clone(&self), Arc::clone(&socket));
                        let datagram = buffer[..length].to_vec();
                        handled.spawn(async move {
                            let from = Origin { peer, over: Over::Udp };
                            if let Some(reply) = receiver.answer_datagram(&datagram, from).await {
                                // A reply that does not leave is one that was lost: the sender comes back.
                                let _ = socket.send_to(&reply, peer).await;
                            }
                        });
                    }
                    Err(_) if failures < MAX_ACCEPT_FAILURES => {
                        failures += 1;
                        sleep(ACCEPT_PAUSE).await;
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// The reply to one datagram; `None` for one that is not exactly one frame.
    async fn answer_datagram(&self, datagram: &[u8], from: Origin) -> Option<Vec<u8>> {
        match only_frame(datagram) {
            Some(frame) => self.take(&frame, from).await.ok().flatten(),
            None => {
                self.handler.refused(Refusal::Damaged, from.peer).await;
                None
            }
        }
    }
}

/// The one frame that a datagram is, but for bytes outside it.
fn only_frame(datagram: &[u8]) -> Option<Vec<u8>> {
    let mut framer = Framer::default();
    let mut frames: Vec<Vec<u8>> = datagram.iter().filter_map(|&byte| framer.push(byte)).collect();
    let whole = frames.len() == 1 && !framer.is_inside() && framer.take_dropped() == 0;
    if whole { frames.pop() } else { None }
}

#[cfg(test)]
mod tests {
    use super::only_frame;

    #[test]
    fn a_datagram_is_one_whole_frame_or_none() {
        assert_eq!(only_frame(b"\nAAA\r").as_deref(), Some(&b"\nAAA\r"[..]));
        // Some panels send a zero after CR.
        assert_eq!(only_frame(b"\nAAA\r\0").as_deref(), Some(&b"\nAAA\r"[..]));
        for none in [&b""[..], b"AAA", b"\nAAA", b"AAA\r", b"\nAAA\r\nBBB\r", b"\nAA\nBBB\r", b"\nAAA\r\nBB"] {
            assert_eq!(only_frame(none), None, "{none:?}");
        }
    }
}
