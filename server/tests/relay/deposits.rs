//! Deposits: raised when due or silent and not otherwise, with the newest position, once, whatever the clock does.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, DepositReceipt, DepositState, DepositTimers, Fix,
    Note, NoteBody, NoteKind, Position, Raise, ReceiptState, Settlement, check_receipt,
};
use baken_schemas::api::{self, Deposit, DepositElsewhere, DepositsElsewhere, MailKind, SettledElsewhere};
use baken_schemas::cbor;
use baken_schemas::circle::{MemberRole, Operation};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId, IdempotencyKey, NoteId};
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::store::StoreError;

use crate::relay::circles::{Circle, cut};
use crate::relay::world::{Answer, FIRST_WAIT_MS, World, alarm_body};

/// How often the ticker of a running relay looks, at most; in a test that skips time, as often as it must.
const STEP_MS: i64 = 10_000;
const MINUTE_MS: i64 = 60_000;

/// A check-in as a phone has it.
struct CheckIn {
    phone: DeviceKeys,
    id: AlarmId,
    content: ContentKey,
    seq: u64,
    /// The desk that watches it.
    desk: DeviceId,
    /// The last that was handed in.
    body: Vec<u8>,
    timers: Vec<u8>,
    alarm: Option<Signed<Alarm>>,
}

/// Due in so many minutes, silent after so many, and a grace of one.
fn minutes(due: Option<u32>, silent: u32) -> (Option<u32>, u32, u32) {
    (due.map(|minutes| minutes * 60), silent * 60, 60)
}

impl CheckIn {
    fn new(world: &mut World, phone: &DeviceKeys) -> Self {
        let (id, content) = (AlarmId::make(&mut world.rng), ContentKey::make(&mut world.rng));
        let (body, timers) = (Vec::new(), Vec::new());
        let desk = world.desks[0].device;
        Self { phone: phone.clone(), id, content, seq: 0, desk, body, timers, alarm: None }
    }

