//! Sends a message to an alarm centre: main receiver first, then the back-up.
//!
//! One frame a segment and one message outstanding, since receivers were seen to take a segment for a frame. After a `NAK`
//! the receiver's own time is used once, and the message is sent once more; after a `DUH` this receiver is left alone;
//! after silence it is the back-up's turn. Number and content stay the same throughout: that is how a receiver tells a
//! repeat.
//!
//! Not here: when to try again ([`crate::channel::RetrySchedule`]), and remembering numbers: that is the desk's store.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use baken_schemas::time::{Clock, Timestamp};
use rand_core::CryptoRng;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::crypt::Key;
use super::field::{MessageId, Sequence};
use super::frame::MAX_FRAME_BYTES;
use super::framer::Framer;
use super::message::Message;
use super::reply::{Outstanding, Verdict, judge};
use super::report::{Coding, Report};
use crate::channel::{MachineAnswer, Outcome, Why};

/// How far off a receiver's clock may say it is and still be followed: a day covers every wrong time zone.
const MAX_CLOCK_OFFSET_MS: i64 = 24 * 60 * 60 * 1000;
/// Sends of one message over one connection: the first, and one with the receiver's own time.
const MAX_SENDS: u32 = 2;

/// How a connection is made. [`Tcp`] in service; a simulation has its own.
pub trait Network: Send + Sync {
    /// What is spoken over.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send;

    /// Connects to `host:port`.
    ///
    /// # Errors
    /// Whatever the network says.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Plain TCP. Where the way to the receiver is not a VPN, put a TLS tunnel in front: DC-09 has no protection of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Network for Tcp {
    type Stream = TcpStream;

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        // A frame must leave at once, and alone in its segment.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Which receiver of a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// The one that is tried first.
    Main,
    /// The one for when the first does not take it.
    BackUp,
}

impl Path {
    /// `main` or `back-up`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::BackUp => "back-up",
        }
    }
}

/// One alarm centre: where it listens, how it is addressed, its key. In configuration, at least
/// `{"main": "centre.example:17000", "coding": {"account": "1234"}, "key": "hex:…"}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// `host:port` of the main receiver.
    pub main: String,
    /// `host:port` of the back-up receiver.
    #[serde(default)]
    pub back_up: Option<String>,
    /// Account, numbers, codes.
    pub coding: Coding,
    /// The account's key. Without one everything goes in the clear.
    #[serde(default)]
    pub key: Option<Key>,
    /// How long connecting may take, and then waiting for an answer, each in milliseconds.
    #[serde(default = "usual_timeout_ms")]
    pub timeout_ms: u64,
}

/// What diallers in the field wait.
fn usual_timeout_ms() -> u64 {
    5_000
}

impl Centre {
    /// A centre with one receiver, given five seconds to connect and five to answer.
    pub fn new(main: impl Into<String>, coding: Coding, key: Option<Key>) -> Self {
        Self { main: main.into(), back_up: None, coding, key, timeout_ms: usual_timeout_ms() }
    }

    /// Main, and back-up where there is one.
    pub fn paths(&self) -> impl Iterator<Item = (Path, &str)> {
        let back_up = self.back_up.as_deref().map(|address| (Path::BackUp, address));
        std::iter::once((Path::Main, self.main.as_str())).chain(back_up)
    }
}

/// Sends to one centre.
pub struct Sender<N = Tcp> {
    centre: Centre,
    network: N,
    clock: Arc<dyn Clock>,
}

/// Why one receiver did not take a message.
#[derive(Debug, Clone, Copy)]
struct Failure {
    why: Why,
    /// Whether the receiver understood and will not have it.
    is_final: bool,
}

impl Failure {
    fn passing(why: Why) -> Self {
        Self { why, is_final: false }
    }
}

impl Sender<Tcp> {
    /// A sender over TCP.
    pub fn new(centre: Centre, clock: Arc<dyn Clock>) -> Self {
        Self::over(Tcp, centre, clock)
    }
}

impl<N: Network> Sender<N> {
    /// A sender over a network of choice.
    pub fn over(network: N, centre: Centre, clock: Arc<dyn Clock>) -> Self {
        Self { centre, network, clock }
    }

    /// Tries to report an event once, over every path. `sequence` and `report` must be the same on every try.
    pub async fn send(&self, sequence: Sequence, report: &Report, rng: &mut (dyn CryptoRng + Send)) -> Outcome {
        self.deliver(&self.centre.coding.message(sequence, report), rng).await
    }

