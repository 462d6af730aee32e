//! Fuzzes the headers of a signed request, split at line ends.
#![no_main]

use baken_schemas::crypto::SigningKey;
use baken_schemas::request::{RequestParts, SignedHeaders, request_claims, verify_request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let headers = SignedHeaders {
        device: line(),
        idempotency_key: line(),
        digest: line(),
        signature_input: line(),
        signature: line(),
    };
    let (path, query) = (line(), line());
    let Ok(claims) = request_claims(&headers) else { return };
    let parts = RequestParts { method: "POST", authority: "relay.example", path: &path, query: &query, body: b"" };
    let key = SigningKey::from_bytes(&[7; 32]).verify_key();
    let _ = verify_request(&parts, &headers, &claims, &key);
});