    /// The next form: with these timers, at a latitude.
    fn next(&mut self, world: &mut World, (due_in_s, silent_after_s, grace_s): (Option<u32>, u32, u32), latitude: i32) {
        let directory = world.directory.value().clone();
        let position = Position { latitude_e7: latitude, longitude_e7: 0, accuracy_m: 5, age_s: 0 };
        let body = AlarmBody { kind: AlarmKind::Missed, fix: Fix::At(position), ..alarm_body() };
        let header = AlarmHeader {
            alarm: self.id,
            device: self.phone.device,
            class: AlarmClass::Deposit,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        let key = &self.phone.alarm;
        let alarm = Alarm::seal_under(&self.content, header, &body, (&directory, &[]), key, &mut world.rng).unwrap();
        self.seq += 1;
        let timers = DepositTimers {
            deposit: self.id,
            device: self.phone.device,
            seq: self.seq,
            sealed: alarm.hash(),
            desk: self.desk,
            due_in_s,
            silent_after_s,
            grace_s,
        };
        self.timers = Signed::make(timers, key).bytes().to_vec();
        self.body = cbor::to_vec(&Deposit { timers: self.timers.clone().into(), alarm: alarm.bytes().to_vec().into() });
        self.alarm = Some(alarm);
    }

    async fn send(&self, world: &mut World) -> Answer {
        let phone = self.phone.clone();
        world.call_locked(&phone, "POST", api::DEPOSITS, &self.body).await
    }

    /// Hands the next form in; how it stands then.
    async fn hand_in(&mut self, world: &mut World, timers: (Option<u32>, u32, u32), latitude: i32) -> DepositState {
        self.next(world, timers, latitude);
        let answer = self.send(world).await.ok();
        DepositReceipt::verify(&answer, &self.timers, world.directory.value()).unwrap().state
    }

    fn settlement(&self, world: &mut World, duress: bool) -> Vec<u8> {
        self.settlement_of(world, &self.phone, duress)
    }

    /// As a device of the same person signs it.
    fn settlement_of(&self, world: &mut World, by: &DeviceKeys, duress: bool) -> Vec<u8> {
        let directory = world.directory.value();
        let desk = directory.desk(world.desks[0].device).unwrap();
        let (kind, alarm, made_at) = (NoteKind::Settled, Some(self.id), Timestamp(0));
        let body = NoteBody { kind, duress, alarm, made_at, freeze: None };
        let (note, key) = (NoteId::make(&mut world.rng), &by.alarm);
        let note = Note::seal(note, by.device, desk, &body, key, &mut world.rng).unwrap();
        let settlement = Settlement { deposit: self.id, device: by.device, note: note.bytes().to_vec().into() };
        Signed::make(settlement, key).bytes().to_vec()
    }

    async fn settle(&self, world: &mut World) -> DepositState {
        let settlement = self.settlement(world, false);
        self.settled_by(world, &self.phone, &settlement).await
    }

    async fn settled_by(&self, world: &mut World, device: &DeviceKeys, settlement: &[u8]) -> DepositState {
        let answer = world.call_locked(device, "POST", api::SETTLEMENTS, settlement).await.ok();
        DepositReceipt::verify(&answer, settlement, world.directory.value()).unwrap().state
    }
}

/// Lets time pass with the ticker running.
async fn pass(world: &World, ms: i64) {
    let end = world.clock.now().plus_ms(ms);
    while world.clock.now() < end {
        world.clock.advance(end.since_ms(world.clock.now()).min(STEP_MS));
        world.relay.tick(world.clock.now()).await.unwrap();
    }
}

async fn raised(world: &mut World) -> usize {
    let desk = world.desks[0].clone();
    world.count(&desk, MailKind::Alarm).await
}

#[tokio::test]
async fn a_deposit_is_raised_after_its_grace_when_it_is_due_and_climbs_like_any_alarm() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let mut check_in = CheckIn::new(&mut world, &phone);
    assert_eq!(check_in.hand_in(&mut world, minutes(Some(30), 120), 1).await, DepositState::Ready);
    pass(&world, 31 * MINUTE_MS - 1).await;
    assert_eq!(raised(&mut world).await, 0, "the grace is not over");
    pass(&world, 1).await;
    pass(&world, STEP_MS).await;
    assert_eq!(raised(&mut world).await, 1);
    // The desk opens the very bytes, and the phone is told with the relay's signature.
    let mail = world.mail(&first, 0).await;
    let handed = &mail.iter().find(|(_, mail)| mail.kind == MailKind::Alarm).unwrap().1.document;
    assert_eq!(handed[..], *check_in.alarm.as_ref().unwrap().bytes());
    let opened = Unverified::<Alarm>::parse(handed).unwrap().verify(&phone.alarm.verify_key()).unwrap();
    let (body, content) = opened.value().open(first.device, &first.kem).unwrap().unwrap();
    assert_eq!((body.kind, content), (AlarmKind::Missed, check_in.content.clone()));
    let told = world.mail(&phone, 0).await;
    let stored = check_receipt(&told[0].1.document, world.directory.value()).unwrap();
    assert_eq!((stored.value().state, stored.value().alarm_hash), (ReceiptState::Stored, opened.hash()));
    // The next rung, and the end of the ladder, whose receipt follows the first.
    pass(&world, FIRST_WAIT_MS).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
    pass(&world, 10 * MINUTE_MS).await;
    let told = world.mail(&phone, 0).await;
    let exhausted = check_receipt(&told[1].1.document, world.directory.value()).unwrap();
    assert_eq!((exhausted.value().state, exhausted.value().prev), (ReceiptState::Exhausted, stored.hash()));
    assert_eq!(world.audited("deposit_raised"), [(check_in.id.to_string(), "ok".to_owned())]);
}

#[tokio::test]
async fn a_seen_stops_the_ladder_of_a_raised_deposit() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(1), 60), 1).await;
    pass(&world, 2 * MINUTE_MS).await;
    let seen = world.receipt(&first, check_in.alarm.as_ref().unwrap(), ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    pass(&world, 10 * MINUTE_MS).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0);
    assert_eq!(world.count(&phone, MailKind::Receipt).await, 2, "stored and seen");
}

