//! A family member's phone as a responder, through a real relay in this process: who agrees, who is chosen, what reaches
//! them and what never does.

use baken_core::Baken;
use baken_core::alarm::{AlarmState, Call, Signer};
use baken_core::checkin::NewCheckIn;
use baken_core::pairing::PairInto;
use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, Fix, Position, ReceiptState};
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::id::{AlarmId, CircleId, DeviceId};
use baken_schemas::org::{CallsFamily, Rung};
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;

use crate::town::{PIN, Town};

fn device(phone: &Baken) -> DeviceId {
    phone.status().unwrap().device
}

/// A mayor's phone and their partner's, in a municipality whose ladder calls family, then one desk after the other.
struct Home {
    town: Town,
    phone: Baken,
    partner: Baken,
    circle: CircleId,
}

impl Home {
    /// The partner is in the circle, and nobody has agreed to anything.
    async fn found() -> Self {
        let mut town = Town::found().await;
        let mut directory = town.org.directory.value().clone();
        directory.version += 1;
        directory.ladders[0].rungs.insert(0, Rung { responders: Vec::new(), wait_s: 30, family: CallsFamily::Yes });
        town.org.directory = Signed::make(directory, &town.org.root);
        town.publish(town.org.directory.bytes()).await;
        let phone = town.activated("mayor_phone").await;
        let circle = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
        let (partner, _) = town.pair(&phone, "partner", PairInto::Circle { circle, role: MemberRole::Member }).await;
        let home = Self { town, phone, partner, circle };
        home.sync().await;
        home
    }

    /// The partner agreed, was chosen, and both know it.
    async fn agreed() -> Self {
        let home = Self::found().await;
        home.partner.agree_to_be_called(PIN, "Jan").unwrap();
        home.sync().await;
        home.phone.call_family(PIN, device(&home.partner)).unwrap();
        home.sync().await;
        home
    }

    async fn sync(&self) {
        for _ in 0..2 {
            self.phone.sync(&self.town.network).await.unwrap();
            self.partner.sync(&self.town.network).await.unwrap();
        }
    }

    /// An alarm, sent; the partner's phone, locked, asks for its mail and answers.
    async fn press(&self, kind: AlarmKind) -> AlarmId {
        let position = Position { latitude_e7: 520_907_000, longitude_e7: 51_214_000, accuracy_m: 8, age_s: 4 };
        let (text, countdown_s) = ("achterdeur".to_owned(), 0);
        let call = Call { kind, fix: Fix::At(position), battery_percent: Some(40), text, countdown_s };
        let alarm = self.phone.press(&call).unwrap();
        self.exchange().await;
        alarm
    }

    async fn exchange(&self) {
        self.partner.lock();
        for phone in [&self.phone, &self.partner, &self.partner, &self.phone] {
            phone.alarm_outbox().unwrap().hurry();
            let round = phone.send_alarms(&self.town.network).await.unwrap();
            assert!(round.error.is_none(), "{:?}", round.error);
        }
    }

    fn incoming(&self) -> Vec<(AlarmId, Option<AlarmKind>)> {
        self.partner.incoming_alarms().unwrap().iter().map(|view| (view.alarm, view.kind)).collect()
    }

    async fn pass(&self, seconds: i64) {
        self.town.clock.advance_ms(seconds * 1000);
        self.town.relay.tick(self.town.clock.now()).await.unwrap();
    }

    /// How many of the desks were handed an alarm.
    fn desks_called(&self, alarm: AlarmId) -> usize {
        let partner = device_of(&self.partner);
        let handed = self.town.relay.store().read(|db| {
            let sql = "SELECT count(*) FROM handed WHERE alarm = ?1 AND responder <> ?2";
            Ok::<usize, baken_server::store::StoreError>(db.query_row(sql, (alarm.0, partner.0), |row| row.get(0))?)
        });
        handed.unwrap()
    }
}

/// A device's id, with its vault locked too.
fn device_of(phone: &Baken) -> DeviceId {
    phone.unlock(PIN).unwrap();
    device(phone)
}

