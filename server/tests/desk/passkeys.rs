//! Passkeys at the console, with an authenticator of our own that does what a security key does, and what a thief's would.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use baken_schemas::id::AlarmId;
use baken_server::desk::officers::LINK_LIFETIME_MS;
use baken_server::desk::passkeys::{KeyRing, LOCK_AFTER_MS, PROOF_MS};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, StatusCode, header};
use minicbor::Encoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::desk::console::{Browser, Page};
use crate::desk::world::{CONSOLE, MAYOR, World, open_as};

const NAME: &str = "desk.example";

/// A key that a finger is laid on.
struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: Vec<u8>,
    counter: u32,
    /// What it says of the page that asks.
    origin: &'static str,
    /// It saw a finger or a PIN that it knows.
    verified: bool,
}

impl Authenticator {
    fn new(id: u8) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).unwrap();
        Self { key, id: vec![id; 32], user: Vec::new(), counter: 0, origin: CONSOLE, verified: true }
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    /// WebAuthn, "Authenticator Data": who is asked for, what was seen, how often it signed.
    fn data(&mut self, attested: &[u8]) -> Vec<u8> {
        self.counter += 1;
        let flags = 0x01 | if self.verified { 0x04 } else { 0 } | if attested.is_empty() { 0 } else { 0x40 };
        let mut data = Sha256::digest(NAME).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data.extend(attested);
        data
    }

    fn make(&mut self, ask: &Value) -> Value {
        let options = &ask["publicKey"];
        self.user = BASE64URL_NOPAD.decode(options["user"]["id"].as_str().unwrap().as_bytes()).unwrap();
        // An uncompressed point: 4, then both coordinates.
        let point = self.key.public_key().as_ref().to_vec();
        let mut cose = Encoder::new(Vec::new());
        cose.map(5)
            .unwrap()
            .i8(1)
            .unwrap()
            .i8(2)
            .unwrap()
            .i8(3)
            .unwrap()
            .i8(-7)
            .unwrap()
            .i8(-1)
            .unwrap()
            .i8(1)
            .unwrap();
        cose.i8(-2).unwrap().bytes(&point[1..33]).unwrap().i8(-3).unwrap().bytes(&point[33..65]).unwrap();
        let mut attested = vec![0; 16];
        attested.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        attested.extend(&self.id);
        attested.extend(cose.into_writer());
        let data = self.data(&attested);
        let mut object = Encoder::new(Vec::new());
        object.map(3).unwrap().str("fmt").unwrap().str("none").unwrap().str("attStmt").unwrap().map(0).unwrap();
        object.str("authData").unwrap().bytes(&data).unwrap();
        let client = self.client_data("webauthn.create", &options["challenge"]);
        json!({
            "id": BASE64URL_NOPAD.encode(&self.id), "rawId": BASE64URL_NOPAD.encode(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "attestationObject": BASE64URL_NOPAD.encode(&object.into_writer()),
                "clientDataJSON": BASE64URL_NOPAD.encode(&client),
                "transports": ["usb"],
            },
        })
    }

    fn sign(&mut self, ask: &Value) -> Value {
        let client = self.client_data("webauthn.get", &ask["publicKey"]["challenge"]);
        let data = self.data(&[]);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": BASE64URL_NOPAD.encode(&self.id), "rawId": BASE64URL_NOPAD.encode(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": BASE64URL_NOPAD.encode(&data),
                "clientDataJSON": BASE64URL_NOPAD.encode(&client),
                "signature": BASE64URL_NOPAD.encode(signature.as_ref()),
                "userHandle": BASE64URL_NOPAD.encode(&self.user),
            },
        })
    }
}

async fn ask(browser: &Browser, path: &str, body: Value) -> (Page, Value) {
    let page = browser.ask("POST", path, "application/json", body.to_string()).await;
    let answer = serde_json::from_str(&page.text).unwrap_or_default();
    (page, answer)
}

async fn add(browser: &Browser, key: &mut Authenticator) -> StatusCode {
    let (begun, asked) = ask(browser, "/api/keys/begin", json!({})).await;
    if begun.status != StatusCode::OK {
        return begun.status;
    }
    let made = key.make(&asked);
    ask(browser, "/api/keys/finish", json!({ "name": "sleutel", "credential": made })).await.0.status
}