#[tokio::test]
async fn a_silent_phone_is_raised_before_it_is_due_with_its_newest_position() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let first = world.desks[0].clone();
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(300), 10), 1).await;
    // Heartbeats move the silence and nothing else.
    for latitude in 2..8 {
        pass(&world, 9 * MINUTE_MS).await;
        assert_eq!(check_in.hand_in(&mut world, minutes(None, 10), latitude).await, DepositState::Ready);
    }
    pass(&world, 11 * MINUTE_MS - 1).await;
    assert_eq!(raised(&mut world).await, 0);
    pass(&world, 1).await;
    let mail = world.mail(&first, 0).await;
    let handed = &mail.iter().find(|(_, mail)| mail.kind == MailKind::Alarm).unwrap().1.document;
    let opened = Unverified::<Alarm>::parse(handed).unwrap();
    let (body, _) = opened.claims().open(first.device, &first.kem).unwrap().unwrap();
    assert!(matches!(body.fix, Fix::At(Position { latitude_e7: 7, .. })));
    // The desk was told of each renewal: id, device and timers, in a document that has no room for more.
    let timers: Vec<_> = mail.iter().filter(|(_, mail)| mail.kind == MailKind::Timers).collect();
    assert_eq!(timers.len(), 7);
    assert!(timers.iter().all(|(_, mail)| mail.document.len() < DepositTimers::MAX_BYTES));
    // What it leaves of the forms before is nothing.
    let documents: u32 = world
        .relay
        .store()
        .read(|db| {
            let sql = "SELECT count(*) FROM document WHERE length(bytes) > 4096";
            Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(documents, 1);
}

#[tokio::test]
async fn a_heartbeat_does_not_put_off_what_a_person_has_to_do_and_an_extension_does() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(30), 60), 1).await;
    pass(&world, 25 * MINUTE_MS).await;
    check_in.hand_in(&mut world, minutes(Some(30), 60), 1).await;
    pass(&world, 29 * MINUTE_MS).await;
    check_in.hand_in(&mut world, minutes(None, 60), 1).await;
    assert_eq!(raised(&mut world).await, 0);
    pass(&world, 2 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1, "a running phone beside a bound person");
    assert_eq!(check_in.hand_in(&mut world, minutes(None, 60), 1).await, DepositState::Raised);
    assert_eq!(raised(&mut world).await, 1);
}

#[tokio::test]
async fn the_same_bytes_again_change_nothing_and_an_older_number_is_refused() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let desk = world.desks[0].clone();
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(10), 60), 1).await;
    pass(&world, 5 * MINUTE_MS).await;
    // Another idempotency key, as after a restart of the phone: no later deadline, no second mail.
    check_in.send(&mut world).await.ok();
    assert_eq!(world.count(&desk, MailKind::Timers).await, 1);
    let first = check_in.body.clone();
    check_in.hand_in(&mut world, minutes(None, 60), 2).await;
    world.call_locked(&phone, "POST", api::DEPOSITS, &first).await.is(409, "conflict");
    check_in.seq -= 1;
    check_in.next(&mut world, minutes(None, 60), 3);
    check_in.send(&mut world).await.is(409, "conflict");
    pass(&world, 6 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1, "due eleven minutes after the first form");
    // The same key gives the same answer.
    let key = IdempotencyKey::make(&mut world.rng);
    let mut other = CheckIn::new(&mut world, &phone);
    other.next(&mut world, minutes(Some(10), 60), 1);
    let one = world.call_once(&phone, ("POST", api::DEPOSITS), &other.body, key).await.ok();
    assert_eq!(world.call_once(&phone, ("POST", api::DEPOSITS), &other.body, key).await.ok(), one);
}

#[tokio::test]
async fn only_the_own_device_hands_in_renews_and_settles() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(10), 60), 1).await;
    // Passed on by another device, or made by it under the same id.
    world.call_locked(&stranger, "POST", api::DEPOSITS, &check_in.body).await.is(422, "bad_signature");
    let settlement = check_in.settlement(&mut world, false);
    world.call_locked(&stranger, "POST", api::SETTLEMENTS, &settlement).await.is(422, "bad_signature");
    let mut same_id = CheckIn { phone: stranger.clone(), seq: 5, ..CheckIn::new(&mut world, &stranger) };
    same_id.id = check_in.id;
    same_id.next(&mut world, minutes(Some(10), 60), 1);
    same_id.send(&mut world).await.is(409, "conflict");
    let settlement = same_id.settlement(&mut world, false);
    world.call_locked(&stranger, "POST", api::SETTLEMENTS, &settlement).await.is(409, "conflict");
    let desk = world.desks[0].clone();
    world.call(&desk, "POST", api::DEPOSITS, &check_in.body).await.is(403, "not_allowed");
    // Nothing of it kept it from being raised.
    pass(&world, 11 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1);
}

