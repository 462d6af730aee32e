//! A phone without data: its text by way of an SMS gateway (a Python program that calls as Twilio and as CM.com do), the
//! bridge, the relay and the desk; and the same alarm by data, before or after.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, Fix, Position, Provenance, Receipt, ReceiptState, SmsBody,
    SmsContext, SmsContextHeader, SmsKeys, SmsNumber, SmsText, check_receipt,
};
use baken_schemas::api;
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::{AlarmId, IdempotencyKey, SmsContextId};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, SystemClock, Timestamp};
use baken_server::bridge::read_gateways;
use baken_server::bridge::run::{self, Doors, SmsDoor};
use baken_server::desk::officers::Officers;
use baken_server::desk::{Act, AlarmDetail, Ending, SignatureView};
use tokio::task::JoinHandle;

use super::Joiner;
use crate::desk::town::{ANY, PATIENCE, Town, TownPhone, listen, until};
use crate::peer::Peer;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const DAM: Position = Position { latitude_e7: 523_717_500, longitude_e7: 48_903_500, accuracy_m: 12, age_s: 4 };

/// A town with a bridge that gateways call, and a phone that has left a context.
struct Story {
    town: Town,
    joiner: Joiner,
    gateway: String,
    serving: JoinHandle<()>,
    phone: TownPhone,
    keys: SmsKeys,
    card_key: SymmetricKey,
}