    /// Sends `NULL` over one path: the receiver learns that this desk is there, and this desk that the receiver is.
    pub async fn supervise(&self, path: Path, rng: &mut (dyn CryptoRng + Send)) -> Outcome {
        let Some((_, address)) = self.centre.paths().find(|(known, _)| *known == path) else {
            return Outcome::Refused { why: Why::Unreachable };
        };
        match self.converse(address, &self.centre.coding.supervision(), rng).await {
            Ok(answer) => self.delivered(path, answer),
            Err(Failure { why, is_final: true }) => Outcome::Refused { why },
            Err(Failure { why, is_final: false }) => Outcome::Retry { why },
        }
    }

    async fn deliver(&self, message: &Message, rng: &mut (dyn CryptoRng + Send)) -> Outcome {
        let mut passing = None;
        let mut last = Why::Unreachable;
        for (path, address) in self.centre.paths() {
            match self.converse(address, message, rng).await {
                Ok(answer) => return self.delivered(path, answer),
                Err(failure) => {
                    last = failure.why;
                    if !failure.is_final {
                        passing.get_or_insert(failure.why);
                    }
                }
            }
        }
        match passing {
            Some(why) => Outcome::Retry { why },
            None => Outcome::Refused { why: last },
        }
    }

    fn delivered(&self, path: Path, answer: &'static str) -> Outcome {
        let by = path.as_str().to_owned();
        Outcome::Delivered(MachineAnswer { by, answer: answer.to_owned(), at: self.clock.now() })
    }

    /// One message over one connection: `ACK`, or why not.
    async fn converse(
        &self,
        address: &str,
        message: &Message,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<&'static str, Failure> {
        let patience = Duration::from_millis(self.centre.timeout_ms);
        let mut stream = match timeout(patience, self.network.connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => return Err(Failure::passing(Why::Unreachable)),
        };
        let mut offset_ms = 0;
        let mut clock_ahead_ms = None;
        for _ in 0..MAX_SENDS {
            let now = self.clock.now().plus_ms(offset_ms);
            let frame = self.frame(message, now, rng)?;
            let answer = match timeout(patience, exchange(&mut stream, &frame)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => return Err(Failure::passing(Why::Broken)),
                Err(_) => return Err(Failure::passing(Why::NoAnswer { waited_ms: self.centre.timeout_ms })),
            };
            match self.verdict(message, &answer, offset_ms) {
                Verdict::Taken => return Ok(MessageId::Ack.as_str()),
                Verdict::Duh => return Err(Failure { why: Why::NotUnderstood, is_final: true }),
                Verdict::Unusable => return Err(Failure::passing(Why::WrongAnswer)),
                Verdict::Stale { ahead_ms } => {
                    return Err(Failure::passing(Why::StaleAnswer { clock_ahead_ms: ahead_ms }));
                }
                Verdict::Nak { now: theirs } => {
                    clock_ahead_ms = theirs.map(|theirs| theirs.since_ms(self.clock.now()));
                    // A clock that is days off is no clock to follow; then the resend goes with our own.
                    offset_ms = clock_ahead_ms.filter(|ahead| ahead.abs() <= MAX_CLOCK_OFFSET_MS).unwrap_or_default();
                }
            }
        }
        Err(Failure::passing(Why::NotTaken { clock_ahead_ms }))
    }

    fn frame(&self, message: &Message, now: Timestamp, rng: &mut (dyn CryptoRng + Send)) -> Result<Vec<u8>, Failure> {
        let mut stamped = message.clone();
        stamped.content.made_at = Some(now);
        stamped.write(self.centre.key.as_ref(), rng).map_err(|_| Failure { why: Why::Unwritable, is_final: true })
    }

    fn verdict(&self, message: &Message, answer: &[u8], offset_ms: i64) -> Verdict {
        let now = self.clock.now().plus_ms(offset_ms);
        let account = &self.centre.coding.account;
        let key = self.centre.key.as_ref();
        judge(answer, Outstanding { sequence: message.header.sequence, account, key, now })
    }
}

/// Writes one frame and reads one answer. An answer without a frame ends when the other side stops or says `"NAK"`.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, frame: &[u8]) -> io::Result<Vec<u8>> {
    const BARE_NAK: &[u8] = b"\"NAK\"";
    stream.write_all(frame).await?;
    stream.flush().await?;
    let mut framer = Framer::default();
    let mut unframed = Vec::new();
    let mut read = 0;
    let mut buffer = [0; 512];
    // Noise around an answer is bounded like the answer itself.
    while read <= MAX_FRAME_BYTES {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read += count;
        for &byte in &buffer[..count] {
            if let Some(answer) = framer.push(byte) {
                return Ok(answer);
            }
            if !framer.is_inside() && unframed.len() < BARE_NAK.len() {
                unframed.push(byte);
            }
        }
        if unframed == BARE_NAK {
            return Ok(unframed);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
