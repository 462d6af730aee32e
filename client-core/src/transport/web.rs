//! HTTP by a browser's `fetch`: the only place that knows an HTTP client there.
//!
//! A page can neither pin a certificate nor look at one, so whom it talks to is the browser's word: a public
//! certificate. What the relay says is checked as everywhere, by signatures that start at the invite; see
//! [`super::http`] for what a phone checks besides.

use std::pin::{Pin, pin};
use std::time::Duration;

use async_trait::async_trait;
use baken_schemas::org::RelayEntry;
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::{mpsc, oneshot};
use wasm_bindgen_futures::spawn_local;

use super::sse::EventReader;
use super::{EventStream, Request, Response, Transport, TransportError};
use crate::timer;

/// How long an answer may take, all of it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a live stream may be silent. The relay sends a comment at least every 15 s.
const LIVE_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// The largest answer: a full page of items, and one more that came last.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// Events that wait to be taken; past it the stream waits.
const EVENTS_IN_FLIGHT: usize = 64;

/// Why a transport could not be made. None of these comes from the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Not `https://host` or `https://host:port`.
    #[error("the relay's address is not of the form https://host:port")]
    Url,
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be set up")]
    Client,
}

/// A relay reached by `fetch`.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    /// `https://host:port`, no slash behind.
    origin: String,
    authority: String,
}

impl HttpTransport {
    /// The way to the relay at `url` (`https://host:port`).
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(url: &str) -> Result<Self, SetupError> {
        let parsed = reqwest::Url::parse(url).map_err(|_| SetupError::Url)?;
        let host = parsed.host_str().filter(|_| parsed.scheme() == "https").ok_or(SetupError::Url)?;
        if parsed.path() != "/" || parsed.query().is_some() || !parsed.username().is_empty() {
            return Err(SetupError::Url);
        }
        let authority = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let client = reqwest::Client::builder().build().map_err(|_| SetupError::Client)?;
        Ok(Self { client, origin: format!("https://{authority}"), authority })
    }

    /// The way to the relay of a verified directory: the first of its addresses.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn to_relay(relay: &RelayEntry) -> Result<Self, SetupError> {
        Self::new(relay.urls.first().ok_or(SetupError::Url)?)
    }

    fn builder(&self, request: Request) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.origin, request.path_and_query);
        let mut builder = self.client.request(request.method, url).fetch_credentials_omit();
        if !request.body.is_empty() {
            builder = builder.body(request.body);
        }
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        builder
    }
}

#[async_trait]
impl Transport for HttpTransport {
    fn authority(&self) -> &str {
        &self.authority
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let builder = self.builder(request);
        let (mut tell, told) = oneshot::channel();
        // A browser's promises stay on their thread; the answer comes over.
        spawn_local(async move {
            let answer = {
                let whole = pin!(timer::timeout(ANSWER_TIMEOUT, whole(builder)));
                match select(whole, pin!(tell.closed())).await {
                    Either::Left((answer, _)) => answer,
                    // Whoever asked is gone, and the request goes too.
                    Either::Right(_) => return,
                }
            };
            let _ = tell.send(answer.unwrap_or(Err(TransportError::Unreachable)));
        });
        told.await.unwrap_or(Err(TransportError::Unreachable))
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        let builder = self.builder(request);
        let (tell, told) = oneshot::channel();
        let (events, incoming) = mpsc::channel(EVENTS_IN_FLIGHT);
        spawn_local(async move {
            let listened = pin!(listen(builder, tell, &events));
            // Whoever listened may be gone: the request goes too.
            let _ = select(listened, pin!(events.closed())).await;
        });
        told.await.unwrap_or(Err(TransportError::Unreachable))?;
        Ok(Box::pin(futures_util::stream::unfold(incoming, |mut incoming| async move {
            incoming.recv().await.map(|event| (event, incoming))
        })))
    }
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>>>>;

async fn whole(builder: reqwest::RequestBuilder) -> Result<Response, TransportError> {
    let answer = builder.send().await.map_err(|_| TransportError::Unreachable)?;
    let status = answer.status().as_u16();
    let mut body = BytesMut::new();
    let mut chunks: Chunks = Box::pin(answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| TransportError::Unreachable)?;
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(TransportError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, body: body.freeze() })
}

async fn listen(
    builder: reqwest::RequestBuilder,
    tell: oneshot::Sender<Result<(), TransportError>>,
    events: &mpsc::Sender<Result<String, TransportError>>,
) {
    let started = timer::timeout(ANSWER_TIMEOUT, builder.send()).await;
    let answer = match started {
        Ok(Ok(answer)) if answer.status() == reqwest::StatusCode::OK => answer,
        _ => {
            let _ = tell.send(Err(TransportError::Unreachable));
            return;
        }
    };
    if tell.send(Ok(())).is_err() {
        return;
    }
    let mut chunks: Chunks = Box::pin(answer.bytes_stream());
    let mut reader = EventReader::default();
    loop {
        while let Some(event) = reader.next() {
            if events.send(Ok(event)).await.is_err() {
                return;
            }
        }
        let chunk = timer::timeout(LIVE_IDLE_TIMEOUT, chunks.next()).await;
        let pushed = match chunk {
            Ok(Some(Ok(chunk))) => reader.push(&chunk),
            _ => Err(TransportError::Unreachable),
        };
        if let Err(error) = pushed {
            let _ = events.send(Err(error)).await;
            return;
        }
    }
}
