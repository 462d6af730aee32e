//! Signed requests to the relay, and what its answers mean. Used by sync, pairing and alarms alike.

use baken_schemas::FormatError;
use baken_schemas::api::Problem;
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{DeviceId, IdempotencyKey};
use baken_schemas::request::{RequestKey, RequestParts, sign_request};
use bytes::Bytes;
use http::Method;
use minicbor::{Decode, Encode};

use crate::BakenError;
use crate::transport::{EventStream, Request, Response, Transport};

/// The longest code of a problem that is kept, in characters.
const MAX_CODE_CHARS: usize = 64;
/// The longest error body that is looked at, in bytes.
const MAX_PROBLEM_BYTES: usize = 16 * 1024;

/// A device that asks a relay.
#[derive(Clone, Copy)]
pub struct SignedClient<'a> {
    /// The way to the relay.
    pub transport: &'a dyn Transport,
    /// Who asks.
    pub device: DeviceId,
    /// With which of its keys.
    pub request_key: RequestKey,
    /// That key.
    pub key: &'a SigningKey,
}

impl<'a> SignedClient<'a> {
    /// A device asking with its `sig` key, which may ask anything.
    pub fn of_device(transport: &'a dyn Transport, keys: &'a DeviceKeys) -> Self {
        Self { transport, device: keys.device, request_key: RequestKey::Sig, key: &keys.sig }
    }

    /// Sends a signed request; the answer's body when its status is 2xx.
    ///
    /// # Errors
    /// [`BakenError::NotReached`], [`BakenError::Untrusted`], [`BakenError::Refused`] with the relay's code.
    pub async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
    ) -> Result<Bytes, BakenError> {
        let request = self.request(method, path_and_query, body, idempotency);
        answer(self.transport.send(request).await?)
    }

    /// Sends a signed request and decodes the CBOR of its answer; `what` names it in errors.
    ///
    /// # Errors
    /// As [`Self::send`], and [`BakenError::BadAnswer`].
    pub async fn ask<T>(
        &self,
        method: Method,
        path_and_query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
        what: &'static str,
    ) -> Result<T, BakenError>
    where
        T: for<'b> Decode<'b, ()> + Encode<()>,
    {
        let bytes = self.send(method, path_and_query, body, idempotency).await?;
        cbor::from_slice(&bytes, what).map_err(BakenError::BadAnswer)
    }

    /// Opens a live stream with a signed request.
    ///
    /// # Errors
    /// [`BakenError::NotReached`], [`BakenError::Untrusted`].
    pub async fn live(&self, path_and_query: &str, idempotency: IdempotencyKey) -> Result<EventStream, BakenError> {
        let request = self.request(Method::GET, path_and_query, Vec::new(), idempotency);
        Ok(self.transport.live(request).await?)
    }

    fn request(&self, method: Method, path_and_query: &str, body: Vec<u8>, idempotency: IdempotencyKey) -> Request {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let parts =
            RequestParts { method: method.as_str(), authority: self.transport.authority(), path, query, body: &body };
        let signed = sign_request(&parts, self.device, self.request_key, self.key, idempotency);
        let mut headers: Vec<(&'static str, String)> =
            signed.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        if !body.is_empty() {
            headers.push(("content-type", "application/cbor".to_owned()));
        }
        Request { method, path_and_query: path_and_query.to_owned(), headers, body }
    }
}

/// Sends a request that needs no signature.
///
/// # Errors
/// As [`SignedClient::send`].
pub async fn send_unsigned(
    transport: &dyn Transport,
    method: Method,
    path_and_query: &str,
    body: Vec<u8>,
) -> Result<Bytes, BakenError> {
    let headers = if body.is_empty() { Vec::new() } else { vec![("content-type", "application/cbor".to_owned())] };
    let request = Request { method, path_and_query: path_and_query.to_owned(), headers, body };
    answer(transport.send(request).await?)
}

/// The body of a 2xx, or the problem that the relay named.
///
/// # Errors
/// [`BakenError::Refused`].
pub fn answer(response: Response) -> Result<Bytes, BakenError> {
    if (200..300).contains(&response.status) {
        return Ok(response.body);
    }
    let code = response
        .body
        .get(..response.body.len().min(MAX_PROBLEM_BYTES))
        .and_then(|body| serde_json::from_slice::<Problem>(body).ok())
        .map(|problem| clean_code(&problem.code))
        .filter(|code| !code.is_empty())
        .unwrap_or_else(|| "no_reason_given".to_owned());
    Err(BakenError::Refused { status: response.status, code })
}

/// A relay may write anything into a code, and it may end up in a log.
fn clean_code(code: &str) -> String {
    code.chars()
        .filter(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || *char == '_')
        .take(MAX_CODE_CHARS)
        .collect()
}

/// The idempotency key of a write that says the same whenever it is repeated: made of its content, so that a crash
/// between sending and remembering cannot change it.
pub fn idempotency_of(path: &str, body: &[u8]) -> IdempotencyKey {
    let hash = Hash::of("baken/idempotency/v0", &[path.as_bytes(), body]);
    hash.0.first_chunk().map_or(IdempotencyKey([0; 16]), |half| IdempotencyKey(*half))
}

/// Fills the one `{…}` of an API path.
///
/// # Errors
/// [`FormatError::Malformed`] when the path has none: a mistake in this program.
pub fn path_with(template: &str, value: impl std::fmt::Display) -> Result<String, BakenError> {
    let malformed = BakenError::Format(FormatError::Malformed { what: "an API path" });
    let Some((before, rest)) = template.split_once('{') else { return Err(malformed) };
    let Some((_, after)) = rest.split_once('}') else { return Err(malformed) };
    Ok(format!("{before}{value}{after}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_problem_becomes_its_code_and_nothing_else_of_it() {
        let body = serde_json::json!({"type": "urn:baken:problem:invite_used", "title": "Jan Jansen", "status": 409,
            "detail": "Kerkstraat 1", "code": "invite_used\nJan"});
        let response = Response { status: 409, body: Bytes::from(body.to_string()) };
        let error = answer(response).unwrap_err();
        assert_eq!(error.code(), "invite_usedan");
        assert!(!format!("{error} {error:?}").contains("Jansen"));
        let other = answer(Response { status: 502, body: Bytes::from_static(b"<html>") }).unwrap_err();
        assert_eq!(other.code(), "no_reason_given");
    }

    #[test]
    fn a_path_takes_its_id() {
        assert_eq!(path_with(baken_schemas::api::LOG, "ab").unwrap(), "/v0/circles/ab/log");
        assert!(path_with("/v0/mail", "ab").is_err());
    }
}