#[tokio::test]
async fn timers_out_of_bounds_and_more_deposits_than_one_phone_needs_are_refused_in_words() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    for timers in [(Some(0), 60, 0), (Some(10 * 365 * 86_400), 60, 0), (Some(60), 0, 0), (Some(60), 60, u32::MAX)] {
        check_in.next(&mut world, timers, 1);
        check_in.send(&mut world).await.is(422, "rule_broken");
    }
    // A renewal of what is not here, as after a restore from a backup: the phone sends it whole.
    check_in.next(&mut world, minutes(None, 60), 1);
    check_in.send(&mut world).await.is(404, "not_found");
    for _ in 0..32 {
        let mut another = CheckIn::new(&mut world, &phone);
        assert_eq!(another.hand_in(&mut world, minutes(Some(10), 60), 1).await, DepositState::Ready);
    }
    check_in.next(&mut world, minutes(Some(10), 60), 1);
    check_in.send(&mut world).await.is(409, "too_many");
}

#[tokio::test]
async fn a_settled_deposit_is_never_raised_and_its_note_goes_to_the_desk_that_watches() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let desk = world.desks[0].clone();
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(10), 60), 1).await;
    pass(&world, 10 * MINUTE_MS + 30_000).await;
    assert_eq!(check_in.settle(&mut world).await, DepositState::Settled);
    assert_eq!(world.count(&desk, MailKind::Note).await, 1);
    world.restart().await;
    pass(&world, 180 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 0);
    // A heartbeat that was under way brings it back no more than settling it again does.
    assert_eq!(check_in.hand_in(&mut world, minutes(Some(1), 1), 1).await, DepositState::Settled);
    assert_eq!(check_in.settle(&mut world).await, DepositState::Settled);
    pass(&world, 10 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 0);
}

#[tokio::test]
async fn what_is_settled_before_it_came_is_not_raised_when_it_comes() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    assert_eq!(check_in.settle(&mut world).await, DepositState::Settled);
    assert_eq!(check_in.hand_in(&mut world, minutes(Some(1), 1), 1).await, DepositState::Settled);
    pass(&world, 10 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 0);
}

#[tokio::test]
async fn settling_what_was_raised_tells_the_desk_and_stops_no_ladder() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(1), 60), 1).await;
    pass(&world, 2 * MINUTE_MS).await;
    assert_eq!(check_in.settle(&mut world).await, DepositState::Raised);
    assert_eq!(world.count(&first, MailKind::Note).await, 1);
    pass(&world, FIRST_WAIT_MS).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
}

#[tokio::test]
async fn what_a_desk_has_raised_climbs_and_the_phone_hears_nothing_of_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(600), 600), 1).await;
    let before = world.mail(&phone, 0).await.len();
    check_in.settle(&mut world).await;
    let raise = |desk: &DeviceKeys| Signed::make(Raise { deposit: check_in.id, desk: desk.device }, &desk.sig);
    // Not under another's name.
    world.call(&second, "POST", api::RAISES, raise(&first).bytes()).await.is(422, "bad_signature");
    world.call(&phone, "POST", api::RAISES, raise(&first).bytes()).await.is(403, "not_allowed");
    assert_eq!(raised(&mut world).await, 0);
    world.call(&first, "POST", api::RAISES, raise(&first).bytes()).await.ok();
    world.call(&first, "POST", api::RAISES, raise(&first).bytes()).await.ok();
    assert_eq!(raised(&mut world).await, 1);
    let alarm = check_in.alarm.clone().unwrap();
    let received = world.receipt(&first, &alarm, ReceiptState::Received);
    world.send_receipt(&first, &received).await.ok();
    pass(&world, 10 * MINUTE_MS).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1, "its ladder climbs");
    assert_eq!(world.mail(&phone, 0).await.len(), before);
    // Nor when it settles once more, as after an answer that got lost, or a heartbeat was under way.
    assert_eq!(check_in.settle(&mut world).await, DepositState::Settled);
    assert_eq!(check_in.hand_in(&mut world, minutes(None, 600), 1).await, DepositState::Settled);
    let path = api::ALARM_RECEIPTS.replace("{alarm}", &check_in.id.to_string());
    world.call_locked(&phone, "GET", &path, &[]).await.is(404, "not_found");
    assert_eq!(world.audited("deposit_raised"), [(check_in.id.to_string(), "desk_asked".to_owned())]);
}

