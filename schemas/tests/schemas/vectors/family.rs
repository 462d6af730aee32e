//! Vectors of family responders: what a device says of itself, the sender's word for those that an alarm was sealed to,
//! an alarm with that word in it, and escalations.

use baken_schemas::alarm::{
    Alarm, AlarmFamily, AlarmKind, ContentKey, Escalation, FamilyKey, FamilyResponder, ReceiptDetail,
};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::AlarmId;
use baken_schemas::org::{CallsFamily, Rung};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::alarm::{describe_alarm, open_at};
use super::{Set, hex, unhex};
use crate::world::{World, alarm_body};

fn describe_responder(responder: &FamilyResponder) -> Value {
    json!({
        "document": "responder",
        "device": responder.device,
        "alarm": hex(&responder.alarm.0),
        "kem": hex(&responder.kem.0),
    })
}

fn describe_word(word: &AlarmFamily, sender: &Value) -> Value {
    let key = |key: &FamilyKey| json!({ "device": key.device, "alarm": hex(&key.alarm.0) });
    let responders: Vec<Value> = word.responders.iter().map(key).collect();
    json!({ "document": "word", "alarm": word.alarm, "sender": sender, "responders": responders })
}

fn describe_escalation(escalation: &Escalation, detail: Option<&ReceiptDetail>, content: &Value) -> Value {
    json!({
        "document": "escalation",
        "alarm": escalation.alarm,
        "alarm_hash": hex(&escalation.alarm_hash.0),
        "at": escalation.at,
        "by": escalation.by,
        "detail": detail,
        "content_key": content,
    })
}

pub fn make_family(world: &mut World) -> Vec<Value> {
    let (phone, partner) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    let vector = |inputs: Value, bytes: &[u8]| json!({ "inputs": inputs, "bytes": hex(bytes) });
    let responder =
        FamilyResponder { device: partner.device, alarm: partner.alarm.verify_key(), kem: partner.kem.public() };
    let said = Signed::make(responder.clone(), &partner.sig);
    let key = FamilyKey { device: partner.device, alarm: partner.alarm.verify_key() };
    let word = AlarmFamily { alarm: AlarmId::make(&mut world.rng), responders: vec![key] };
    let word = Signed::make(word, &phone.alarm);
    let content = ContentKey::from_slice(SymmetricKey::make(&mut world.rng).as_bytes()).expect("32 bytes");
    let detail = ReceiptDetail { officer: "Jan".into(), text: "neemt niet op".into() };
    let escalations = [Some(&detail), None].map(|detail| {
        let (alarm, alarm_hash) = (word.value().alarm, Hash([9; 32]));
        let at = Timestamp(1_795_465_420_000);
        let escalation = Escalation { alarm, alarm_hash, at, by: partner.device, detail: Vec::new() };
        let sealed = detail.map(|detail| (detail, &content));
        let escalation = Escalation::make(escalation, sealed, &partner.alarm, &mut world.rng).expect("it fits");
        let described = describe_escalation(escalation.value(), detail, &json!(hex(content.as_bytes())));
        vector(described, escalation.bytes())
    });
    let mut directory = world.directory.value().clone();
    directory.ladders[0].rungs.insert(0, Rung { responders: Vec::new(), wait_s: 60, family: CallsFamily::Yes });
    let header = world.alarm_header();
    let body = alarm_body(AlarmKind::Missed);
    let content = ContentKey::make(&mut world.rng);
    let to = (&directory, &[responder][..]);
    let alarm = Alarm::seal_under(&content, header, &body, to, &phone.alarm, &mut world.rng).expect("it fits");
    let body = alarm.value().open_with(&content).expect("it was just sealed");
    let mut responders = directory.ladders[0].responders();
    responders.push(partner.device);
    let mut described = describe_alarm(alarm.value(), &body, &content, responders);
    described["document"] = json!("alarm");
    let mut vectors = vec![vector(describe_responder(said.value()), said.bytes())];
    vectors.push(vector(describe_word(word.value(), &json!(phone.device)), word.bytes()));
    vectors.extend(escalations);
    vectors.push(vector(described, alarm.bytes()));
    vectors
}

pub fn open_family(set: &Set, vector: &Value) -> Value {
    let (bytes, inputs) = (unhex(&vector["bytes"]), &vector["inputs"]);
    match inputs["document"].as_str().expect("a name") {
        "responder" => {
            let claims = Unverified::<FamilyResponder>::parse(&bytes).expect("a responder").claims().clone();
            let sig = set.device(claims.device).sig.verify_key();
            describe_responder(&FamilyResponder::verify(&bytes, claims.device, &sig).expect("by itself"))
        }
        "word" => {
            let claims = Unverified::<AlarmFamily>::parse(&bytes).expect("a word").claims().clone();
            let sender = set.device(super::id(&inputs["sender"])).alarm.verify_key();
            let responders = AlarmFamily::verify(&bytes, claims.alarm, &sender).expect("by the sender");
            describe_word(&AlarmFamily { responders, ..claims }, &inputs["sender"])
        }
        "escalation" => {
            let escalation = Unverified::<Escalation>::parse(&bytes).expect("an escalation");
            let key = set.device(escalation.claims().by).alarm.verify_key();
            let escalation = escalation.verify(&key).expect("signed by who says it").into_value();
            let content = ContentKey::from_slice(&unhex(&inputs["content_key"])).expect("32 bytes");
            let detail = escalation.open_detail(&content).expect("sealed under the alarm's key");
            describe_escalation(&escalation, detail.as_ref(), &inputs["content_key"])
        }
        _ => {
            let responders: Vec<_> = inputs["responders"].as_array().expect("a list").iter().map(super::id).collect();
            let mut described = open_at(set, &bytes, responders);
            described["document"] = json!("alarm");
            described
        }
    }
}
