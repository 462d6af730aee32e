//! Alarms by text message: one message, one alarm, whatever is in it and whoever plays it back.

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    AlarmKind, Fix, FixAbsent, MAX_SMS_CHARACTERS, Position, Provenance, SmsBody, SmsNumber, SmsText,
};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::time::Timestamp;
use proptest::prelude::*;

use crate::about_sizes::KINDS;
use crate::vectors::sms::context;
use crate::world::World;

fn bodies() -> impl Strategy<Value = SmsBody> {
    let fix = prop_oneof![
        Just(Fix::Absent(FixAbsent::NotYet)),
        Just(Fix::Absent(FixAbsent::SwitchedOff)),
        Just(Fix::Absent(FixAbsent::NoReceiver)),
        (any::<i32>(), any::<i32>(), any::<u16>(), any::<u16>()).prop_map(
            |(latitude_e7, longitude_e7, accuracy, age)| {
                Fix::At(Position { latitude_e7, longitude_e7, accuracy_m: accuracy.into(), age_s: age.into() })
            }
        ),
    ];
    (prop::sample::select(&KINDS[..]), fix, prop::option::of(0_u8..=100), any::<i64>(), any::<[u8; 32]>()).prop_map(
        |(kind, fix, battery_percent, made_at, card_key)| SmsBody {
            kind,
            fix,
            battery_percent,
            made_at: Timestamp(made_at),
            card_key: SymmetricKey::from_slice(&card_key).expect("32 bytes"),
        },
    )
}

fn numbered(counter: u32) -> SmsNumber {
    SmsNumber { counter, salt: [1, 2, 3, 4] }
}

/// What GSM 7-bit and ASCII share, in one septet each.
fn is_gsm_7(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_alphanumeric() || " +/".contains(character))
}

proptest! {
    #[test]
    fn every_text_fits_one_message_and_says_what_was_sealed(body in bodies(), counter: u32, salt: [u8; 4]) {
        let number = SmsNumber { counter, salt };
        let mut world = World::new(71);
        let (context, keys) = context(&mut world);
        let text = SmsText::seal(&keys, number, &body);
        let sent = text.to_text();
        prop_assert!(sent.len() <= MAX_SMS_CHARACTERS && is_gsm_7(&sent), "{sent}");
        // As gateways bring it: with line ends, and spaces around.
        let read = SmsText::from_text(&format!(" {sent}\r\n")).expect("a text");
        prop_assert_eq!(&read, &text);
        prop_assert_eq!(read.alarm(context.value()), Ok(keys.alarm(number)));
        let desk = &world.desk_west;
        let opened = context.value().open(desk.device, &desk.kem).expect("sealed to it").expect("a slot");
        let (found, content) = read.open(&opened).expect("opens");
        prop_assert!(found == body);
        prop_assert!(content == keys.content(number));
        let alarm = found.into_alarm_body("Brug");
        prop_assert_eq!(alarm.kind, body.kind);
        prop_assert_eq!(alarm.provenance, Provenance::Sms { bridge: "Brug".to_owned() });
    }

    #[test]
    fn every_text_has_one_size(one in bodies(), other in bodies()) {
        let (_, keys) = context(&mut World::new(72));
        let [one, other] = [(1, one), (u32::MAX, other)].map(|(counter, body)| SmsText::seal(&keys, numbered(counter), &body));
        prop_assert_eq!(one.to_text().len(), other.to_text().len());
    }

    #[test]
    fn no_text_can_be_altered(body in bodies(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let (context, keys) = context(&mut World::new(73));
        let mut bytes = SmsText::seal(&keys, numbered(7), &body).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let told = SmsText::from_bytes(&bytes).and_then(|text| text.alarm(context.value()));
        prop_assert!(told.is_err(), "the relay took byte {at} for true");
        let in_the_seal = (17..104).contains(&at);
        let opened = SmsText::from_bytes(&bytes).and_then(|text| text.open(&keys));
        prop_assert!(opened.is_err() || !in_the_seal, "a desk took byte {at} for true");
    }
}

#[test]
fn another_number_is_another_alarm_and_another_key() {
    let (_, keys) = context(&mut World::new(74));
    let body = SmsBody {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        made_at: Timestamp(0),
        card_key: keys.key.clone(),
    };
    // The next one, and the same one of a phone that counts anew.
    let recounted = SmsNumber { salt: [9; 4], ..numbered(1) };
    let one = SmsText::seal(&keys, numbered(1), &body);
    for number in [numbered(2), recounted] {
        let other = SmsText::seal(&keys, number, &body);
        assert_ne!(keys.alarm(numbered(1)), keys.alarm(number));
        assert_ne!(one.hash(), other.hash());
        assert_ne!(one.to_bytes()[17..104], other.to_bytes()[17..104]);
    }
    // The same again is the same: a text that is sent twice, or played back, is one alarm.
    assert_eq!(SmsText::seal(&keys, numbered(1), &body), one);
}

#[test]
fn another_phones_text_is_not_taken_for_this_ones() {
    let mut world = World::new(75);
    let ((mine, _), (_, theirs)) = (context(&mut world), context(&mut world));
    let body = SmsBody {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        made_at: Timestamp(0),
        card_key: theirs.key.clone(),
    };
    let text = SmsText::seal(&theirs, numbered(1), &body);
    assert!(matches!(text.alarm(mine.value()), Err(FormatError::Signature { .. })));
}

#[test]
fn other_texts_are_refused_quietly() {
    for text in ["", "BAKEN", "BAKEN ", "Bel me even", "BAKEN AAAA", "BAKEN \u{1f6a8}", &"BAKEN ".repeat(80)] {
        assert!(SmsText::from_text(text).is_err(), "{text}");
    }
    let newer = format!("BAKEN {}", data_encoding::BASE64_NOPAD.encode(&[1; 112]));
    assert!(matches!(SmsText::from_text(&newer), Err(FormatError::WrongDocument { .. })));
}
