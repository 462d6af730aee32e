//! Takes in messages from hardware buttons and panels, over TCP, over TLS, and ([`super::datagrams`]) over UDP.
//!
//! Frames come from LF to CR in whatever segments, each is answered before the next is read, and everything is bounded:
//! the size of a frame, how long one may take to arrive, how long a line may be idle, connections in all and from one
//! address. What a message means, whether it was seen before, and that it is on disk before it is acknowledged is the
//! [`Handler`]'s business. What was not passed on is told to the handler too: a button that cannot get through must not
//! fail in silence.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use baken_schemas::time::{Clock, Timestamp};
use rand_core::CryptoRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::crypt::Key;
use super::field::Account;
use super::frame::{Frame, FrameError};
use super::framer::Framer;
use super::message::Message;
use super::reply;
use super::time::Window;

/// Failures to accept, one after the other, before listening is given up.
pub(super) const MAX_ACCEPT_FAILURES: u32 = 30;
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What a message came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// A TCP connection, open to whoever is on the line.
    Tcp,
    /// A datagram, whose sender's address anybody can write on it.
    Udp,
    /// A TLS connection: nobody on the line reads or alters it.
    Tls,
}

/// Where a message came from, and over what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) peer: SocketAddr,
    pub(super) over: Over,
}

/// What is known about an account.
#[derive(Debug, Clone)]
pub enum Known {
    /// Nothing.
    No,
    /// It sends in the clear.
    Plain,
    /// It sends enciphered with this key, and in no other way.
    Enciphered(Key),
}

/// A message whose frame, key and time are right.
#[derive(Debug, Clone)]
pub struct Received {
    /// The message. [`Message::fingerprint`] tells a repeat.
    pub message: Message,
    /// Where it came from.
    pub peer: SocketAddr,
    /// What it came over.
    pub over: Over,
    /// When it was read.
    pub at: Timestamp,
}

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is kept: only once it is on disk. A repeat gets it too.
    Ack,
    /// Not taken now; the sender may set its clock and send again.
    Nak,
    /// Nothing that can be processed here.
    Duh,
    /// Nothing: the sender will come back, or take another path.
    Silence,
}

/// Why something was not passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Line noise, or no DC-09 at all: not answered.
    Damaged,
    /// A sender that does it wrong: answered with `NAK`.
    Malformed(FrameError),
    /// No such account: answered with `DUH`.
    UnknownAccount(Account),
    /// In the clear, from an account that has a key: somebody else, or a button that lost its settings. `DUH`.
    Downgraded(Account),
    /// Enciphered with another key, or altered: `NAK`.
    NotOpened(Account),
    /// Its time is too far off, so it could be an old message played back: `NAK`, with the right time.
    OutOfTime {
        /// The account.
        account: Account,
        /// Milliseconds by which it is ahead (negative: behind).
        ahead_ms: i64,
    },
    /// The handler did not answer in time, so the sender got no answer.
    Unanswered(Account),
    /// More connections, or datagrams at once, than are kept.
    TooManyConnections,
}

impl Refusal {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Malformed(_) => "malformed",
            Self::UnknownAccount(_) => "unknown_account",
            Self::Downgraded(_) => "downgraded",
            Self::NotOpened(_) => "not_opened",
            Self::OutOfTime { .. } => "out_of_time",
            Self::Unanswered(_) => "unanswered",
            Self::TooManyConnections => "too_many_connections",
        }
    }
}

/// Who takes what was received.
pub trait Handler: Send + Sync + 'static {
    /// What is known about an account. Asked before anything is deciphered.
    fn known(&self, account: &Account) -> impl Future<Output = Known> + Send;

    /// Takes a message. Must be safe to call twice with the same one.
    fn received(&self, received: Received) -> impl Future<Output = Answer> + Send;

    /// Is told what was not passed on, from where.
    fn refused(&self, refusal: Refusal, peer: SocketAddr) -> impl Future<Output = ()> + Send;
}