#[tokio::test]
async fn a_desk_that_a_renewal_names_no_more_is_told() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(600), 600), 1).await;
    check_in.desk = second.device;
    for _ in 0..2 {
        check_in.hand_in(&mut world, minutes(None, 600), 1).await;
    }
    assert_eq!(world.count(&first, MailKind::Timers).await, 2, "the first form, and that it watches no more");
    assert_eq!(world.count(&second, MailKind::Timers).await, 2);
}

#[tokio::test]
async fn a_desk_that_is_first_since_has_it_raised_too_and_one_that_nobody_vouches_for_does_not() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let second = world.desks[1].clone();
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(600), 600), 1).await;
    check_in.settle(&mut world).await;
    let raise = |desk: &DeviceKeys| Signed::make(Raise { deposit: check_in.id, desk: desk.device }, &desk.sig);
    let nobodys = DeviceKeys::make(&mut world.rng);
    let refused = world.call(&nobodys, "POST", api::RAISES, raise(&nobodys).bytes()).await;
    refused.is(401, "unknown_device");
    assert_eq!(raised(&mut world).await, 0);
    world.call(&second, "POST", api::RAISES, raise(&second).bytes()).await.ok();
    assert_eq!(raised(&mut world).await, 1, "the first desk of its ladder has it");
}

#[tokio::test]
async fn a_settled_deposit_can_be_raised_for_a_day_and_then_is_gone() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let desk = world.desks[0].clone();
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(600), 600), 1).await;
    check_in.settle(&mut world).await;
    world.clock.advance(23 * 60 * MINUTE_MS);
    world.sweep().await;
    let count = |world: &World| -> u32 {
        let sql = "SELECT count(*) FROM document WHERE length(bytes) > 4096";
        world.relay.store().read(|db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?)).unwrap()
    };
    assert_eq!(count(&world), 1);
    world.clock.advance(2 * 60 * MINUTE_MS);
    world.sweep().await;
    assert_eq!(count(&world), 0, "its bytes are gone");
    let raise = Signed::make(Raise { deposit: check_in.id, desk: desk.device }, &desk.sig);
    world.call(&desk, "POST", api::RAISES, raise.bytes()).await.is(404, "not_found");
    assert_eq!(check_in.hand_in(&mut world, minutes(Some(1), 1), 1).await, DepositState::Settled);
}

#[tokio::test]
async fn i1_deposits_outlive_a_restart_and_are_raised_once() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(10), 60), 1).await;
    for _ in 0..11 {
        pass(&world, MINUTE_MS - STEP_MS).await;
        world.restart().await;
        pass(&world, STEP_MS).await;
    }
    assert_eq!(raised(&mut world).await, 1);
    world.restart().await;
    pass(&world, MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1);
}

#[tokio::test]
async fn after_an_outage_phones_have_as_long_to_renew_and_ten_minutes_at_most() {
    for (outage_minutes, hold_minutes) in [(3, 3), (600, 10)] {
        let mut world = World::new().await;
        let phone = world.phone().await;
        let mut check_ins = Vec::new();
        for _ in 0..3 {
            let mut check_in = CheckIn::new(&mut world, &phone);
            check_in.hand_in(&mut world, minutes(Some(1440), 2), 1).await;
            check_ins.push(check_in);
        }
        pass(&world, MINUTE_MS).await;
        world.relay.close();
        world.clock.advance(outage_minutes * MINUTE_MS);
        world.restart().await;
        world.relay.tick(world.clock.now()).await.unwrap();
        assert_eq!(raised(&mut world).await, 0, "nobody could renew");
        // One phone is there in time.
        check_ins[0].hand_in(&mut world, minutes(None, 60), 1).await;
        pass(&world, hold_minutes * MINUTE_MS - STEP_MS).await;
        assert_eq!(raised(&mut world).await, 0);
        pass(&world, STEP_MS).await;
        assert_eq!(raised(&mut world).await, 2, "after {outage_minutes} minutes");
    }
}

