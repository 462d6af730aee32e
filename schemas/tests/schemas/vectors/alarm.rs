//! Vectors of the alarm and of all that follows it.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmKind, Card, CardBody, ContentKey, Fix, FixAbsent, HandedAlarm, HandingOn, Note, NoteBody,
    NoteKind, Provenance, Receipt, ReceiptDetail, ReceiptState, Update, UpdateBody, check_handing_on, check_receipt,
};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::{AlarmId, DeviceId, NoteId};
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;
use serde_json::{Value, json};

use super::{Set, hex, key, unhex};
use crate::world::{World, alarm_body};

fn content_key(vector: &Value) -> ContentKey {
    ContentKey::from_slice(&unhex(&vector["inputs"]["content_key"])).expect("32 bytes")
}

fn describe_body(body: &AlarmBody) -> Value {
    json!({
        "kind": body.kind,
        "fix": body.fix,
        "battery_percent": body.battery_percent,
        "text": body.text,
        "made_at": body.made_at,
        "card_key": body.card_key.as_ref().map(|key: &ByteVec| hex(key)),
        "provenance": body.provenance,
        "family": body.family.as_ref().map(|family: &ByteVec| hex(family)),
    })
}

pub fn describe_alarm(alarm: &Alarm, body: &AlarmBody, content: &ContentKey, mut responders: Vec<DeviceId>) -> Value {
    responders.sort_unstable();
    let header = &alarm.header;
    json!({
        "alarm": header.alarm,
        "device": header.device,
        "class": header.class as u8,
        "ladder": header.ladder,
        "ladder_version": header.ladder_version,
        "responders": responders,
        "content_key": hex(content.as_bytes()),
        "body": describe_body(body),
    })
}

pub fn make_alarm(world: &mut World) -> Vec<Value> {
    let mut by_button = alarm_body(AlarmKind::Button);
    by_button.fix = Fix::Absent(FixAbsent::NoReceiver);
    by_button.battery_percent = None;
    by_button.card_key = None;
    by_button.made_at = Timestamp(-1);
    by_button.provenance = Provenance::Button { button: "0042".into(), transport: "SIA DC-09, encrypted".into() };
    [alarm_body(AlarmKind::Silent), by_button]
        .map(|body| {
            let header = world.alarm_header();
            let directory = world.directory.value();
            let (alarm, content) =
                Alarm::seal(header, &body, directory, &world.mayor_phone.alarm, &mut world.rng).expect("it fits");
            let responders = directory.ladders[0].responders();
            json!({
                "inputs": describe_alarm(alarm.value(), &body, &content, responders),
                "bytes": hex(alarm.bytes()),
            })
        })
        .to_vec()
}

pub fn open_alarm(set: &Set, vector: &Value) -> Value {
    let bytes = unhex(&vector["bytes"]);
    let header = Unverified::<Alarm>::parse(&bytes).expect("an alarm").claims().header;
    let directory = set.directory();
    let ladder = directory.value().ladder(header.ladder, header.ladder_version).expect("its ladder");
    open_at(set, &bytes, ladder.responders())
}

/// An alarm, opened at each of its responders.
pub fn open_at(set: &Set, bytes: &[u8], responders: Vec<DeviceId>) -> Value {
    let alarm = Unverified::<Alarm>::parse(bytes).expect("an alarm");
    let key = set.device(alarm.claims().header.device).alarm.verify_key();
    let alarm = alarm.verify(&key).expect("signed by the phone's alarm key").into_value();
    let mut opened = Vec::new();
    for responder in &responders {
        let kem = set.device(*responder).kem;
        opened.push(alarm.open(*responder, &kem).expect("sealed to it").expect("has a slot for it"));
    }
    let (body, content) = opened.pop().expect("an alarm has a responder");
    assert!(opened.iter().all(|other| *other == (body.clone(), content.clone())), "all responders read the same");
    describe_alarm(&alarm, &body, &content, responders)
}

fn describe_update(update: &Update, body: &UpdateBody, content: &ContentKey) -> Value {
    json!({
        "alarm": update.alarm,
        "device": update.device,
        "seq": update.seq,
        "content_key": hex(content.as_bytes()),
        "body": {
            "fix": body.fix,
            "battery_percent": body.battery_percent,
            "text": body.text,
            "made_at": body.made_at,
        },
    })
}