/// The receiver's bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address, since many panels may be behind one.
    pub connections_of_one: usize,
    /// Datagrams that are handled at a time. Their senders' addresses say nothing, so there is no bound of one.
    pub datagrams: usize,
    /// How long a line may be silent between frames. Longer than the longest supervision interval.
    pub idle: Duration,
    /// How long a frame may take from LF to CR.
    pub frame: Duration,
    /// How long the handler may take. Shorter than senders wait.
    pub handling: Duration,
    /// How far off an enciphered message's time may be.
    pub window: Window,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A process may commonly hold 1,024 open files, and has other uses for them.
            connections: 512,
            connections_of_one: 64,
            datagrams: 256,
            idle: Duration::from_secs(600),
            frame: Duration::from_secs(10),
            handling: Duration::from_secs(4),
            window: Window::STANDARD,
        }
    }
}

/// A receiver, ready to listen.
pub struct Receiver<H> {
    pub(super) handler: H,
    clock: Arc<dyn Clock>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
    pub(super) limits: Limits,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl<H: Handler> Receiver<H> {
    /// A receiver that passes what it gets to `handler`.
    pub fn new(handler: H, clock: Arc<dyn Clock>, rng: Box<dyn CryptoRng + Send>, limits: Limits) -> Self {
        Self { handler, clock, rng: Mutex::new(rng), limits, open: Mutex::new(HashMap::new()) }
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// Listens until `shutdown` is done; then every connection is closed at once, and what was not acknowledged will be
    /// sent again by its sender.
    ///
    /// # Errors
    /// What the listener says when it has failed for half a minute on end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        self.serve_behind(listener, None, shutdown).await
    }

    /// The same behind TLS: the frames are those of TCP, inside.
    ///
    /// # Errors
    /// As [`Self::serve`].
    pub async fn serve_tls(
        self: Arc<Self>,
        listener: TcpListener,
        tls: TlsAcceptor,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        self.serve_behind(listener, Some(tls), shutdown).await
    }

    async fn serve_behind(
        self: Arc<Self>,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut connections = JoinSet::new();
        let mut failures = 0;
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        failures = 0;
                        match Place::take(&self, peer.ip(), connections.len()) {
                            Some(place) => drop(connections.spawn(place.attend(stream, peer, tls.clone()))),
                            None => {
                                let told = self.handler.refused(Refusal::TooManyConnections, peer);
                                // Whoever is slow to hear it must not hold up the next to call.
                                let _ = timeout(self.limits.handling, told).await;
                            }
                        }
                    }
                    // Mostly "too many open files", which passes as other connections end.
                    Err(_) if failures < MAX_ACCEPT_FAILURES => {
                        failures += 1;
                        sleep(ACCEPT_PAUSE).await;
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Reads and answers frames until the other side stops, breaks a bound, or the connection fails.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when a bound on time was broken, else what the stream says.
    pub async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, peer: SocketAddr) -> io::Result<()> {
        self.converse_over(stream, Origin { peer, over: Over::Tcp }).await
    }

    async fn converse_over<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, from: Origin) -> io::Result<()> {
        let mut framer = Framer::default();
        let mut buffer = [0; 1024];
        loop {
            // Silence between frames has its own bound; once a frame has begun, its end has another.
            let mut count = timeout(self.limits.idle, stream.read(&mut buffer)).await??;
            let whole_frame = async {
                loop {
                    if count == 0 {
                        return Ok(false);
                    }
                    for &byte in &buffer[..count] {
                        if let Some(frame) = framer.push(byte) {
                            self.answer_to(&frame, from, &mut stream).await?;
                        }
                    }
                    for _ in 0..framer.take_dropped() {
                        self.handler.refused(Refusal::Damaged, from.peer).await;
                    }
                    if !framer.is_inside() {
                        return Ok(true);
                    }
                    count = stream.read(&mut buffer).await?;
                }
            };
            // The handler's time for what one segment held comes on top.
            let bound = self.limits.frame + self.limits.handling;
            if !timeout(bound, whole_frame).await.unwrap_or_else(|elapsed| Err(io::Error::from(elapsed)))? {
                return Ok(());
            }
        }
    }

    async fn answer_to<S: AsyncWrite + Unpin>(&self, frame: &[u8], from: Origin, stream: &mut S) -> io::Result<()> {
        match self.take(frame, from).await {
            Ok(Some(reply)) => {
                stream.write_all(&reply).await?;
                stream.flush().await
            }
            Ok(None) => Ok(()),
            // A reply to a header that was read always fits a frame.
            Err(_) => Ok(()),
        }
    }

