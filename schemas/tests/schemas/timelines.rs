//! The timeline of an alarm: what it proves, and that nothing altered, left out between or slipped in passes.

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmKind, ContentKey, Fault, Receipt, ReceiptDetail, ReceiptState, Timeline, Update, UpdateBody,
};
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::OrgId;
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use proptest::prelude::*;

use crate::world::{World, alarm_body};

struct Told {
    world: World,
    alarm: Signed<Alarm>,
    content: ContentKey,
    timeline: Timeline,
}

fn receipt(
    world: &mut World,
    (alarm, content): (&Signed<Alarm>, &ContentKey),
    (by, state, at): (&DeviceKeys, ReceiptState, i64),
    prev: Hash,
) -> Signed<Receipt> {
    let receipt = Receipt {
        alarm: alarm.value().header.alarm,
        alarm_hash: alarm.hash(),
        state,
        at: Timestamp(at),
        by: by.device,
        prev,
        detail: Vec::new(),
    };
    let detail = ReceiptDetail { officer: "A. de Vries".into(), text: "teruggebeld".into() };
    let detail = state.is_by_human().then_some((&detail, content));
    Receipt::make(receipt, detail, &by.sig, &mut world.rng).expect("the detail fits")
}

/// Stored, received, seen and closed, with one update.
fn told(seed: u64) -> Told {
    let mut world = World::new(seed);
    let header = world.alarm_header();
    let (directory, key) = (world.directory.clone(), world.mayor_phone.alarm.clone());
    let body = alarm_body(AlarmKind::Panic);
    let (alarm, content) = Alarm::seal(header, &body, directory.value(), &key, &mut world.rng).expect("the alarm fits");
    let mut timeline = Timeline::new(directory.bytes(), key.verify_key(), alarm.bytes(), Some(&content));
    let update = UpdateBody {
        fix: body.fix,
        battery_percent: None,
        text: "achterom".into(),
        made_at: Timestamp(9),
        attachment: None,
    };
    let id = (header.alarm, header.device, 1);
    let update = Update::seal(id, &update, &content, &key, &mut world.rng).expect("the update fits");
    timeline.updates.push(update.bytes().to_vec().into());
    let (relay, desk) = (world.relay.clone(), world.desk_east.clone());
    let about = (&alarm, &content);
    let stored = receipt(&mut world, about, (&relay, ReceiptState::Stored, 1), Hash::ZERO);
    let received = receipt(&mut world, about, (&desk, ReceiptState::Received, 2), Hash::ZERO);
    let seen = receipt(&mut world, about, (&desk, ReceiptState::Seen, 3), received.hash());
    let closed = receipt(&mut world, about, (&desk, ReceiptState::Closed, 4), seen.hash());
    timeline.receipts = [stored, received, seen, closed].iter().map(|one| one.bytes().to_vec().into()).collect();
    Told { world, alarm, content, timeline }
}

#[test]
fn a_timeline_proves_who_called_what_followed_and_who_had_it() {
    let Told { world, alarm, timeline, .. } = told(50);
    let read = Timeline::parse(&timeline.to_bytes()).expect("it was just written");
    assert_eq!(read, timeline);
    let proven = read.prove(Some(world.org())).expect("everything holds");
    assert_eq!(proven.faults, []);
    assert_eq!((proven.alarm, proven.organisation.as_str()), (alarm.value().header.alarm, "Gemeente Voorbeeld"));
    let states: Vec<ReceiptState> = proven.steps.iter().map(|step| step.state).collect();
    assert_eq!(
        states,
        [ReceiptState::Stored, ReceiptState::Received, ReceiptState::Seen, ReceiptState::Closed],
        "by time"
    );
    assert_eq!((proven.steps[0].desk.as_deref(), proven.steps[0].officer.as_deref()), (None, None));
    assert_eq!(proven.steps[2].desk.as_deref(), Some("Meldkamer Oost"));
    assert_eq!(proven.steps[2].officer.as_deref(), Some("A. de Vries"));
    assert_eq!(proven.says.expect("it was opened").kind, AlarmKind::Panic);
    assert_eq!(proven.updates[0].text.as_deref(), Some("achterom"));
}

