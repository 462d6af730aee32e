//! Signed requests: every component counts, and the profile has one form.

use baken_schemas::FormatError;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::request::{RequestKey, RequestParts, SignedHeaders, request_claims, sign_request, verify_request};
use proptest::prelude::*;

use crate::world::World;

const PARTS: RequestParts<'_> = RequestParts {
    method: "POST",
    authority: "relay.example:8443",
    path: "/v0/alarms",
    query: "after=7&circle=0a",
    body: b"sealed bytes",
};

fn headers(world: &World, key: RequestKey) -> SignedHeaders {
    let signing = match key {
        RequestKey::Sig => &world.mayor_phone.sig,
        RequestKey::Alarm => &world.mayor_phone.alarm,
    };
    sign_request(&PARTS, world.mayor_phone.device, key, signing, IdempotencyKey([6; 16]))
}

fn check(world: &World, parts: &RequestParts<'_>, headers: &SignedHeaders) -> Result<(), FormatError> {
    let claims = request_claims(headers)?;
    let key = match claims.key {
        RequestKey::Sig => world.mayor_phone.sig.verify_key(),
        RequestKey::Alarm => world.mayor_phone.alarm.verify_key(),
    };
    verify_request(parts, headers, &claims, &key)
}

#[test]
fn a_signed_request_is_taken() {
    let world = World::new(70);
    for key in [RequestKey::Sig, RequestKey::Alarm] {
        let headers = headers(&world, key);
        assert_eq!(check(&world, &PARTS, &headers), Ok(()));
        let claims = request_claims(&headers).expect("of the profile");
        assert_eq!((claims.device, claims.key), (world.mayor_phone.device, key));
        assert_eq!(claims.idempotency, IdempotencyKey([6; 16]));
    }
    // Host names have no case.
    let shouted = RequestParts { authority: "RELAY.example:8443", ..PARTS };
    assert_eq!(check(&world, &shouted, &headers(&world, RequestKey::Sig)), Ok(()));
}

#[test]
fn every_part_of_the_request_counts() {
    let world = World::new(71);
    let headers = headers(&world, RequestKey::Sig);
    for (name, parts) in [
        ("method", RequestParts { method: "PUT", ..PARTS }),
        ("method's case", RequestParts { method: "post", ..PARTS }),
        ("host", RequestParts { authority: "relay.example.org:8443", ..PARTS }),
        ("port", RequestParts { authority: "relay.example", ..PARTS }),
        ("path", RequestParts { path: "/v0/notes", ..PARTS }),
        ("path's end", RequestParts { path: "/v0/alarms/", ..PARTS }),
        ("query", RequestParts { query: "after=8&circle=0a", ..PARTS }),
        ("no query", RequestParts { query: "", ..PARTS }),
        ("query's order", RequestParts { query: "circle=0a&after=7", ..PARTS }),
        ("path into query", RequestParts { path: "/v0/alarms?after=7", query: "circle=0a", ..PARTS }),
        ("body", RequestParts { body: b"sealed byteS", ..PARTS }),
        ("no body", RequestParts { body: b"", ..PARTS }),
    ] {
        let refused = check(&world, &parts, &headers);
        assert!(matches!(refused, Err(FormatError::Signature { .. })), "{name}: {refused:?}");
    }
}

#[test]
fn every_header_counts() {
    let world = World::new(72);
    let good = headers(&world, RequestKey::Sig);
    let other_key = headers(&world, RequestKey::Alarm);
    let tablet = world.mayor_tablet.device.to_string();
    let other_digest = sign_request(
        &RequestParts { body: b"other", ..PARTS },
        world.mayor_phone.device,
        RequestKey::Sig,
        &world.mayor_phone.sig,
        IdempotencyKey([6; 16]),
    );
    let with = |change: &dyn Fn(&mut SignedHeaders)| {
        let mut headers = good.clone();
        change(&mut headers);
        headers
    };
    for (name, headers) in [
        ("device", with(&|headers| headers.device.clone_from(&tablet))),
        (
            "device in both",
            with(&|headers| {
                headers.signature_input = headers.signature_input.replace(&headers.device, &tablet);
                headers.device.clone_from(&tablet);
            }),
        ),
        ("device in capitals", with(&|headers| headers.device = headers.device.to_uppercase())),
        ("idempotency key", with(&|headers| headers.idempotency_key = IdempotencyKey([7; 16]).to_string())),
        ("idempotency key cut", with(&|headers| headers.idempotency_key.truncate(30))),
        ("digest", with(&|headers| headers.digest.clone_from(&other_digest.digest))),
        ("digest of another kind", with(&|headers| headers.digest = headers.digest.replace("sha-256", "sha-512"))),
        ("two digests", with(&|headers| headers.digest = format!("{0}, {0}", headers.digest))),
        ("another of its keys", with(&|headers| headers.signature_input.clone_from(&other_key.signature_input))),
        (
            "fewer components",
            with(&|headers| {
                headers.signature_input = headers.signature_input.replace(" \"content-digest\"", "");
            }),
        ),
        ("another tag", with(&|headers| headers.signature_input = headers.signature_input.replace("baken\"", "x\""))),
        ("a space more", with(&|headers| headers.signature_input.push(' '))),
        ("signature", with(&|headers| headers.signature.clone_from(&other_key.signature))),
        ("signature twice", with(&|headers| headers.signature = format!("{0}, {0}", headers.signature))),
        ("no signature", with(&|headers| headers.signature.clear())),
    ] {
        assert!(check(&world, &PARTS, &headers).is_err(), "{name}");
    }
}

#[test]
fn no_other_signature_fits() {
    let world = World::new(73);
    let good = headers(&world, RequestKey::Sig);
    for at in 0..good.signature.len() {
        let mut headers = good.clone();
        let mut signature = headers.signature.into_bytes();
        signature[at] = if signature[at] == b'A' { b'B' } else { b'A' };
        headers.signature = String::from_utf8(signature).expect("ASCII");
        assert!(check(&world, &PARTS, &headers).is_err(), "letter {at}");
    }
}

proptest! {
    #[test]
    fn arbitrary_headers_are_refused_quietly(texts in prop::array::uniform5("\\PC{0,80}"), real in 0_u8..32) {
        let world = World::new(74);
        let good = headers(&world, RequestKey::Sig);
        let pick = |at: usize, good: &String| if real & (1 << at) == 0 { texts[at].clone() } else { good.clone() };
        let mixed = SignedHeaders {
            device: pick(0, &good.device),
            idempotency_key: pick(1, &good.idempotency_key),
            digest: pick(2, &good.digest),
            signature_input: pick(3, &good.signature_input),
            signature: pick(4, &good.signature),
        };
        prop_assert_eq!(check(&world, &PARTS, &mixed).is_ok(), mixed == good);
    }
}