impl Story {
    async fn new() -> Self {
        let mut town = Town::new(&["Oost"], "").await;
        let joiner = Joiner::new(&mut town).await;
        let phone = town.phone("Ans Testma").await;
        let directory = town.directory();
        let header = SmsContextHeader {
            context: SmsContextId::make(&mut town.rng),
            device: phone.keys.device,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        let (context, keys) = SmsContext::make(header, &directory, &phone.keys.alarm, &mut town.rng).unwrap();
        let once = IdempotencyKey::make(&mut town.rng);
        phone.alarm.post(api::SMS_CONTEXTS, context.bytes(), once).await.unwrap();
        let card_key = SymmetricKey::make(&mut town.rng);
        let (gateway, serving) = serve(&joiner).await;
        Self { town, joiner, gateway, serving, phone, keys, card_key }
    }

    fn text(&self, counter: u32) -> SmsText {
        let body = SmsBody {
            kind: AlarmKind::Panic,
            fix: Fix::At(DAM),
            battery_percent: Some(41),
            made_at: Timestamp(1_795_000_000_000),
            card_key: self.card_key.clone(),
        };
        SmsText::seal(&self.keys, numbered(counter), &body)
    }

    /// The same alarm by data.
    async fn press(&mut self, counter: u32) -> Signed<Alarm> {
        let directory = self.town.directory();
        let header = AlarmHeader {
            alarm: self.keys.alarm(numbered(counter)),
            device: self.phone.keys.device,
            class: AlarmClass::Alarm,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        let body = AlarmBody {
            kind: AlarmKind::Panic,
            fix: Fix::At(DAM),
            battery_percent: Some(41),
            text: "bij het stadhuis".to_owned(),
            made_at: Timestamp(1_795_000_000_000),
            card_key: Some(self.card_key.as_bytes().to_vec().into()),
            family: None,
            provenance: Provenance::Phone,
        };
        let alarm = &self.phone.keys.alarm;
        let (alarm, _) = Alarm::seal(header, &body, &directory, alarm, &mut self.town.rng).unwrap();
        let once = IdempotencyKey::make(&mut self.town.rng);
        let stored = self.phone.alarm.post(api::ALARMS, alarm.bytes(), once).await.unwrap();
        assert_eq!(check_receipt(&stored, &directory).unwrap().value().alarm_hash, alarm.hash());
        alarm
    }

    async fn shown(&self, alarm: AlarmId, what: &str, is: impl Fn(&AlarmDetail) -> bool) -> AlarmDetail {
        let desk = &self.town.sites[0].desk;
        until(what, || desk.alarm(alarm).unwrap().filter(|shown| is(shown))).await
    }

    fn open_alarms(&self) -> usize {
        self.town.sites[0].desk.alarms(true).unwrap().open
    }

    async fn receipts(&self, alarm: AlarmId) -> Vec<Receipt> {
        let documents = self.phone.alarm.receipts(alarm).await.unwrap().documents;
        let directory = self.town.directory();
        documents.iter().map(|document| check_receipt(document, &directory).unwrap().into_value()).collect()
    }
}

fn numbered(counter: u32) -> SmsNumber {
    SmsNumber { counter, salt: [1, 2, 3, 4] }
}

async fn serve(joiner: &Joiner) -> (String, JoinHandle<()>) {
    let toml = format!(
        "[sms]\nlisten = \"127.0.0.1:0\"\n[sms.twilio]\nurl = \"https://bridge.example.nl/sms/twilio\"\n\
         auth_token = \"{TOKEN}\"\n[sms.cm]\nsecret = \"{TOKEN}\"\n"
    );
    std::fs::write(joiner.dir.path().join("bridge.toml"), toml).unwrap();
    let gateways = read_gateways(joiner.dir.path()).unwrap().unwrap();
    let (listener, address) = listen(ANY).await;
    let bridge = std::sync::Arc::new(joiner.open());
    let doors = Doors { sms: Some(SmsDoor { listener, gateways, tls: None }), ..Doors::default() };
    let serving = tokio::spawn(async move {
        run::serve(bridge, doors, Box::new(|_| {}), std::future::pending()).await.unwrap();
    });
    (format!("http://{address}"), serving)
}

/// What the gateway is answered.
async fn call(gateway: &str, shape: &str, text: &str, more: &[&str]) -> u64 {
    let to = format!("{gateway}/sms/{shape}");
    let mut arguments = vec!["--shape", shape, "--to", &to, "--text", text];
    if shape == "twilio" {
        arguments.extend(["--signed-url", "https://bridge.example.nl/sms/twilio"]);
    }
    if !more.contains(&"--secret") {
        arguments.extend(["--secret", TOKEN]);
    }
    arguments.extend(more);
    Peer::start("sms_callback.py", &arguments, &[]).next().await["status"].as_u64().unwrap()
}

#[tokio::test]
async fn a_text_rings_with_its_position_and_the_alarm_by_data_is_the_same_one() {
    let mut story = Story::new().await;
    let (alarm, text) = (story.keys.alarm(numbered(1)), story.text(1));
    assert_eq!(call(&story.gateway, "twilio", &text.to_text(), &[]).await, 200);
    let shown = story.shown(alarm, "the text at the desk", |_| true).await.summary;
    assert_eq!((shown.kind, shown.signature), (Some(AlarmKind::Panic), SignatureView::Proven));
    assert_eq!(shown.provenance, Some(Provenance::Sms { bridge: "Balie stadhuis".to_owned() }));
    assert_eq!(shown.person.as_ref().map(|person| person.name.as_str()), Some("Ans Testma"));
    let place = shown.position.expect("where the phone was").place;
    assert_eq!((place.accuracy_m, place.age_s), (12, 4));
    assert_eq!((shown.battery_percent, shown.by_text, shown.ringing), (Some(41), true, true));

    // An officer takes it; then the phone has data again.
    let site = &story.town.sites[0];
    let officers = Officers::open(site.dir.path()).unwrap();
    let (officer, _) = officers.add("De Vries", SystemClock.now(), &mut story.town.rng).unwrap();
    let desk = std::sync::Arc::clone(&story.town.sites[0].desk);
    desk.act(alarm, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    let by_data = story.press(1).await;
    let shown = story.shown(alarm, "the same by data", |shown| shown.summary.text == "bij het stadhuis").await;
    assert_eq!(shown.summary.provenance, Some(Provenance::Phone));
    assert!(shown.summary.by_text && !shown.summary.ringing, "it does not ring again");
    assert_eq!(shown.summary.held_by.as_ref().and_then(|holder| holder.officer.as_deref()), Some("De Vries"));
    assert_eq!(story.open_alarms(), 1);
    desk.act(alarm, &officer, &Act::Close { outcome: "veilig".to_owned(), ending: Ending::Unsaid }).await.unwrap();

    // The phone has receipts for both forms, each chain of its own.
    let closed = async {
        loop {
            let receipts = story.receipts(alarm).await;
            if receipts.iter().any(|receipt| receipt.state == ReceiptState::Closed) {
                return receipts;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let receipts = tokio::time::timeout(PATIENCE, closed).await.expect("the receipts come in time");
    let of = |hash| receipts.iter().filter(move |receipt| receipt.alarm_hash == hash).map(|receipt| receipt.state);
    let by_text: Vec<_> = of(text.hash()).collect();
    assert_eq!(by_text, [ReceiptState::Stored, ReceiptState::Received, ReceiptState::Seen]);
    let by_data: Vec<_> = of(by_data.hash()).collect();
    assert_eq!(by_data, [ReceiptState::Stored, ReceiptState::Received, ReceiptState::Closed]);
    assert_eq!(story.open_alarms(), 0);
}

#[tokio::test]
async fn a_text_after_the_alarm_by_data_changes_nothing_but_that_it_came_too() {
    let mut story = Story::new().await;
    let alarm = story.keys.alarm(numbered(1));
    story.press(1).await;
    story.shown(alarm, "the alarm by data", |_| true).await;
    let text = story.text(1).to_text();
    for (shape, more) in [("cm", &[][..]), ("cm", &["--in-path"]), ("twilio", &[])] {
        assert_eq!(call(&story.gateway, shape, &text, more).await, 200);
    }
    let shown = story.shown(alarm, "that it came by text too", |shown| shown.summary.by_text).await.summary;
    assert_eq!((shown.provenance, shown.text.as_str()), (Some(Provenance::Phone), "bij het stadhuis"));
    // Another number is another alarm.
    assert_eq!(call(&story.gateway, "cm", &story.text(2).to_text(), &[]).await, 200);
    story.shown(story.keys.alarm(numbered(2)), "the second", |_| true).await;
    assert_eq!(story.open_alarms(), 2);
}

#[tokio::test]
async fn who_is_no_gateway_or_no_phone_rings_nothing() {
    let story = Story::new().await;
    let text = story.text(1).to_text();
    let wrong = ["--secret", "ffffffffffffffffffffffffffffffff"];
    assert_eq!(call(&story.gateway, "twilio", &text, &wrong).await, 403);
    assert_eq!(call(&story.gateway, "twilio", &text, &["--altered"]).await, 403);
    assert_eq!(call(&story.gateway, "twilio", &text, &["--signed-url", "https://else.example/sms/twilio"]).await, 403);
    assert_eq!(call(&story.gateway, "cm", &text, &wrong).await, 403);
    assert_eq!(call(&story.gateway, "cm", &text, &["--in-path", wrong[0], wrong[1]]).await, 403);
    // Some other text, one of a context that nobody left, and an altered one: taken off the gateway's hands, rung nowhere.
    let mut altered = story.text(1).to_bytes();
    altered[40] ^= 1;
    let altered = SmsText::from_bytes(&altered).unwrap().to_text();
    let unknown = SmsKeys { context: SmsContextId([7; 16]), ..story.keys.clone() };
    let body = SmsBody {
        kind: AlarmKind::Panic,
        fix: Fix::At(DAM),
        battery_percent: None,
        made_at: Timestamp(0),
        card_key: story.card_key.clone(),
    };
    let unknown = SmsText::seal(&unknown, numbered(1), &body).to_text();
    for other in ["Bel me even terug", &altered, &unknown] {
        assert_eq!(call(&story.gateway, "twilio", other, &[]).await, 200);
    }
    // A sign that the way is open: the true one goes through, and is the only one.
    assert_eq!(call(&story.gateway, "twilio", &text, &[]).await, 200);
    story.shown(story.keys.alarm(numbered(1)), "the true text", |_| true).await;
    assert_eq!(story.open_alarms(), 1);
}

#[tokio::test]
async fn i1_a_text_that_was_answered_outlives_the_bridge_and_waits_for_the_relay() {
    let mut story = Story::new().await;
    story.town.stop_relay().await;
    assert_eq!(call(&story.gateway, "cm", &story.text(1).to_text(), &[]).await, 200);
    story.serving.abort();
    assert!((&mut story.serving).await.unwrap_err().is_cancelled());
    let (gateway, serving) = serve(&story.joiner).await;
    (story.gateway, story.serving) = (gateway, serving);
    story.town.start_relay().await;
    let shown = story.shown(story.keys.alarm(numbered(1)), "the text that waited", |_| true).await;
    assert_eq!(shown.summary.signature, SignatureView::Proven);
    // Played back, it is the alarm that it was.
    assert_eq!(call(&story.gateway, "cm", &story.text(1).to_text(), &[]).await, 200);
    assert_eq!(call(&story.gateway, "cm", &story.text(2).to_text(), &[]).await, 200);
    story.shown(story.keys.alarm(numbered(2)), "the second", |_| true).await;
    assert_eq!(story.open_alarms(), 2);
}