pub fn make_update(world: &mut World) -> Vec<Value> {
    let content = ContentKey::from_slice(SymmetricKey::make(&mut world.rng).as_bytes()).expect("32 bytes");
    let body = UpdateBody {
        fix: alarm_body(AlarmKind::Panic).fix,
        battery_percent: Some(63),
        text: "achter het gemeentehuis".into(),
        made_at: Timestamp(1_795_465_500_000),
        attachment: None,
    };
    let place = (AlarmId::make(&mut world.rng), world.mayor_phone.device, 3);
    let update = Update::seal(place, &body, &content, &world.mayor_phone.alarm, &mut world.rng).expect("it fits");
    vec![json!({ "inputs": describe_update(update.value(), &body, &content), "bytes": hex(update.bytes()) })]
}

pub fn open_update(set: &Set, vector: &Value) -> Value {
    let update = Unverified::<Update>::parse(&unhex(&vector["bytes"])).expect("an update");
    let key = set.device(update.claims().device).alarm.verify_key();
    let update = update.verify(&key).expect("signed by the phone's alarm key").into_value();
    let content = content_key(vector);
    describe_update(&update, &update.open(&content).expect("sealed under the alarm's key"), &content)
}

fn describe_note(note: &Note, body: &NoteBody) -> Value {
    json!({
        "note": note.note,
        "device": note.device,
        "desk": note.desk,
        "body": {
            "kind": body.kind as u8,
            "duress": body.duress,
            "alarm": body.alarm,
            "made_at": body.made_at,
            "freeze": body.freeze.as_ref().map(|order| hex(order)),
        },
    })
}

pub fn make_note(world: &mut World) -> Vec<Value> {
    let desk = world.desk(world.desk_east.device).clone();
    let freeze = super::order::freeze(world).bytes().to_vec();
    [(NoteKind::Unlocked, false, None, Some(freeze.into())), (NoteKind::Withdrawn, true, Some(AlarmId([7; 16])), None)]
        .map(|(kind, duress, alarm, freeze)| {
            let body = NoteBody { kind, duress, alarm, made_at: Timestamp(1_795_465_600_000), freeze };
            let (id, phone) = (NoteId::make(&mut world.rng), &world.mayor_phone);
            let note = Note::seal(id, phone.device, &desk, &body, &phone.alarm, &mut world.rng).expect("a good key");
            json!({ "inputs": describe_note(note.value(), &body), "bytes": hex(note.bytes()) })
        })
        .to_vec()
}

pub fn open_note(set: &Set, vector: &Value) -> Value {
    let note = Unverified::<Note>::parse(&unhex(&vector["bytes"])).expect("a note");
    let key = set.device(note.claims().device).alarm.verify_key();
    let note = note.verify(&key).expect("signed by the phone's alarm key").into_value();
    describe_note(&note, &note.open(&set.device(note.desk).kem).expect("sealed to the desk"))
}

fn describe_card(card: &Card, body: &CardBody, key: &SymmetricKey) -> Value {
    json!({ "device": card.device, "version": card.version, "card_key": hex(key.as_bytes()), "body": body })
}

pub fn make_card(world: &mut World) -> Vec<Value> {
    let body = CardBody {
        name: "A. Voorbeeld".into(),
        office: "burgemeester".into(),
        phone: "+31 6 1234".into(),
        home_address: "Dorpsstraat 1, Voorbeeld".into(),
        car: "grijs, AB-123-C".into(),
        household: "partner, twee kinderen".into(),
        medical: "β-blokker".into(),
        code_word: "molen".into(),
        contacts: vec!["B. Voorbeeld, partner, +31 6 5678".into()],
    };
    let key = SymmetricKey::make(&mut world.rng);
    let phone = &world.mayor_phone;
    let card = Card::seal(phone.device, 12, &body, &key, &phone.sig, &mut world.rng).expect("it fits");
    vec![json!({ "inputs": describe_card(card.value(), &body, &key), "bytes": hex(card.bytes()) })]
}