#[tokio::test]
async fn a_relay_that_goes_on_falling_over_raises_what_is_due_all_the_same() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(1440), 2), 1).await;
    // Away for five minutes, there for one, over and over.
    for expected in [0, 1] {
        world.clock.advance(5 * MINUTE_MS);
        world.restart().await;
        world.relay.tick(world.clock.now()).await.unwrap();
        assert_eq!(raised(&mut world).await, expected);
        pass(&world, MINUTE_MS).await;
    }
}

#[tokio::test]
async fn an_outage_is_noticed_though_a_phone_comes_before_the_first_look() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (mut one, mut other) = (CheckIn::new(&mut world, &phone), CheckIn::new(&mut world, &phone));
    one.hand_in(&mut world, minutes(Some(1440), 2), 1).await;
    pass(&world, MINUTE_MS).await;
    world.clock.advance(60 * MINUTE_MS);
    world.restart().await;
    other.hand_in(&mut world, minutes(Some(60), 60), 1).await;
    world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(raised(&mut world).await, 0);
    pass(&world, 10 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1);
}

#[tokio::test]
async fn overdue_deposits_are_raised_in_the_order_in_which_they_were_due() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let desk = world.desks[0].clone();
    let mut expected = Vec::new();
    for due in [5, 3, 9, 1, 7] {
        let mut check_in = CheckIn::new(&mut world, &phone);
        check_in.hand_in(&mut world, minutes(Some(due), 600), 1).await;
        expected.push((due, check_in.id));
    }
    expected.sort_unstable();
    world.clock.advance(60 * MINUTE_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    pass(&world, 10 * MINUTE_MS).await;
    let mail = world.mail(&desk, 0).await;
    let handed = mail.iter().filter(|(_, mail)| mail.kind == MailKind::Alarm);
    let order: Vec<AlarmId> =
        handed.map(|(_, mail)| Unverified::<Alarm>::parse(&mail.document).unwrap().claims().header.alarm).collect();
    assert_eq!(order, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_clock_set_back_ten_years_keeps_nobody_waiting() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(30), 60), 1).await;
    pass(&world, 20 * MINUTE_MS).await;
    world.clock.advance(-10 * 365 * 24 * 60 * MINUTE_MS);
    // One that comes before the relay has looked: its deadline is by the new clock.
    let mut later = CheckIn::new(&mut world, &phone);
    later.hand_in(&mut world, minutes(Some(30), 60), 1).await;
    pass(&world, 11 * MINUTE_MS - STEP_MS).await;
    assert_eq!(raised(&mut world).await, 0);
    pass(&world, STEP_MS).await;
    assert_eq!(raised(&mut world).await, 1, "not a minute later than without it");
    pass(&world, 20 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 2);
}

#[tokio::test]
async fn six_hundred_due_at_once_are_all_raised_by_one_look() {
    let mut world = World::new().await;
    for _ in 0..24 {
        let phone = world.phone().await;
        for _ in 0..25 {
            let mut check_in = CheckIn::new(&mut world, &phone);
            check_in.hand_in(&mut world, minutes(Some(1), 60), 1).await;
        }
    }
    pass(&world, 2 * MINUTE_MS).await;
    let (alarms, climbing): (u32, u32) = world
        .relay
        .store()
        .read(|db| {
            let count = |table| db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            Ok::<_, StoreError>((count("alarm")?, count("ladder_run")?))
        })
        .unwrap();
    assert_eq!((alarms, climbing), (600, 600));
}

#[tokio::test]
async fn the_ticker_raises_by_itself() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relay = world.relay.clone();
    let ticker = tokio::spawn(async move { relay.run_ticker(async { drop(stopped.await) }).await });
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, (Some(60), 3600, 0), 1).await;
    let climbed = async {
        while raised(&mut world).await == 0 {
            world.clock.advance(STEP_MS);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), climbed).await.expect("it is raised");
    drop(stop);
    ticker.await.unwrap();
}