#[tokio::test]
async fn i2_the_partner_sees_where_and_who_and_the_caller_sees_their_name() {
    let home = Home::agreed().await;
    let alarm = home.press(AlarmKind::Panic).await;
    assert!(!home.partner.is_unlocked());
    let view = home.partner.incoming_alarm(alarm).unwrap();
    assert_eq!((view.kind, view.proven, view.call_112), (Some(AlarmKind::Panic), true, true));
    assert_eq!(view.caller.as_deref(), Some("mayor_phone"));
    assert_eq!((view.fix_age_s, view.texts.as_slice()), (Some(4), &["achterdeur".to_owned()][..]));
    assert!(matches!(view.fix, Some(Fix::At(position)) if position.latitude_e7 == 520_907_000));
    let received = home.phone.alarm(alarm).unwrap();
    assert_eq!((received.state, received.green), (AlarmState::Received, false), "a machine is no person");
    assert_eq!(received.words(Language::Nl), "Jan (familie): aangekomen; nog niemand heeft het gezien");

    home.partner.acknowledge_alarm(alarm).unwrap();
    home.partner.acknowledge_alarm(alarm).unwrap();
    home.exchange().await;
    let seen = home.phone.alarm(alarm).unwrap();
    assert_eq!((seen.state, seen.green, seen.call_112), (AlarmState::Seen, true, false));
    assert_eq!(seen.words(Language::Nl), "Jan (familie) heeft het gezien");
    assert_eq!(seen.words(Language::En), "Jan (family) has seen it");
    assert_eq!(seen.warnings, []);
    let proof = seen.proof.unwrap();
    assert_eq!((proof.by, proof.officer.as_deref()), (Signer::Family("Jan".to_owned()), Some("Jan")));
    assert!(home.partner.incoming_alarm(alarm).unwrap().acknowledgement_handed_in);
    home.pass(600).await;
    assert_eq!(home.desks_called(alarm), 0, "the first human has it");

    for readable in [true, false] {
        let timeline = home.phone.alarm_timeline(alarm, readable).unwrap();
        let proven = timeline.prove(Some(home.town.org.directory.value().org())).unwrap();
        assert_eq!(proven.faults, []);
        let step = proven.steps.iter().find(|step| step.state == ReceiptState::Seen).unwrap();
        assert_eq!((step.family, step.officer.as_deref()), (true, readable.then_some("Jan")));
    }
}

#[tokio::test]
async fn nobody_is_called_without_their_word_and_none_of_the_persons_own_devices() {
    let home = Home::found().await;
    let tablet = home.town.paired(&home.phone, "mayor_tablet").await;
    let code = |done: Result<(), baken_core::BakenError>| done.unwrap_err().code().to_owned();
    assert_eq!(code(home.phone.call_family(PIN, device(&home.partner))), "not_agreed");
    for own in [&home.phone, &tablet] {
        assert_eq!(code(home.phone.call_family(PIN, device(own))), "no_such_device");
    }
    assert_eq!(code(home.phone.agree_to_be_called(PIN, "Ans")), "not_family");
    assert_eq!(code(home.partner.call_family(PIN, device(&home.phone))), "not_owner");
    home.town.clock.advance_ms(60_000);
    assert_eq!(code(home.partner.agree_to_be_called("000000", "Jan")), "wrong_pin");
    home.town.clock.advance_ms(60_000);
    // Agreed and not chosen is not called.
    home.partner.agree_to_be_called(PIN, "Jan").unwrap();
    home.sync().await;
    let member = &home.phone.family_members().unwrap()[0];
    assert_eq!((member.agreed, member.chosen, member.called), (true, false, false));
    let alarm = home.press(AlarmKind::Panic).await;
    assert_eq!((home.incoming(), home.desks_called(alarm)), (Vec::new(), 1));
}

