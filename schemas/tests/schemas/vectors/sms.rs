//! Vectors of alarms by text message: what the phone leaves beforehand, the text, and what a bridge makes of it.

use baken_schemas::alarm::{
    AlarmKind, Fix, FixAbsent, SmsAlarm, SmsBody, SmsContext, SmsContextHeader, SmsKeys, SmsNumber, SmsText,
};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::{DeviceId, SmsContextId};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{Set, hex, id, key, unhex};
use crate::world::{World, alarm_body};

/// A context of the mayor's phone.
pub fn context(world: &mut World) -> (Signed<SmsContext>, SmsKeys) {
    let header = SmsContextHeader {
        context: SmsContextId::make(&mut world.rng),
        device: world.mayor_phone.device,
        ladder: world.ladder,
        ladder_version: 2,
    };
    SmsContext::make(header, world.directory.value(), &world.mayor_phone.alarm, &mut world.rng).expect("its ladder")
}

fn describe_context(header: &SmsContextHeader, keys: &SmsKeys, mut responders: Vec<DeviceId>) -> Value {
    responders.sort_unstable();
    json!({
        "context": header.context,
        "device": header.device,
        "ladder": header.ladder,
        "ladder_version": header.ladder_version,
        "responders": responders,
        "key": hex(keys.key.as_bytes()),
        "tag_key": hex(keys.tag_key.as_bytes()),
    })
}

pub fn make_context(world: &mut World) -> Vec<Value> {
    let (context, keys) = context(world);
    let responders = world.directory.value().ladders[0].responders();
    let inputs = describe_context(&context.value().header, &keys, responders);
    vec![json!({ "inputs": inputs, "bytes": hex(context.bytes()) })]
}

pub fn open_context(set: &Set, vector: &Value) -> Value {
    let context = Unverified::<SmsContext>::parse(&unhex(&vector["bytes"])).expect("a context");
    let signed_by = set.device(context.claims().header.device).alarm.verify_key();
    let context = context.verify(&signed_by).expect("signed by the phone's alarm key").into_value();
    let directory = set.directory();
    let ladder = directory.value().ladder(context.header.ladder, context.header.ladder_version).expect("its ladder");
    let mut opened = ladder.responders().into_iter().map(|responder| {
        context.open(responder, &set.device(responder).kem).expect("sealed to it").expect("has a slot for it")
    });
    let keys = opened.next().expect("a ladder has a responder");
    assert!(opened.all(|other| other == keys), "all responders read the same");
    describe_context(&context.header, &keys, ladder.responders())
}

fn describe_text(text: &SmsText, keys: &SmsKeys, body: &SmsBody) -> Value {
    json!({
        "context": keys.context,
        "key": hex(keys.key.as_bytes()),
        "tag_key": hex(keys.tag_key.as_bytes()),
        "counter": text.number.counter,
        "salt": hex(&text.number.salt),
        "body": {
            "kind": body.kind,
            "fix": body.fix,
            "battery_percent": body.battery_percent,
            "made_at": body.made_at,
            "card_key": hex(body.card_key.as_bytes()),
        },
        "alarm": keys.alarm(text.number),
        "content_key": hex(keys.content(text.number).as_bytes()),
        "hash": text.hash(),
    })
}

pub fn make_text(world: &mut World) -> Vec<Value> {
    let keys = SmsKeys {
        context: SmsContextId::make(&mut world.rng),
        key: SymmetricKey::make(&mut world.rng),
        tag_key: SymmetricKey::make(&mut world.rng),
    };
    let nowhere = Fix::Absent(FixAbsent::SwitchedOff);
    [(1, AlarmKind::Panic, alarm_body(AlarmKind::Panic).fix, Some(64)), (70_000, AlarmKind::Duress, nowhere, None)]
        .map(|(counter, kind, fix, battery_percent)| {
            let made_at = Timestamp(1_795_465_407_000);
            let card_key = SymmetricKey::make(&mut world.rng);
            let body = SmsBody { kind, fix, battery_percent, made_at, card_key };
            let text = SmsText::seal(&keys, SmsNumber::make(counter, &mut world.rng), &body);
            let inputs = describe_text(&text, &keys, &body);
            json!({ "inputs": inputs, "bytes": hex(&text.to_bytes()), "text": text.to_text() })
        })
        .to_vec()
}

pub fn open_text(_: &Set, vector: &Value) -> Value {
    let inputs = &vector["inputs"];
    let keys = SmsKeys { context: id(&inputs["context"]), key: key(&inputs["key"]), tag_key: key(&inputs["tag_key"]) };
    let text = SmsText::from_text(vector["text"].as_str().expect("a text")).expect("of this format");
    assert_eq!(hex(&text.to_bytes()), vector["bytes"]);
    let (body, content) = text.open(&keys).expect("sealed under its number's key");
    assert_eq!(content, keys.content(text.number));
    describe_text(&text, &keys, &body)
}

fn describe_alarm(alarm: &SmsAlarm) -> Value {
    json!({ "bridge": alarm.bridge, "text": hex(&alarm.text), "taken_at": alarm.taken_at })
}

pub fn make_alarm(world: &mut World) -> Vec<Value> {
    let (_, keys) = context(world);
    let body = SmsBody {
        kind: AlarmKind::Test,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: Some(100),
        made_at: Timestamp(0),
        card_key: SymmetricKey::make(&mut world.rng),
    };
    let bridge = &world.mayor_tablet;
    let text = SmsText::seal(&keys, SmsNumber { counter: 3, salt: [8; 4] }, &body).to_bytes().into();
    let alarm = SmsAlarm { bridge: bridge.device, text, taken_at: Timestamp(1_795_465_409_000) };
    let alarm = Signed::make(alarm, &bridge.alarm);
    vec![json!({ "inputs": describe_alarm(alarm.value()), "bytes": hex(alarm.bytes()) })]
}

pub fn open_alarm(set: &Set, vector: &Value) -> Value {
    let alarm = Unverified::<SmsAlarm>::parse(&unhex(&vector["bytes"])).expect("a text by a bridge");
    let key = set.device(alarm.claims().bridge).alarm.verify_key();
    describe_alarm(alarm.verify(&key).expect("signed by the bridge").value())
}