    /// Takes one frame, from LF to CR; gives the reply to send.
    pub(super) async fn take(&self, bytes: &[u8], from: Origin) -> Result<Option<Vec<u8>>, FrameError> {
        let Origin { peer, over } = from;
        let frame = match Frame::read(bytes) {
            Ok(frame) => frame,
            Err(error) if error.is_damage() => {
                self.handler.refused(Refusal::Damaged, peer).await;
                return Ok(None);
            }
            Err(error) => return self.refuse_with_nak(Refusal::Malformed(error), peer).await,
        };
        let header = frame.header.clone();
        // A reply is no message: answering it would make two receivers talk for ever.
        let Some(account) = header.account.clone().filter(|_| !header.id.is_reply()) else {
            self.handler.refused(Refusal::Malformed(FrameError::Header { what: "a reply to nothing" }), peer).await;
            return Ok(None);
        };
        let key = match (self.handler.known(&account).await, header.encrypted) {
            (Known::No, _) => {
                self.handler.refused(Refusal::UnknownAccount(account), peer).await;
                return reply::duh(&header).map(Some);
            }
            (Known::Enciphered(_), false) => {
                self.handler.refused(Refusal::Downgraded(account), peer).await;
                return reply::duh(&header).map(Some);
            }
            (Known::Plain, true) => return self.refuse_with_nak(Refusal::NotOpened(account), peer).await,
            (Known::Plain, false) => None,
            (Known::Enciphered(key), true) => Some(key),
        };
        let message = match Message::open(frame, key.as_ref()) {
            Ok(message) => message,
            Err(_) if key.is_some() => return self.refuse_with_nak(Refusal::NotOpened(account), peer).await,
            Err(error) => return self.refuse_with_nak(Refusal::Malformed(error), peer).await,
        };
        let now = self.clock.now();
        if let (Some(_), Some(made_at)) = (&key, message.content.made_at)
            && let Some(ahead_ms) = self.limits.window.violation_ms(made_at, now)
        {
            return self.refuse_with_nak(Refusal::OutOfTime { account, ahead_ms }, peer).await;
        }
        let handled = self.handler.received(Received { message, peer, over, at: now });
        let Ok(answer) = timeout(self.limits.handling, handled).await else {
            self.handler.refused(Refusal::Unanswered(account), peer).await;
            return Ok(None);
        };
        let now = self.clock.now();
        match answer {
            Answer::Ack => self.with_rng(|rng| reply::ack(&header, key.as_ref(), now, rng)).map(Some),
            Answer::Nak => reply::nak(now).map(Some),
            Answer::Duh => reply::duh(&header).map(Some),
            Answer::Silence => Ok(None),
        }
    }

    async fn refuse_with_nak(&self, refusal: Refusal, peer: SocketAddr) -> Result<Option<Vec<u8>>, FrameError> {
        self.handler.refused(refusal, peer).await;
        reply::nak(self.clock.now()).map(Some)
    }

    fn with_rng<T>(&self, use_it: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
        use_it(self.rng.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }
}

/// A place among the connections of one address, given back when dropped.
struct Place<H: Handler> {
    receiver: Arc<Receiver<H>>,
    address: IpAddr,
}

impl<H: Handler> Place<H> {
    fn take(receiver: &Arc<Receiver<H>>, address: IpAddr, held: usize) -> Option<Self> {
        let limits = receiver.limits;
        let mut open = receiver.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = open.get(&address).copied().unwrap_or_default();
        if held >= limits.connections || of_this >= limits.connections_of_one {
            return None;
        }
        open.insert(address, of_this + 1);
        Some(Self { receiver: Arc::clone(receiver), address })
    }

    async fn attend(self, stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>) {
        // A reply should leave at once; where that cannot be arranged it leaves a little later.
        let _ = stream.set_nodelay(true);
        // However a connection ends, its sender learns of it and comes back.
        let _ = match tls {
            None => self.receiver.converse_over(stream, Origin { peer, over: Over::Tcp }).await,
            Some(tls) => match timeout(self.receiver.limits.frame, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.receiver.converse_over(stream, Origin { peer, over: Over::Tls }).await,
                // Too slow, no TLS, or a sender that does not trust the certificate.
                _ => return self.receiver.handler.refused(Refusal::Damaged, peer).await,
            },
        };
    }
}

impl<H: Handler> Drop for Place<H> {
    fn drop(&mut self) {
        let mut open = self.receiver.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}