/// A log-in; what was sent, to be sent again.
async fn come_in(browser: &mut Browser, key: &mut Authenticator) -> (StatusCode, Value) {
    let (_, asked) = ask(browser, "/api/login/begin", json!({})).await;
    let body = json!({ "ceremony": asked["ceremony"], "credential": key.sign(&asked) });
    let (page, _) = ask(browser, "/api/login/finish", body.clone()).await;
    browser.keep_session(&page);
    (page.status, body)
}

fn location(headers: &HeaderMap) -> &str {
    headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
}

/// A console with passkeys, one ringing alarm and an officer's link.
async fn console() -> (World, Browser, AlarmId, String) {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let (_, token) = world.officer("Agent Jansen");
    let desk = open_as(world.dir.path(), &world.keys, &world.org, &world.clock, (CONSOLE, true));
    (world, Browser::new(desk), alarm.value().header.alarm, token.reveal().to_owned())
}

/// The same, with two passkeys added.
async fn enrolled() -> (World, Browser, AlarmId, [Authenticator; 2]) {
    let (world, mut browser, alarm, token) = console().await;
    browser.log_in(&token).await;
    let mut keys = [Authenticator::new(1), Authenticator::new(2)];
    for key in &mut keys {
        assert_eq!(add(&browser, key).await, StatusCode::OK);
    }
    (world, browser, alarm, keys)
}

