//! Vectors of deposits: their timers, their settlement, a desk that has one raised, and the relay's answers.

use baken_schemas::alarm::{DepositReceipt, DepositState, DepositTimers, Note, NoteBody, NoteKind, Raise, Settlement};
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, NoteId};
use baken_schemas::signed::{Signed, Unverified, hash_of};
use baken_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{Set, hex, unhex};
use crate::world::World;

fn describe_timers(timers: &DepositTimers) -> Value {
    json!({
        "document": "timers",
        "deposit": timers.deposit,
        "device": timers.device,
        "seq": timers.seq,
        "sealed": hex(&timers.sealed.0),
        "desk": timers.desk,
        "due_in_s": timers.due_in_s,
        "silent_after_s": timers.silent_after_s,
        "grace_s": timers.grace_s,
    })
}

fn describe_settlement(settlement: &Settlement) -> Value {
    json!({
        "document": "settlement",
        "deposit": settlement.deposit,
        "device": settlement.device,
        "note": hex(&settlement.note),
    })
}

fn describe_raise(raise: &Raise) -> Value {
    json!({ "document": "raise", "deposit": raise.deposit, "desk": raise.desk })
}

fn describe_receipt(receipt: &DepositReceipt) -> Value {
    json!({
        "document": "receipt",
        "deposit": receipt.deposit,
        "answers": hex(&receipt.answers.0),
        "state": receipt.state,
        "at": receipt.at,
        "by": receipt.by,
    })
}

pub fn make_deposit(world: &mut World) -> Vec<Value> {
    let (deposit, phone) = (AlarmId::make(&mut world.rng), world.mayor_phone.clone());
    let desk = world.desk(world.desk_east.device).clone();
    let timers = [(1, Some(7200)), (2, None), (u64::MAX >> 1, Some(60))].map(|(seq, due_in_s)| {
        let timers = DepositTimers {
            deposit,
            device: phone.device,
            seq,
            sealed: Hash([0x2c; 32]),
            desk: desk.desk,
            due_in_s,
            silent_after_s: 1800,
            grace_s: 600,
        };
        Signed::make(timers, &phone.alarm)
    });
    let body = NoteBody {
        kind: NoteKind::Settled,
        duress: false,
        alarm: Some(deposit),
        made_at: Timestamp(1_795_465_700_000),
        freeze: None,
    };
    let note = NoteId::make(&mut world.rng);
    let note = Note::seal(note, phone.device, &desk, &body, &phone.alarm, &mut world.rng).expect("a good key");
    let settlement = Settlement { deposit, device: phone.device, note: note.bytes().to_vec().into() };
    let settlement = Signed::make(settlement, &phone.alarm);
    let raise = Signed::make(Raise { deposit, desk: desk.desk }, &world.desk_east.sig);
    let receipt = |answers: &[u8], state| {
        let (answers, at, by) = (hash_of(answers), Timestamp(1_795_465_700_250), world.relay.device);
        Signed::make(DepositReceipt { deposit, answers, state, at, by }, &world.relay.sig)
    };
    let vector = |inputs: Value, bytes: &[u8]| json!({ "inputs": inputs, "bytes": hex(bytes) });
    let receipts = [
        receipt(timers[0].bytes(), DepositState::Ready),
        receipt(settlement.bytes(), DepositState::Settled),
        receipt(timers[1].bytes(), DepositState::Raised),
    ];
    let mut vectors: Vec<Value> =
        timers.iter().map(|timers| vector(describe_timers(timers.value()), timers.bytes())).collect();
    vectors.push(vector(describe_settlement(settlement.value()), settlement.bytes()));
    vectors.push(vector(describe_raise(raise.value()), raise.bytes()));
    vectors.extend(receipts.iter().map(|receipt| vector(describe_receipt(receipt.value()), receipt.bytes())));
    vectors
}

pub fn open_deposit(set: &Set, vector: &Value) -> Value {
    let bytes = unhex(&vector["bytes"]);
    let verified = "signed by who says it";
    match vector["inputs"]["document"].as_str().expect("a name") {
        "timers" => {
            let timers = Unverified::<DepositTimers>::parse(&bytes).expect("timers");
            let key = set.device(timers.claims().device).alarm.verify_key();
            describe_timers(timers.verify(&key).expect(verified).value())
        }
        "settlement" => {
            let settlement = Unverified::<Settlement>::parse(&bytes).expect("a settlement");
            let key = set.device(settlement.claims().device).alarm.verify_key();
            describe_settlement(settlement.verify(&key).expect(verified).value())
        }
        "raise" => {
            let raise = Unverified::<Raise>::parse(&bytes).expect("a raise");
            let key = set.device(raise.claims().desk).sig.verify_key();
            describe_raise(raise.verify(&key).expect(verified).value())
        }
        _ => {
            let receipt = Unverified::<DepositReceipt>::parse(&bytes).expect("a receipt");
            let key = set.device(receipt.claims().by).sig.verify_key();
            describe_receipt(receipt.verify(&key).expect(verified).value())
        }
    }
}
