//! The network as the core sees it: requests to the relay, and its live stream. Only `http`, or in a browser `web`, knows
//! HTTP clients; a simulation passes in a network of its own.

#[cfg(not(target_family = "wasm"))]
pub mod http;
mod sse;
#[cfg(not(target_family = "wasm"))]
mod tls;
#[cfg(target_family = "wasm")]
pub mod web;

use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

/// A request to the relay; the origin is the transport's.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: ::http::Method,
    /// Path, and the query behind a question mark where there is one.
    pub path_and_query: String,
    /// Headers, lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty for `GET`.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body, at most [`baken_schemas::api::PAGE_BYTES`] and some framing.
    pub body: Bytes,
}

/// Why no answer came. What was asked may or may not have taken effect: ask again with the same idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke, or no answer in time.
    #[error("the relay could not be reached")]
    Unreachable,
    /// The certificate does not come from the roots that this phone was given.
    #[error("the server that answered is not the relay this phone was given")]
    Untrusted,
    /// The certificate is the relay's, but at the time this phone has it is not valid yet or not any more.
    #[error("the relay's certificate is not valid at the time this phone has: check the phone's clock")]
    OutOfDate,
    /// More bytes than any answer has.
    #[error("the relay answered more than the protocol allows")]
    TooLarge,
}

/// A server-sent event: its `data` lines, joined.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<String, TransportError>> + Send>>;

/// The way to one relay.
#[async_trait]
pub trait Transport: Send + Sync {
    /// `host:port` as it is signed; the port left out when it is 443.
    fn authority(&self) -> &str;

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`TransportError`].
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// Opens a stream of server-sent events. An answer other than 200 is [`TransportError::Unreachable`].
    ///
    /// # Errors
    /// [`TransportError`].
    async fn live(&self, request: Request) -> Result<EventStream, TransportError>;
}
