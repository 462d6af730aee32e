//! Family members' devices on a ladder: called when it says so and only if they belong to the caller, heard, and never told
//! what is for desks.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, DepositTimers, Escalation, FamilyResponder,
    Raise, Receipt, ReceiptState,
};
use baken_schemas::api::{self, Deposit, MailKind};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::crypto::{Hash, KemSecret};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::AlarmId;
use baken_schemas::org::{CallsFamily, Directory, Rung};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Clock as _;
use baken_server::relay::FOLLOW_UP_MS;

use crate::relay::circles::Circle;
use crate::relay::world::{Answer, FIRST_WAIT_MS, SECOND_WAIT_MS, World, alarm_body};

/// A mayor's phone, their partner's in the family circle, and the ladder partner, first desk, second desk.
struct Home {
    world: World,
    phone: DeviceKeys,
    partner: DeviceKeys,
    kem: KemSecret,
    circle: Circle,
}

impl Home {
    async fn found() -> Self {
        let mut world = World::new().await;
        let mut directory: Directory = world.directory.value().clone();
        directory.version += 1;
        let rungs = &mut directory.ladders[0].rungs;
        let first = rungs[0].clone();
        rungs.insert(0, Rung { responders: Vec::new(), family: CallsFamily::Yes, ..first });
        directory.ladders[0].version += 1;
        world.directory = Signed::make(directory, &world.root);
        world.publish(world.directory.bytes()).await.ok();
        let phone = world.phone().await;
        let partner = world.guest_of(&phone).await;
        let mut circle = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
        circle.add(&mut world, &phone, &partner, MemberRole::Member).await;
        let kem = KemSecret::make(&mut world.rng);
        Self { world, phone, partner, kem, circle }
    }

    fn responder(&self, device: &DeviceKeys) -> FamilyResponder {
        FamilyResponder { device: device.device, alarm: device.alarm.verify_key(), kem: self.kem.public() }
    }