#[tokio::test]
async fn a_link_lets_an_officer_add_two_passkeys_and_nothing_else() {
    let (world, mut browser, alarm, token) = console().await;
    assert_eq!(browser.log_in(&token).await, StatusCode::SEE_OTHER);
    let mut keys = [Authenticator::new(1), Authenticator::new(2)];
    for (at, key) in keys.iter_mut().enumerate() {
        for path in ["/", "/people", &format!("/alarms/{alarm}")] {
            let page = browser.get(path).await;
            assert_eq!((page.status, location(&page.headers)), (StatusCode::SEE_OTHER, "/keys"), "{at} {path}");
        }
        assert_eq!(browser.get("/api/alarms").await.status, StatusCode::UNAUTHORIZED);
        browser.post(&format!("/alarms/{alarm}/acknowledge"), "").await;
        assert!(world.desk.alarm(alarm).unwrap().unwrap().summary.ringing);
        assert!(!browser.get("/keys").await.text.contains(MAYOR));
        assert_eq!(add(&browser, key).await, StatusCode::OK);
    }
    assert!(browser.get("/").await.text.contains(MAYOR));
    assert_eq!(browser.post(&format!("/alarms/{alarm}/acknowledge"), "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn either_passkey_opens_the_console_and_an_answer_is_taken_once() {
    let (_world, browser, _, mut keys) = enrolled().await;
    for key in &mut keys {
        let mut other = browser.beside();
        assert_eq!(other.get("/").await.status, StatusCode::UNAUTHORIZED);
        let (status, sent) = come_in(&mut other, key).await;
        assert_eq!((status, other.get("/").await.status), (StatusCode::OK, StatusCode::OK));
        // Who listened in cannot come in with it.
        let (again, told) = ask(&browser.beside(), "/api/login/finish", sent).await;
        assert_eq!((again.status, &told["code"]), (StatusCode::FORBIDDEN, &json!("too_late")));
    }
}

#[tokio::test]
async fn what_is_not_the_officers_own_passkey_opens_nothing() {
    let (world, browser, _, [mut first, mut second]) = enrolled().await;
    let mut visitor = browser.beside();
    let refused = |status: StatusCode| assert_eq!(status, StatusCode::FORBIDDEN);
    // A key that looks like the first and signs with another.
    let mut forged = Authenticator { user: first.user.clone(), counter: 99, ..Authenticator::new(1) };
    refused(come_in(&mut visitor, &mut forged).await.0);
    // One that nobody added.
    let mut foreign = Authenticator { user: first.user.clone(), ..Authenticator::new(9) };
    refused(come_in(&mut visitor, &mut foreign).await.0);
    // A page of somebody else that passed the question on.
    first.origin = "https://desk.example.evil.example";
    refused(come_in(&mut visitor, &mut first).await.0);
    first.origin = CONSOLE;
    // Somebody who picked the key up and has neither finger nor PIN.
    first.verified = false;
    refused(come_in(&mut visitor, &mut first).await.0);
    first.verified = true;
    // A copy of the key, behind in how often it signed.
    assert_eq!(come_in(&mut visitor, &mut first).await.0, StatusCode::OK);
    first.counter -= 1;
    let mut thief = browser.beside();
    refused(come_in(&mut thief, &mut first).await.0);
    assert_eq!(thief.get("/").await.status, StatusCode::UNAUTHORIZED);
    // An officer who was removed.
    world.desk.officers().remove("Agent Jansen").unwrap();
    refused(come_in(&mut browser.beside(), &mut second).await.0);
}

#[tokio::test]
async fn a_console_that_nobody_touches_locks_itself_and_goes_on_ringing() {
    let (world, mut browser, alarm, mut keys) = enrolled().await;
    // The page looks by itself; that is no touch.
    world.clock.advance(LOCK_AFTER_MS - 60_000);
    assert_eq!(browser.look_untouched("/").await.status, StatusCode::OK);
    world.clock.advance(61_000);
    let locked = browser.look_untouched("/").await;
    assert_eq!(locked.status, StatusCode::UNAUTHORIZED);
    assert!(
        !locked.text.contains(MAYOR) && locked.text.contains(&format!("data-ringing=\"{alarm}\"")),
        "{}",
        locked.text
    );
    assert_eq!(browser.get("/").await.status, StatusCode::UNAUTHORIZED);
    browser.post(&format!("/alarms/{alarm}/acknowledge"), "").await;
    assert!(world.desk.alarm(alarm).unwrap().unwrap().summary.ringing);
    assert_eq!(add(&browser, &mut Authenticator::new(3)).await, StatusCode::FORBIDDEN);
    // A touch of the key, and it is as it was; a person at work keeps it open.
    assert_eq!(come_in(&mut browser, &mut keys[0]).await.0, StatusCode::OK);
    for _ in 0..5 {
        world.clock.advance(LOCK_AFTER_MS - 60_000);
        assert_eq!(browser.get("/").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_enrolment_ends_with_its_link_and_a_new_link_opens_no_console_by_itself() {
    let (mut world, mut browser, _, token) = console().await;
    browser.log_in(&token).await;
    world.clock.advance(LINK_LIFETIME_MS + 1000);
    assert_eq!(add(&browser, &mut Authenticator::new(1)).await, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/keys").await.status, StatusCode::UNAUTHORIZED);
    let again = world.desk.officers().link("Agent Jansen", world.desk.now(), &mut world.rng).unwrap();
    browser.log_in(again.reveal()).await;
    for id in [1, 2] {
        assert_eq!(add(&browser, &mut Authenticator::new(id)).await, StatusCode::OK);
    }
    // Somebody who found a link of an officer with passkeys gets no further than a third.
    let found = world.desk.officers().link("Agent Jansen", world.desk.now(), &mut world.rng).unwrap();
    let mut thief = browser.beside();
    thief.log_in(found.reveal()).await;
    assert_eq!(location(&thief.get("/").await.headers), "/keys");
    // Nor does it take one away, even where three are.
    assert_eq!(add(&browser, &mut Authenticator::new(3)).await, StatusCode::OK);
    let removed = thief.post("/keys/0101010101010101/remove", "").await;
    assert_eq!(removed.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", removed.text);
}

#[tokio::test]
async fn two_passkeys_always_stay() {
    let (_world, browser, _, _) = enrolled().await;
    let ids = |page: &Page| -> Vec<String> {
        let forms = page.text.split("action=\"/keys/").skip(1);
        forms.map(|form| form.split('/').next().unwrap().to_owned()).collect()
    };
    assert!(ids(&browser.get("/keys").await).is_empty());
    assert_eq!(browser.post("/keys/0101010101010101/remove", "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(add(&browser, &mut Authenticator::new(3)).await, StatusCode::OK);
    assert_eq!(ids(&browser.get("/keys").await).len(), 3);
    assert_eq!(browser.post("/keys/0101010101010101/remove", "").await.status, StatusCode::SEE_OTHER);
    assert!(ids(&browser.get("/keys").await).is_empty());
}

#[tokio::test]
async fn passkeys_are_changed_only_right_after_one_was_used() {
    let (world, mut browser, _, mut keys) = enrolled().await;
    assert_eq!(add(&browser, &mut Authenticator::new(3)).await, StatusCode::OK);
    world.clock.advance(PROOF_MS + 1000);
    // The console is open, its officer for a moment elsewhere.
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let page = browser.get("/keys").await;
    assert!(!page.text.contains("passkey-add") && !page.text.contains("/remove"), "{}", page.text);
    let (begun, told) = ask(&browser, "/api/keys/begin", json!({})).await;
    assert_eq!((begun.status, &told["code"]), (StatusCode::FORBIDDEN, &json!("prove_again")));
    let remove = "/keys/0303030303030303/remove";
    assert_eq!(browser.post(remove, "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(come_in(&mut browser, &mut keys[0]).await.0, StatusCode::OK);
    assert!(browser.get("/keys").await.text.contains("passkey-add"));
    assert_eq!(browser.post(remove, "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn once_passkeys_are_forgotten_nobody_stays_in_by_them_or_by_an_older_link() {
    let (mut world, mut by_link, _, mut stolen) = enrolled().await;
    let mut by_key = by_link.beside();
    assert_eq!(come_in(&mut by_key, &mut stolen[0]).await.0, StatusCode::OK);
    let unused = world.desk.officers().link("Agent Jansen", world.desk.now(), &mut world.rng).unwrap();
    world.clock.advance(1000);
    let officer = world.desk.officers().named("Agent Jansen").unwrap();
    let file = world.dir.path().join(format!("officers/keys/{}.json", officer.id));
    let kept = std::fs::read(&file).unwrap();
    world.desk.officers().forget_links(officer.id).unwrap();
    KeyRing::open(world.dir.path()).unwrap().forget(officer.id, world.desk.now()).unwrap();
    world.clock.advance(1000);
    // As a log-in does that was under way.
    std::fs::write(&file, kept).unwrap();
    assert_eq!(come_in(&mut by_link.beside(), &mut stolen[1]).await.0, StatusCode::FORBIDDEN);
    for browser in [&by_link, &by_key] {
        assert_eq!(add(browser, &mut Authenticator::new(9)).await, StatusCode::FORBIDDEN);
        assert_eq!(browser.get("/keys").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(by_link.beside().log_in(unused.reveal()).await, StatusCode::FORBIDDEN);
    // The officer comes back with new ones; that opens nothing for the others.
    let again = world.desk.officers().link("Agent Jansen", world.desk.now(), &mut world.rng).unwrap();
    let mut officer = by_link.beside();
    officer.log_in(again.reveal()).await;
    for id in [5, 6] {
        assert_eq!(add(&officer, &mut Authenticator::new(id)).await, StatusCode::OK);
    }
    assert_eq!(officer.get("/").await.status, StatusCode::OK);
    for browser in [&mut by_link, &mut by_key] {
        assert_eq!(browser.get("/").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_flood_of_log_ins_is_held_back() {
    let (_world, browser, _, mut keys) = enrolled().await;
    let mut officer = browser.beside();
    let (_, asked) = ask(&officer, "/api/login/begin", json!({})).await;
    let mut last = StatusCode::OK;
    for _ in 0..100 {
        last = ask(&browser.beside(), "/api/login/begin", json!({})).await.0.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    // From elsewhere log-ins are begun as before, and whoever had begun one comes in all the same.
    let mut elsewhere = browser.beside();
    elsewhere.address = ([192, 0, 2, 1], 4000).into();
    assert_eq!(come_in(&mut elsewhere, &mut keys[1]).await.0, StatusCode::OK);
    let body = json!({ "ceremony": asked["ceremony"], "credential": keys[0].sign(&asked) });
    let (page, _) = ask(&officer, "/api/login/finish", body).await;
    officer.keep_session(&page);
    assert_eq!((page.status, officer.get("/").await.status), (StatusCode::OK, StatusCode::OK));
}

#[tokio::test]
async fn a_console_at_an_address_keeps_to_links() {
    let mut world = World::new().await;
    let (_, token) = world.officer("Agent Jansen");
    let desk = open_as(world.dir.path(), &world.keys, &world.org, &world.clock, ("https://192.0.2.1:8444", true));
    assert!(!desk.has_passkeys());
    let mut browser = Browser::new(desk);
    browser.origin = Some("https://192.0.2.1:8444");
    browser.log_in(token.reveal()).await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    assert_eq!(browser.get("/keys").await.status, StatusCode::NOT_FOUND);
}
