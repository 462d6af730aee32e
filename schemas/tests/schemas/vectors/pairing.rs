//! Vectors of a whole pairing, and of signed requests.

use baken_schemas::circle::LogHead;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AccountId, IdempotencyKey};
use baken_schemas::pairing::{Grant, Hello, PairingCode};
use baken_schemas::request::{RequestKey, RequestParts, SignedHeaders, request_claims, sign_request, verify_request};
use serde_json::{Value, json};

use super::{Set, hex, unhex};
use crate::world::World;

fn describe_pairing(code: &PairingCode, digits: &str, hello: &Hello, grant: &Grant) -> Value {
    json!({
        "rendezvous": code.rendezvous,
        "fingerprint": code.fingerprint,
        "digits": digits,
        "hello_identity": hex(&hello.identity),
        "grant": {
            "account": grant.account,
            "org": grant.org,
            "directory": hex(&grant.directory),
            "circle": grant.circle,
            "log_head": { "seq": grant.log_head.seq, "hash": grant.log_head.hash },
        },
    })
}

pub fn make_pairing(world: &mut World) -> Vec<Value> {
    [Some(world.account), None].map(|account| one_pairing(world, account)).to_vec()
}

fn one_pairing(world: &mut World, account: Option<AccountId>) -> Value {
    let offer = world.mayor_tablet.identity();
    let code = PairingCode::make(offer.value(), &mut world.rng);
    let to = &offer.value().kem;
    let hello = Hello { identity: world.mayor_phone.identity().bytes().to_vec() };
    let sealed_hello = code.seal_hello(to, &hello, &mut world.rng).expect("a good key");
    let grant = Grant {
        account,
        org: world.org(),
        directory: world.directory.bytes().to_vec(),
        circle: world.circle,
        log_head: LogHead { seq: 2, hash: Hash([5; 32]) },
    };
    let sealed_grant = code.seal_grant(to, &sealed_hello, &grant, &mut world.rng).expect("a good key");
    let digits = code.digits(offer.bytes(), &sealed_hello);
    json!({
        "inputs": describe_pairing(&code, &digits, &hello, &grant),
        "code": code.to_text(),
        "offer": hex(offer.bytes()),
        "hello": hex(&sealed_hello),
        "grant": hex(&sealed_grant),
    })
}

pub fn open_pairing(set: &Set, vector: &Value) -> Value {
    let code = PairingCode::from_text(vector["code"].as_str().expect("a text")).expect("a code");
    assert_eq!(code.to_text(), vector["code"]);
    let [offer, hello, grant] = ["offer", "hello", "grant"].map(|name| unhex(&vector[name]));
    let new_device = code.check_offer(&offer).expect("the device that showed the code");
    let kem = set.device(new_device.device).kem;
    let opened = code.open_hello(&kem, &hello).expect("sealed with the code's secret");
    let granted = code.open_grant(&kem, &hello, &grant).expect("sealed with the code's secret");
    describe_pairing(&code, &code.digits(&offer, &hello), &opened, &granted)
}

const HEADERS: [&str; 5] = ["baken-device", "idempotency-key", "content-digest", "signature-input", "signature"];

pub fn make_request(world: &mut World) -> Vec<Value> {
    let phone = &world.mayor_phone;
    let alarm = RequestParts {
        method: "POST",
        authority: "relay.example:8443",
        path: "/v0/alarms",
        query: "",
        body: b"a sealed alarm",
    };
    let mail =
        RequestParts { method: "GET", authority: "relay.example", path: "/v0/mail", query: "after=17", body: b"" };
    [(alarm, RequestKey::Alarm, &phone.alarm, "alarm"), (mail, RequestKey::Sig, &phone.sig, "sig")]
        .map(|(parts, key, signing, key_name)| {
            let idempotency = IdempotencyKey::make(&mut world.rng);
            let headers = sign_request(&parts, phone.device, key, signing, idempotency);
            json!({
                "inputs": {
                    "method": parts.method,
                    "authority": parts.authority,
                    "path": parts.path,
                    "query": parts.query,
                    "body": hex(parts.body),
                    "device": phone.device,
                    "key": key_name,
                    "idempotency_key": idempotency,
                },
                "headers": headers.pairs().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            })
        })
        .to_vec()
}

pub fn open_request(set: &Set, vector: &Value) -> Value {
    let [device, idempotency_key, digest, signature_input, signature] =
        HEADERS.map(|name| vector["headers"][name].as_str().expect("a header").to_owned());
    let headers = SignedHeaders { device, idempotency_key, digest, signature_input, signature };
    let claims = request_claims(&headers).expect("of the profile");
    let keys = set.device(claims.device);
    let (signing, key_name) = match claims.key {
        RequestKey::Sig => (&keys.sig, "sig"),
        RequestKey::Alarm => (&keys.alarm, "alarm"),
    };
    let inputs = &vector["inputs"];
    let [method, authority, path, query] =
        ["method", "authority", "path", "query"].map(|name| inputs[name].as_str().expect("a part of the request"));
    let body = unhex(&inputs["body"]);
    let parts = RequestParts { method, authority, path, query, body: &body };
    verify_request(&parts, &headers, &claims, &signing.verify_key()).expect("signed");
    // Ed25519 is deterministic: the same key gives the same signature.
    assert_eq!(sign_request(&parts, claims.device, claims.key, signing, claims.idempotency), headers);
    json!({
        "method": method,
        "authority": authority,
        "path": path,
        "query": query,
        "body": hex(&body),
        "device": claims.device,
        "key": key_name,
        "idempotency_key": claims.idempotency,
    })
}