    fn sealed(
        &mut self,
        class: AlarmClass,
        kind: AlarmKind,
        chosen: &[FamilyResponder],
    ) -> (Signed<Alarm>, ContentKey) {
        let directory = self.world.directory.value();
        let header = AlarmHeader {
            alarm: AlarmId::make(&mut self.world.rng),
            device: self.phone.device,
            class,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        let content = ContentKey::make(&mut self.world.rng);
        let body = AlarmBody { kind, ..alarm_body() };
        let to = (directory, chosen);
        let alarm = Alarm::seal_under(&content, header, &body, to, &self.phone.alarm, &mut self.world.rng);
        (alarm.unwrap(), content)
    }

    /// An alarm of this kind, sent, sealed to these.
    async fn press(&mut self, kind: AlarmKind, chosen: &[FamilyResponder]) -> Signed<Alarm> {
        let (alarm, _) = self.sealed(AlarmClass::Alarm, kind, chosen);
        let phone = self.phone.clone();
        self.world.press(&phone, &alarm).await.ok();
        alarm
    }

    async fn press_to_partner(&mut self) -> Signed<Alarm> {
        let partner = self.responder(&self.partner);
        self.press(AlarmKind::Panic, &[partner]).await
    }

    fn says(&self, who: &DeviceKeys, alarm: &Signed<Alarm>, state: ReceiptState) -> Signed<Receipt> {
        let receipt = self.world.receipt(who, alarm, state).into_value();
        Signed::make(receipt, &who.alarm)
    }

    /// That they have seen it, once more.
    fn says_after(&self, who: &DeviceKeys, alarm: &Signed<Alarm>, prev: Hash) -> Signed<Receipt> {
        let receipt = self.says(who, alarm, ReceiptState::Seen).into_value();
        Signed::make(Receipt { prev, at: self.world.clock.now(), ..receipt }, &who.alarm)
    }

    async fn send(&mut self, who: &DeviceKeys, receipt: &Signed<Receipt>) -> Answer {
        self.world.call_locked(who, "POST", api::RECEIPTS, receipt.bytes()).await
    }

    async fn escalate(&mut self, who: &DeviceKeys, alarm: &Signed<Alarm>) -> Answer {
        let id = alarm.value().header.alarm;
        let at = self.world.clock.now();
        let escalation = Escalation { alarm: id, alarm_hash: alarm.hash(), at, by: who.device, detail: Vec::new() };
        let escalation = Signed::make(escalation, &who.alarm);
        self.world.call_locked(who, "POST", api::ESCALATIONS, escalation.bytes()).await
    }

    /// What a device was told of how far it is, by whomever.
    async fn told(&mut self, who: &DeviceKeys) -> Vec<Receipt> {
        let mail = self.world.mail(who, 0).await.into_iter().filter(|(_, mail)| mail.kind == MailKind::Receipt);
        mail.map(|(_, mail)| Unverified::<Receipt>::parse(&mail.document).unwrap().claims().clone()).collect()
    }

    async fn called(&mut self, who: &DeviceKeys) -> usize {
        self.world.count(who, MailKind::Alarm).await
    }

    async fn pass(&mut self, ms: i64) {
        self.world.clock.advance(ms);
        self.world.relay.tick(self.world.clock.now()).await.unwrap();
    }
}

#[tokio::test]
async fn the_partner_is_called_first_and_the_desk_when_nobody_answers() {
    let mut home = Home::found().await;
    let (partner, desk) = (home.partner.clone(), home.world.desks[0].clone());
    let alarm = home.press_to_partner().await;
    assert_eq!((home.called(&partner).await, home.called(&desk).await), (1, 0));
    let received = home.says(&partner, &alarm, ReceiptState::Received);
    home.send(&partner, &received).await.ok();
    home.pass(FIRST_WAIT_MS).await;
    assert_eq!(home.called(&desk).await, 1);
    // What the partner's machine said came along.
    assert_eq!(home.world.count(&desk, MailKind::Receipt).await, 2);
}

#[tokio::test]
async fn seen_by_the_partner_stops_the_climb_and_everybody_handed_is_told() {
    let mut home = Home::found().await;
    let (partner, phone, desk) = (home.partner.clone(), home.phone.clone(), home.world.desks[0].clone());
    let alarm = home.press_to_partner().await;
    let seen = home.says(&partner, &alarm, ReceiptState::Seen);
    home.send(&partner, &seen).await.ok();
    home.pass(FOLLOW_UP_MS - 1).await;
    assert_eq!(home.called(&desk).await, 0);
    assert_eq!(home.world.count(&phone, MailKind::Receipt).await, 1);
    // Whoever is handed it may read what was said; another guest of the account may not.
    let path = api::ALARM_RECEIPTS.replace("{alarm}", &alarm.value().header.alarm.to_string());
    home.world.call_locked(&partner, "GET", &path, &[]).await.ok();
    let other = home.world.guest_of(&phone).await;
    home.world.call_locked(&other, "GET", &path, &[]).await.is(404, "not_found");
}

#[tokio::test]
async fn the_partner_speaks_for_no_desk_and_reads_no_card() {
    let mut home = Home::found().await;
    let (partner, phone) = (home.partner.clone(), home.phone.clone());
    let alarm = home.press_to_partner().await;
    for state in [ReceiptState::Verified, ReceiptState::Underway, ReceiptState::Closed, ReceiptState::Exhausted] {
        let receipt = home.says(&partner, &alarm, state);
        home.send(&partner, &receipt).await.is(422, "rule_broken");
    }
    let by_main_key = home.world.receipt(&partner, &alarm, ReceiptState::Seen);
    home.send(&partner, &by_main_key).await.is(422, "bad_signature");
    let card = api::CARD.replace("{device}", &phone.device.to_string());
    home.world.call(&partner, "GET", &card, &[]).await.is(403, "not_allowed");
}

#[tokio::test]
async fn nobody_answers_an_alarm_of_their_own() {
    let mut home = Home::found().await;
    let phone = home.phone.clone();
    let tablet = home.world.device_of(&phone).await;
    let chosen = [home.responder(&tablet), home.responder(&phone)];
    let desk = home.world.desks[0].clone();
    let alarm = home.press(AlarmKind::Panic, &chosen).await;
    assert_eq!((home.called(&tablet).await, home.called(&desk).await), (0, 1), "the empty rung is passed at once");
    for own in [&tablet, &phone] {
        let seen = home.says(own, &alarm, ReceiptState::Seen);
        home.send(own, &seen).await.is(403, "not_handed");
        home.escalate(own, &alarm).await.is(403, "not_handed");
    }
}

#[tokio::test]
async fn only_an_active_member_of_the_callers_own_family_is_called() {
    let mut home = Home::found().await;
    let (phone, partner) = (home.phone.clone(), home.partner.clone());
    let desk = home.world.desks[0].clone();
    // A guest of the account in no circle, somebody else's phone, and somebody else's guest.
    let stranger = home.world.phone().await;
    let others = [home.world.guest_of(&phone).await, stranger.clone(), home.world.guest_of(&stranger).await];
    for other in &others {
        let chosen = home.responder(other);
        home.press(AlarmKind::Panic, &[chosen]).await;
        assert_eq!(home.called(other).await, 0);
    }
    assert_eq!(home.called(&desk).await, 3);
    let mut circle = home.circle;
    circle.remove(&mut home.world, &phone, &partner, 0).await;
    home.circle = circle;
    home.press_to_partner().await;
    assert_eq!((home.called(&partner).await, home.called(&desk).await), (0, 4));
}

#[tokio::test]
async fn silent_and_duress_go_to_the_desk_at_once_and_have_the_same_size() {
    let mut home = Home::found().await;
    let (partner, desk) = (home.partner.clone(), home.world.desks[0].clone());
    let chosen = [home.responder(&partner)];
    let usual = home.press(AlarmKind::Panic, &chosen).await.bytes().len();
    for (before, kind) in [AlarmKind::Silent, AlarmKind::Duress, AlarmKind::Probe].into_iter().enumerate() {
        let alarm = home.press(kind, &chosen).await;
        assert_eq!(alarm.bytes().len(), usual);
        assert!(alarm.value().slots.iter().all(|slot| slot.responder != partner.device), "nor does a slot name them");
        assert_eq!((home.called(&partner).await, home.called(&desk).await), (1, before + 1));
    }
}

#[tokio::test]
async fn escalating_calls_the_next_rung_at_once_and_goes_on_until_somebody_there_has_it() {
    let mut home = Home::found().await;
    let (partner, phone) = (home.partner.clone(), home.phone.clone());
    let (first, second) = (home.world.desks[0].clone(), home.world.desks[1].clone());
    let alarm = home.press_to_partner().await;
    let seen = home.says(&partner, &alarm, ReceiptState::Seen);
    home.send(&partner, &seen).await.ok();
    home.escalate(&partner, &alarm).await.ok();
    assert_eq!(home.called(&first).await, 1);
    assert_eq!(home.world.count(&first, MailKind::Escalation).await, 1);
    assert_eq!(home.world.count(&phone, MailKind::Escalation).await, 1);
    // The very same document climbs no further.
    home.escalate(&partner, &alarm).await.ok();
    assert_eq!(home.called(&second).await, 0);
    // That the partner has it does not end what the partner began.
    let again = home.says(&partner, &alarm, ReceiptState::Seen).into_value();
    let again = Signed::make(Receipt { prev: seen.hash(), ..again }, &partner.alarm);
    home.send(&partner, &again).await.ok();
    home.pass(FIRST_WAIT_MS).await;
    assert_eq!(home.called(&second).await, 1);
    let by_desk = home.world.receipt(&second, &alarm, ReceiptState::Seen);
    home.world.send_receipt(&second, &by_desk).await.ok();
    // Longer than any wait of the ladder, and not so long that something should have followed.
    home.pass(5 * SECOND_WAIT_MS).await;
    assert_eq!(home.world.count(&second, MailKind::Receipt).await, 3, "it did not run out");
    home.world.clock.advance(1);
    home.escalate(&partner, &alarm).await.is(409, "top_of_ladder");
    let found: Vec<String> = home.world.audited("ladder_escalated").into_iter().map(|(_, result)| result).collect();
    assert_eq!(found, ["ok"]);
}

#[tokio::test]
async fn a_desk_escalates_too_and_a_stranger_does_not() {
    let mut home = Home::found().await;
    let (first, second) = (home.world.desks[0].clone(), home.world.desks[1].clone());
    let alarm = home.press(AlarmKind::Silent, &[]).await;
    let escalation = |by: &DeviceKeys, at| {
        let id = alarm.value().header.alarm;
        let escalation = Escalation { alarm: id, alarm_hash: alarm.hash(), at, by: by.device, detail: Vec::new() };
        Signed::make(escalation, &by.sig).bytes().to_vec()
    };
    let at = home.world.clock.now();
    let early = home.world.call(&second, "POST", api::ESCALATIONS, &escalation(&second, at)).await;
    early.is(403, "not_handed");
    let forged = home.world.call(&first, "POST", api::ESCALATIONS, &escalation(&second, at)).await;
    forged.is(422, "bad_signature");
    home.world.call(&first, "POST", api::ESCALATIONS, &escalation(&first, at)).await.ok();
    assert_eq!(home.called(&second).await, 1);
    // The wait is that of the new rung.
    assert_eq!(home.world.relay.tick(at).await.unwrap(), Some(at.plus_ms(SECOND_WAIT_MS)));
}

#[tokio::test]
async fn a_missed_check_in_rings_the_partner_first_and_one_that_a_desk_has_raised_does_not() {
    for quiet in [false, true] {
        let mut home = Home::found().await;
        let (partner, desk) = (home.partner.clone(), home.world.desks[0].clone());
        let chosen = [home.responder(&partner)];
        let (alarm, _) = home.sealed(AlarmClass::Deposit, AlarmKind::Missed, &chosen);
        let deposit = alarm.value().header.alarm;
        let timers = DepositTimers {
            deposit,
            device: home.phone.device,
            seq: 1,
            sealed: alarm.hash(),
            desk: desk.device,
            due_in_s: Some(60),
            silent_after_s: 3600,
            grace_s: 0,
        };
        let timers = Signed::make(timers, &home.phone.alarm);
        let body = Deposit { timers: timers.bytes().to_vec().into(), alarm: alarm.bytes().to_vec().into() };
        let phone = home.phone.clone();
        home.world.call_locked(&phone, "POST", api::DEPOSITS, &cbor::to_vec(&body)).await.ok();
        if quiet {
            let raise = Signed::make(Raise { deposit, desk: desk.device }, &desk.sig);
            home.world.call(&desk, "POST", api::RAISES, raise.bytes()).await.ok();
            assert_eq!((home.called(&partner).await, home.called(&desk).await), (0, 1));
            continue;
        }
        for _ in 0..7 {
            home.pass(10_000).await;
        }
        assert_eq!((home.called(&partner).await, home.called(&desk).await), (1, 0));
        home.pass(FIRST_WAIT_MS).await;
        assert_eq!(home.called(&desk).await, 1);
    }
}

#[tokio::test]
async fn a_ladder_whose_desks_have_left_never_ends_at_the_family() {
    let mut home = Home::found().await;
    let (partner, second) = (home.partner.clone(), home.world.desks[1].clone());
    let old = home.world.directory.value().clone();
    home.world.leave_only(&second, old.version + 1).await;
    let chosen = [home.responder(&partner)];
    // By the ladder of a directory that both desks were on.
    home.press(AlarmKind::Panic, &chosen).await;
    assert_eq!(home.called(&partner).await, 1);
    home.pass(FIRST_WAIT_MS).await;
    assert_eq!(home.called(&second).await, 1);
    // And when none of its desks is left, whoever there is.
    let third = DeviceKeys::make(&mut home.world.rng);
    home.world.leave_only(&third, old.version + 2).await;
    home.press(AlarmKind::Panic, &chosen).await;
    assert_eq!((home.called(&partner).await, home.called(&third).await), (1, 1));
}

#[tokio::test]
async fn what_family_has_seen_and_nothing_follows_on_gets_to_a_desk_and_they_end_that_climb_no_more() {
    let mut home = Home::found().await;
    let (partner, phone) = (home.partner.clone(), home.phone.clone());
    let (first, second) = (home.world.desks[0].clone(), home.world.desks[1].clone());
    let alarm = home.press_to_partner().await;
    let seen = home.says(&partner, &alarm, ReceiptState::Seen);
    home.send(&partner, &seen).await.ok();
    home.pass(FOLLOW_UP_MS - 10_000).await;
    // Saying it again puts nothing off.
    let again = home.says_after(&partner, &alarm, seen.hash());
    home.send(&partner, &again).await.ok();
    home.world.restart().await;
    home.pass(9_999).await;
    assert_eq!(home.called(&first).await, 0);
    home.pass(1).await;
    assert_eq!(home.called(&first).await, 1);
    for device in [&phone, &partner, &first] {
        let told = home.told(device).await;
        let last = told.last().unwrap();
        assert_eq!((last.state, last.by), (ReceiptState::Reopened, home.world.relay_keys.device));
    }
    // The desk reads that the partner had it. That they have it still stops nothing: a desk was called for good.
    assert!(home.told(&first).await.iter().any(|receipt| receipt.by == partner.device));
    let still = home.says_after(&partner, &alarm, again.hash());
    home.send(&partner, &still).await.ok();
    home.pass(FIRST_WAIT_MS + SECOND_WAIT_MS).await;
    assert_eq!(home.called(&second).await, 1);
    // The desk does.
    let seen = home.world.receipt(&second, &alarm, ReceiptState::Seen);
    home.world.send_receipt(&second, &seen).await.ok();
    home.pass(FOLLOW_UP_MS - 1).await;
    assert!(!home.told(&phone).await.iter().any(|receipt| receipt.state == ReceiptState::Exhausted));
}

#[tokio::test]
async fn a_desk_that_has_it_too_is_waited_for_and_not_the_family() {
    let mut home = Home::found().await;
    let (partner, first, second) = (home.partner.clone(), home.world.desks[0].clone(), home.world.desks[1].clone());
    let alarm = home.press_to_partner().await;
    home.escalate(&partner, &alarm).await.ok();
    let seen = home.says(&partner, &alarm, ReceiptState::Seen);
    home.send(&partner, &seen).await.ok();
    let by_desk = home.world.receipt(&first, &alarm, ReceiptState::Seen);
    home.world.send_receipt(&first, &by_desk).await.ok();
    let verified = home.world.receipt_after(&first, &alarm, ReceiptState::Verified, by_desk.hash());
    home.world.send_receipt(&first, &verified).await.ok();
    home.pass(10 * FOLLOW_UP_MS).await;
    assert_eq!(home.called(&second).await, 0);
}