#[test]
fn what_was_said_of_its_text_message_belongs_to_it_and_says_so() {
    let Told { mut world, alarm, content, mut timeline } = told(57);
    let text = Hash([9; 32]);
    let desk = world.desk_east.clone();
    let of_text = |state, at, prev| Receipt {
        alarm: alarm.value().header.alarm,
        alarm_hash: text,
        state,
        at: Timestamp(at),
        by: desk.device,
        prev,
        detail: Vec::new(),
    };
    let received = Receipt::make(of_text(ReceiptState::Received, 0, Hash::ZERO), None, &desk.sig, &mut world.rng);
    let received = received.expect("there is no detail");
    let seen = Receipt::make(of_text(ReceiptState::Seen, 1, received.hash()), None, &desk.sig, &mut world.rng);
    let both = [received, seen.expect("there is no detail")];
    timeline.receipts.extend(both.iter().map(|one| one.bytes().to_vec().into()));
    let org = Some(world.org());
    assert_eq!(timeline.prove(org).expect("it is signed").faults.len(), 2, "of bytes that nobody names");
    timeline.text = Some(text);
    let proven = timeline.prove(org).expect("it is signed");
    assert_eq!(proven.faults, []);
    assert_eq!(proven.steps.iter().filter(|step| step.by_text).count(), 2);
    drop(content);
}

#[test]
fn sealed_it_proves_the_steps_and_shows_nothing() {
    let Told { world, mut timeline, .. } = told(51);
    timeline.content_key = None;
    let proven = timeline.prove(Some(world.org())).expect("everything holds");
    assert!(proven.faults.is_empty() && proven.says.is_none() && proven.updates[0].text.is_none());
    assert_eq!(proven.steps.len(), 4);
    let shown = serde_json::to_string(&proven).expect("it is JSON");
    for word in ["Vries", "teruggebeld", "achterom", "voor de deur", "519225000"] {
        assert!(!shown.contains(word), "{word}");
    }
}

#[test]
fn another_organisation_sender_or_alarm_proves_nothing() {
    let Told { world, timeline, .. } = told(52);
    let other = told(53);
    assert!(matches!(timeline.prove(Some(OrgId(Hash([1; 32])))), Err(FormatError::Signature { .. })));
    let mut swapped = timeline.clone();
    swapped.sender = other.world.mayor_phone.alarm.verify_key();
    assert!(matches!(swapped.prove(Some(world.org())), Err(FormatError::Signature { .. })));
    let mut swapped = timeline;
    swapped.directory = other.timeline.directory;
    assert!(swapped.prove(Some(world.org())).is_err());
    // Its own organisation vouches for nobody in it.
    let proven = swapped.prove(None).expect("the alarm itself is signed");
    assert_eq!((proven.steps.len(), proven.faults.len()), (0, 4));
}

#[test]
fn what_is_left_out_doubled_or_of_another_alarm_shows() {
    let Told { mut world, alarm, content, timeline } = told(54);
    let other = told(55);
    let org = Some(world.org());

    let mut without = timeline.clone();
    without.receipts.remove(2);
    assert_eq!(without.prove(org).expect("it is signed").faults, [Fault::Missing { number: 3 }]);

    let desk = world.desk_east.clone();
    let rival = receipt(&mut world, (&alarm, &content), (&desk, ReceiptState::Verified, 5), Hash::ZERO);
    let mut doubled = timeline.clone();
    doubled.receipts.push(rival.bytes().to_vec().into());
    assert_eq!(doubled.prove(org).expect("it is signed").faults, [Fault::Contradicting { number: 5 }]);

    let mut foreign = timeline.clone();
    foreign.receipts.extend(other.timeline.receipts.first().cloned());
    foreign.updates.extend(other.timeline.updates.first().cloned());
    let faults = foreign.prove(org).expect("it is signed").faults;
    assert_eq!(faults, [Fault::Update { number: 2 }, Fault::Receipt { number: 5 }]);

    let mut wrong_key = timeline;
    wrong_key.content_key = other.timeline.content_key;
    let proven = wrong_key.prove(org).expect("it is signed");
    assert!(proven.faults == [Fault::NotOpened] && proven.says.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Wherever a byte is flipped: it is refused, shows as a fault, or what it proves is the same.
    #[test]
    fn no_flipped_byte_changes_what_is_proven(at: prop::sample::Index, bit in 0_u8..8) {
        let Told { world, timeline, .. } = told(56);
        let proven = timeline.prove(Some(world.org())).expect("everything holds");
        let mut bytes = timeline.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = Timeline::parse(&bytes).and_then(|timeline| timeline.prove(Some(world.org()))) {
            prop_assert!(!altered.faults.is_empty() || altered == proven, "byte {}", at);
        }
    }
}