#[tokio::test]
async fn an_alarm_under_a_deposits_id_is_refused_and_one_that_was_there_before_stops_no_other() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut first = CheckIn::new(&mut world, &phone);
    first.hand_in(&mut world, minutes(Some(5), 60), 1).await;
    let directory = world.directory.value().clone();
    let header = |id, ladder: &baken_schemas::org::Ladder| AlarmHeader {
        alarm: id,
        device: phone.device,
        class: AlarmClass::Alarm,
        ladder: ladder.ladder,
        ladder_version: ladder.version,
    };
    let taken = header(first.id, &directory.ladders[0]);
    let (alarm, _) = Alarm::seal(taken, &alarm_body(), &directory, &phone.alarm, &mut world.rng).unwrap();
    world.press(&phone, &alarm).await.is(409, "alarm_conflict");

    // The other way round: the alarm is there, and the deposit comes under its id.
    let mut second = CheckIn::new(&mut world, &phone);
    let (alarm, _) =
        Alarm::seal(header(second.id, &directory.ladders[0]), &alarm_body(), &directory, &phone.alarm, &mut world.rng)
            .unwrap();
    world.press(&phone, &alarm).await.ok();
    second.hand_in(&mut world, minutes(Some(5), 60), 2).await;
    let desk = world.desks[0].clone();
    let before = world.count(&desk, MailKind::Alarm).await;
    pass(&world, 10 * MINUTE_MS).await;
    assert_eq!(world.count(&desk, MailKind::Alarm).await, before + 1, "the first is raised all the same");
}

/// A phone and the tablet of the same person, both in the dossier.
async fn phone_and_tablet(world: &mut World) -> (DeviceKeys, DeviceKeys, Circle) {
    let phone = world.phone().await;
    let tablet = world.device_of(&phone).await;
    let mut circle = Circle::found(world, &phone).await;
    circle.add(world, &phone, &tablet, MemberRole::Owner).await;
    (phone, tablet, circle)
}

async fn elsewhere(world: &mut World, device: &DeviceKeys) -> Vec<DepositElsewhere> {
    let answer = world.call_locked(device, "GET", api::DEPOSITS, &[]).await.ok();
    cbor::from_slice::<DepositsElsewhere>(&answer, "deposits").unwrap().deposits
}

#[tokio::test]
async fn the_tablet_sees_and_settles_what_a_destroyed_phone_had_started() {
    for duress in [false, true] {
        let mut world = World::new().await;
        let (phone, tablet, _) = phone_and_tablet(&mut world).await;
        let desk = world.desks[0].clone();
        let mut check_in = CheckIn::new(&mut world, &phone);
        check_in.hand_in(&mut world, minutes(Some(10), 60), 1).await;
        let found = elsewhere(&mut world, &tablet).await;
        let [seen] = &found[..] else { panic!("one is there") };
        let due_at = world.clock.now().plus_ms(10 * MINUTE_MS);
        assert_eq!((seen.deposit, seen.device), (check_in.id, phone.device));
        assert_eq!((seen.due_at, seen.raise_at), (due_at, due_at.plus_ms(MINUTE_MS)));
        // That it is the phone's, the phone has signed.
        assert_eq!((&seen.timers[..], &seen.identity[..]), (&check_in.timers[..], phone.identity().bytes()));
        check_in.hand_in(&mut world, minutes(None, 60), 2).await;
        assert_eq!(elsewhere(&mut world, &tablet).await[0].timers[..], check_in.timers[..], "the newest");
        assert!(elsewhere(&mut world, &phone).await.is_empty(), "its own it knows");
        let settlement = check_in.settlement_of(&mut world, &tablet, duress);
        for _ in 0..2 {
            assert_eq!(check_in.settled_by(&mut world, &tablet, &settlement).await, DepositState::Settled);
        }
        assert!(elsewhere(&mut world, &tablet).await.is_empty());
        assert_eq!(world.count(&desk, MailKind::Note).await, 1, "whichever PIN it was");
        // Should the phone live after all, it hears who it was, in that device's own words.
        let mut told = world.mail(&phone, 0).await;
        told.retain(|(_, mail)| mail.kind == MailKind::Settlement);
        let [(_, told)] = &told[..] else { panic!("told once") };
        let told: SettledElsewhere = cbor::from_slice(&told.document, "a settlement").unwrap();
        assert_eq!(told.identity[..], *tablet.identity().bytes());
        assert_eq!(told.settlement[..], settlement[..]);
        pass(&world, 180 * MINUTE_MS).await;
        assert_eq!(raised(&mut world).await, 0);
        assert_eq!(check_in.hand_in(&mut world, minutes(None, 60), 2).await, DepositState::Settled);
    }
}

