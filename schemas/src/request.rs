//! Signed requests: one strict profile of RFC 9421 (HTTP message signatures) with RFC 9530 content digests.
//!
//! Every request covers the same seven components in the same order, so there is nothing to negotiate and nothing to
//! parse but one string. No clock and no counter: a repeat is harmless because every write carries an idempotency key
//! that is stored with its effect.

use std::str::FromStr;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::FormatError;
use crate::crypto::{Signature, SigningKey, VerifyKey};
use crate::id::{DeviceId, IdempotencyKey};

/// Header that names the device.
pub const DEVICE_HEADER: &str = "baken-device";
/// Header with the idempotency key.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Header with the body's SHA-256 (RFC 9530).
pub const DIGEST_HEADER: &str = "content-digest";
/// Header with what is signed and by which key.
pub const SIGNATURE_INPUT_HEADER: &str = "signature-input";
/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "signature";

/// Which of a device's keys signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKey {
    /// The key behind the PIN: everything.
    Sig,
    /// The key that works with the vault locked: alarms, updates, notes and their receipts only.
    Alarm,
}

impl RequestKey {
    fn name(self) -> &'static str {
        match self {
            Self::Sig => "sig",
            Self::Alarm => "alarm",
        }
    }
}

/// The parts of a request that are signed.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// Host and port as in the URL; the port left out when it is 443.
    pub authority: &'a str,
    /// Absolute path.
    pub path: &'a str,
    /// Query without the question mark, empty when there is none.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The headers that a signed request carries, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// [`DEVICE_HEADER`].
    pub device: String,
    /// [`IDEMPOTENCY_HEADER`].
    pub idempotency_key: String,
    /// [`DIGEST_HEADER`].
    pub digest: String,
    /// [`SIGNATURE_INPUT_HEADER`].
    pub signature_input: String,
    /// [`SIGNATURE_HEADER`].
    pub signature: String,
}

impl SignedHeaders {
    /// The headers with their names.
    pub fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            (DEVICE_HEADER, &self.device),
            (IDEMPOTENCY_HEADER, &self.idempotency_key),
            (DIGEST_HEADER, &self.digest),
            (SIGNATURE_INPUT_HEADER, &self.signature_input),
            (SIGNATURE_HEADER, &self.signature),
        ]
    }
}

fn signature_params(device: &str, key: RequestKey) -> String {
    format!(
        "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" \"idempotency-key\" \"baken-device\")\
         ;keyid=\"{device}.{}\";alg=\"ed25519\";tag=\"baken\"",
        key.name()
    )
}

fn signature_base(parts: &RequestParts<'_>, digest: &str, idempotency: &str, device: &str, params: &str) -> String {
    format!(
        "\"@method\": {}\n\"@authority\": {}\n\"@path\": {}\n\"@query\": ?{}\n\"content-digest\": {digest}\n\
         \"idempotency-key\": {idempotency}\n\"baken-device\": {device}\n\"@signature-params\": {params}",
        parts.method,
        parts.authority.to_ascii_lowercase(),
        parts.path,
        parts.query
    )
}

fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(body)))
}

/// Signs a request.
pub fn sign_request(
    parts: &RequestParts<'_>,
    device: DeviceId,
    key: RequestKey,
    signing: &SigningKey,
    idempotency: IdempotencyKey,
) -> SignedHeaders {
    let device = device.to_string();
    let idempotency_key = idempotency.to_string();
    let digest = content_digest(parts.body);
    let params = signature_params(&device, key);
    let base = signature_base(parts, &digest, &idempotency_key, &device, &params);
    let signature = signing.sign_raw(base.as_bytes());
    SignedHeaders {
        device,
        idempotency_key,
        digest,
        signature_input: format!("baken={params}"),
        signature: format!("baken=:{}:", BASE64.encode(&signature.0)),
    }
}

/// Who signed a request, as it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestClaims {
    /// The device.
    pub device: DeviceId,
    /// Which of its keys.
    pub key: RequestKey,
    /// The idempotency key.
    pub idempotency: IdempotencyKey,
}

/// Reads who claims to have signed, so that the key can be looked up.
///
/// # Errors
/// [`FormatError::Malformed`] when a header is not of the profile.
pub fn request_claims(headers: &SignedHeaders) -> Result<RequestClaims, FormatError> {
    let malformed = FormatError::Malformed { what: "a request's signature headers" };
    let device = DeviceId::from_str(&headers.device)?;
    let idempotency = IdempotencyKey::from_str(&headers.idempotency_key)?;
    if device.to_string() != headers.device || idempotency.to_string() != headers.idempotency_key {
        return Err(malformed);
    }
    let key = [RequestKey::Sig, RequestKey::Alarm]
        .into_iter()
        .find(|key| headers.signature_input == format!("baken={}", signature_params(&headers.device, *key)))
        .ok_or(malformed)?;
    Ok(RequestClaims { device, key, idempotency })
}

/// Checks a request against the key of the device it claims.
///
/// # Errors
/// [`FormatError::Signature`] when the body, a component or the signature is off.
pub fn verify_request(
    parts: &RequestParts<'_>,
    headers: &SignedHeaders,
    claims: &RequestClaims,
    verify: &VerifyKey,
) -> Result<(), FormatError> {
    let what = "a request";
    let refused = FormatError::Signature { what };
    if headers.digest != content_digest(parts.body) {
        return Err(refused);
    }
    let signature = headers
        .signature
        .strip_prefix("baken=:")
        .and_then(|rest| rest.strip_suffix(':'))
        .and_then(|base64| BASE64.decode(base64.as_bytes()).ok())
        .and_then(|bytes| Signature::from_slice(&bytes))
        .ok_or(refused)?;
    let params = signature_params(&headers.device, claims.key);
    let base = signature_base(parts, &headers.digest, &headers.idempotency_key, &headers.device, &params);
    verify.verify_raw(what, base.as_bytes(), &signature)
}