#[tokio::test]
async fn another_device_of_the_person_seals_to_whom_the_first_has_chosen() {
    let home = Home::agreed().await;
    let tablet = home.town.paired(&home.phone, "mayor_tablet").await;
    for _ in 0..3 {
        tablet.sync(&home.town.network).await.unwrap();
        home.sync().await;
    }
    let call = Call {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(baken_schemas::alarm::FixAbsent::NotYet),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let alarm = tablet.press(&call).unwrap();
    tablet.send_alarms(&home.town.network).await.unwrap();
    home.exchange().await;
    let view = home.partner.incoming_alarm(alarm).unwrap();
    assert_eq!((view.caller.as_deref(), view.proven), (Some("mayor_tablet"), true));
}

#[tokio::test]
async fn an_alarm_of_a_caller_who_is_not_known_yet_rings_and_says_so() {
    let home = Home::found().await;
    home.partner.agree_to_be_called(PIN, "Jan").unwrap();
    home.sync().await;
    home.phone.call_family(PIN, device(&home.partner)).unwrap();
    let alarm = home.press(AlarmKind::Panic).await;
    let view = home.partner.incoming_alarm(alarm).unwrap();
    assert_eq!((view.proven, view.caller, view.kind), (false, None, Some(AlarmKind::Panic)));
}

#[tokio::test]
async fn silent_and_duress_never_reach_the_partner() {
    let home = Home::agreed().await;
    for kind in [AlarmKind::Silent, AlarmKind::Duress] {
        let alarm = home.press(kind).await;
        assert_eq!((home.incoming(), home.desks_called(alarm)), (Vec::new(), 1));
    }
    let alarm = home.press(AlarmKind::Medical).await;
    assert_eq!(home.incoming(), [(alarm, Some(AlarmKind::Medical))]);
}

#[tokio::test]
async fn who_is_taken_out_is_sealed_out_of_every_later_alarm() {
    for by_choice in [true, false] {
        let home = Home::agreed().await;
        let partner = device(&home.partner);
        if by_choice {
            home.phone.stop_calling_family(PIN, partner).unwrap();
        } else {
            home.phone.remove_device(&home.town.network, home.circle, partner, PIN).await.unwrap();
            let members = home.phone.family_members().unwrap();
            assert_eq!((members[0].chosen, members[0].circle, members[0].called), (true, None, false));
        }
        let alarm = home.press(AlarmKind::Panic).await;
        assert_eq!((home.incoming(), home.desks_called(alarm)), (Vec::new(), 1));
    }
}

#[tokio::test]
async fn who_agrees_no_more_is_not_called_and_could_open_nothing() {
    let home = Home::agreed().await;
    home.partner.stop_being_called(PIN).unwrap();
    assert_eq!(home.partner.responds_as().unwrap(), None);
    // The mayor's phone does not know it yet.
    home.press(AlarmKind::Panic).await;
    assert_eq!(home.incoming(), []);
    home.partner.unlock(PIN).unwrap();
    home.sync().await;
    let member = &home.phone.family_members().unwrap()[0];
    assert_eq!((member.agreed, member.chosen, member.called), (false, true, false));
    let alarm = home.press(AlarmKind::Panic).await;
    assert_eq!(home.desks_called(alarm), 1);
}

fn check_in(home: &Home) -> NewCheckIn {
    NewCheckIn {
        due_at: home.town.clock.now().plus_ms(120_000),
        grace_s: 0,
        silent_after_s: None,
        text: "huisbezoek".to_owned(),
        fix: Fix::Absent(baken_schemas::alarm::FixAbsent::NotYet),
        battery_percent: None,
    }
}

#[tokio::test]
async fn a_missed_check_in_rings_the_partner_who_sends_it_on_to_the_desks() {
    let home = Home::agreed().await;
    let id = home.phone.start_check_in(PIN, &check_in(&home)).unwrap();
    home.exchange().await;
    for _ in 0..12 {
        home.pass(10).await;
    }
    home.exchange().await;
    assert_eq!((home.incoming(), home.desks_called(id)), (vec![(id, Some(AlarmKind::Missed))], 0));
    home.partner.acknowledge_alarm(id).unwrap();
    home.exchange().await;
    assert_eq!(home.phone.alarm(id).unwrap().words(Language::Nl), "Jan (familie) heeft het gezien");
    for called in 1..=2 {
        home.town.clock.advance_ms(1000);
        home.partner.escalate_alarm(id, "neemt niet op").unwrap();
        home.exchange().await;
        let escalated = home.partner.incoming_alarm(id).unwrap().escalated.unwrap();
        assert_eq!((escalated.handed_in, home.desks_called(id)), (true, called));
    }
    home.town.clock.advance_ms(1000);
    home.partner.escalate_alarm(id, "").unwrap();
    home.partner.alarm_outbox().unwrap().hurry();
    home.partner.send_alarms(&home.town.network).await.unwrap();
    let escalated = home.partner.incoming_alarm(id).unwrap().escalated.unwrap();
    assert_eq!((escalated.handed_in, escalated.refused.as_deref()), (false, Some("top_of_ladder")));
}

#[tokio::test]
async fn a_check_in_at_the_relay_is_sealed_anew_when_the_partner_is_out() {
    let home = Home::agreed().await;
    let partner = device(&home.partner);
    let id = home.phone.start_check_in(PIN, &check_in(&home)).unwrap();
    home.phone.send_alarms(&home.town.network).await.unwrap();
    let left = |home: &Home| home.phone.family_members().unwrap()[0].check_ins.clone();
    home.phone.stop_calling_family(PIN, partner).unwrap();
    assert_eq!(left(&home), [id], "the relay still has the form that the partner can open");
    home.phone.send_alarms(&home.town.network).await.unwrap();
    assert_eq!(left(&home), []);
    for _ in 0..13 {
        home.pass(10).await;
    }
    home.exchange().await;
    assert_eq!((home.incoming(), home.desks_called(id)), (Vec::new(), 1));
}

#[tokio::test]
async fn a_phone_at_home_that_follows_sends_no_probe_that_would_ring_at_a_desk() {
    let home = Home::agreed().await;
    home.partner.lock();
    let mut rounds = 0;
    let mut tell = |_: &baken_core::alarm::Round| {
        rounds += 1;
        if rounds > 1 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    home.partner.follow_alarms(&home.town.network, &mut tell).await.unwrap();
    assert_eq!(home.partner.probe().unwrap_err().code(), "not_owner");
    let alarms: u32 = home
        .town
        .relay
        .store()
        .read(|db| {
            let count = db.query_row("SELECT count(*) FROM alarm", [], |row| row.get(0))?;
            Ok::<_, baken_server::store::StoreError>(count)
        })
        .unwrap();
    assert_eq!(alarms, 0);
}