#[tokio::test]
async fn i9_nobody_else_settles_a_check_in_or_sees_that_it_is_there() {
    let mut world = World::new().await;
    let (phone, tablet, mut circle) = phone_and_tablet(&mut world).await;
    let mut check_in = CheckIn::new(&mut world, &phone);
    check_in.hand_in(&mut world, minutes(Some(10), 60), 1).await;
    let stranger = world.phone().await;
    let partner = world.guest_of(&phone).await;
    // Enrolled by the phone, and not let into the dossier yet.
    let waiting = world.device_of(&phone).await;
    for (device, seeing, settling) in [
        (&stranger, (403, "not_allowed"), (409, "conflict")),
        (&partner, (403, "not_allowed"), (409, "conflict")),
        (&waiting, (403, "not_allowed"), (403, "removed")),
    ] {
        world.call_locked(device, "GET", api::DEPOSITS, &[]).await.is(seeing.0, seeing.1);
        let settlement = check_in.settlement_of(&mut world, device, false);
        world.call_locked(device, "POST", api::SETTLEMENTS, &settlement).await.is(settling.0, settling.1);
    }
    // The tablet was stolen, and taken out.
    circle.record(&mut world, &phone, Operation::Freeze { cut: cut(&tablet, 0) }).await;
    world.call_locked(&tablet, "GET", api::DEPOSITS, &[]).await.is(403, "removed");
    let settlement = check_in.settlement_of(&mut world, &tablet, false);
    world.call_locked(&tablet, "POST", api::SETTLEMENTS, &settlement).await.is(403, "removed");
    // The bare note of it may say duress and goes to the desk, as the word of who was taken out.
    let note = Unverified::<Settlement>::parse(&settlement).unwrap().claims().note.to_vec();
    world.call_locked(&tablet, "POST", api::NOTES, &note).await.ok();
    let desk = world.desks[0].clone();
    assert_eq!(world.count(&desk, MailKind::Note).await, 0);
    assert_eq!(world.count(&desk, MailKind::NoteOfRemoved).await, 1);
    // Nor does it pass as a settlement of something that nobody has handed in.
    let unheard_of = CheckIn::new(&mut world, &phone).settlement_of(&mut world, &tablet, false);
    world.call_locked(&tablet, "POST", api::SETTLEMENTS, &unheard_of).await.ok();
    assert_eq!(world.count(&desk, MailKind::Note).await, 0);
    pass(&world, 12 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1);
}

#[tokio::test]
async fn what_the_tablet_settled_before_it_came_is_not_raised_and_what_it_settles_too_late_is_an_alarm() {
    let mut world = World::new().await;
    let (phone, tablet, _) = phone_and_tablet(&mut world).await;
    let mut early = CheckIn::new(&mut world, &phone);
    let settlement = early.settlement_of(&mut world, &tablet, false);
    assert_eq!(early.settled_by(&mut world, &tablet, &settlement).await, DepositState::Settled);
    assert_eq!(early.hand_in(&mut world, minutes(Some(1), 1), 1).await, DepositState::Settled);
    let mut late = CheckIn::new(&mut world, &phone);
    late.hand_in(&mut world, minutes(Some(1), 60), 1).await;
    pass(&world, 5 * MINUTE_MS).await;
    assert_eq!(raised(&mut world).await, 1);
    let settlement = late.settlement_of(&mut world, &tablet, false);
    assert_eq!(late.settled_by(&mut world, &tablet, &settlement).await, DepositState::Raised);
    assert_eq!(world.count(&phone, MailKind::Settlement).await, 0);
}