pub fn open_card(set: &Set, vector: &Value) -> Value {
    let card = Unverified::<Card>::parse(&unhex(&vector["bytes"])).expect("a card");
    let sig = set.device(card.claims().device).sig.verify_key();
    let card = card.verify(&sig).expect("signed by the phone").into_value();
    let key = key(&vector["inputs"]["card_key"]);
    describe_card(&card, &card.open(&key).expect("sealed under its key"), &key)
}

fn describe_receipt(receipt: &Receipt, detail: Option<&ReceiptDetail>, content: &ContentKey) -> Value {
    json!({
        "alarm": receipt.alarm,
        "alarm_hash": receipt.alarm_hash,
        "state": receipt.state,
        "at": receipt.at,
        "by": receipt.by,
        "prev": receipt.prev,
        "detail": detail,
        "content_key": hex(content.as_bytes()),
    })
}

pub fn make_receipt(world: &mut World) -> Vec<Value> {
    let content = ContentKey::from_slice(SymmetricKey::make(&mut world.rng).as_bytes()).expect("32 bytes");
    let alarm = AlarmId::make(&mut world.rng);
    let detail = ReceiptDetail { officer: "Visser".into(), text: "teruggebeld op het bekende nummer".into() };
    let (relay, desk) = (world.relay.clone(), world.desk_east.clone());
    [
        (ReceiptState::Stored, &relay, Hash::ZERO, None),
        (ReceiptState::Verified, &desk, Hash([8; 32]), Some(&detail)),
        (ReceiptState::Reopened, &desk, Hash([7; 32]), None),
    ]
    .map(|(state, by, prev, detail)| {
        let receipt = Receipt {
            alarm,
            alarm_hash: Hash([9; 32]),
            state,
            at: Timestamp(1_795_465_410_000),
            by: by.device,
            prev,
            detail: Vec::new(),
        };
        let sealed = detail.map(|detail| (detail, &content));
        let receipt = Receipt::make(receipt, sealed, &by.sig, &mut world.rng).expect("it fits");
        json!({ "inputs": describe_receipt(receipt.value(), detail, &content), "bytes": hex(receipt.bytes()) })
    })
    .to_vec()
}

pub fn open_receipt(set: &Set, vector: &Value) -> Value {
    let receipt = check_receipt(&unhex(&vector["bytes"]), set.directory().value()).expect("by who may say it");
    let content = content_key(vector);
    let detail = receipt.value().open_detail(&content).expect("sealed under the alarm's key");
    describe_receipt(receipt.value(), detail.as_ref(), &content)
}

fn describe_handing_on(handing: &HandingOn, detail: Option<&ReceiptDetail>, content: &ContentKey) -> Value {
    json!({
        "alarm": handing.alarm,
        "alarm_hash": handing.alarm_hash,
        "at": handing.at,
        "by": handing.by,
        "to": handing.to,
        "detail": detail,
        "content_key": hex(content.as_bytes()),
    })
}

pub fn make_handing_on(world: &mut World) -> Vec<Value> {
    let content = ContentKey::make(&mut world.rng);
    let detail = ReceiptDetail { officer: "Visser".into(), text: "bij jullie in de buurt".into() };
    let (desk, to) = (world.desk_east.clone(), world.desk(world.desk_west.device).clone());
    [Some(&detail), None]
        .map(|detail| {
            let handed = HandedAlarm {
                alarm: AlarmId::make(&mut world.rng),
                alarm_hash: Hash([9; 32]),
                at: Timestamp(1_795_465_420_000),
                by: desk.device,
            };
            let handing =
                HandingOn::make(&handed, &to, (&content, detail), &desk.sig, &mut world.rng).expect("it fits");
            json!({
                "inputs": describe_handing_on(handing.value(), detail, &content),
                "bytes": hex(handing.bytes()),
            })
        })
        .to_vec()
}

pub fn open_handing_on(set: &Set, vector: &Value) -> Value {
    let handing = check_handing_on(&unhex(&vector["bytes"]), set.directory().value()).expect("by a desk");
    let content = handing.value().open(&set.device(handing.value().to).kem).expect("wrapped to the other desk");
    let detail = handing.value().open_detail(&content).expect("sealed under the alarm's key");
    describe_handing_on(handing.value(), detail.as_ref(), &content)
}
