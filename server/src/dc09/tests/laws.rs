//! Laws: what is written reads back; what is damaged is refused or says the same; nothing panics.

use baken_schemas::time::Timestamp;
use crc::{CRC_16_ARC, Crc};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::super::field::{MessageId, Sequence};
use super::super::{Content, Element, Header, Key, Message};

fn keys() -> impl Strategy<Value = Option<Key>> {
    let bytes = prop_oneof![Just(16_usize), Just(24), Just(32)]
        .prop_flat_map(|len| proptest::collection::vec(any::<u8>(), len));
    proptest::option::of(bytes.prop_map(|bytes| Key::from_bytes(&bytes).unwrap()))
}

prop_compose! {
    fn messages()(
        id in prop_oneof![Just(MessageId::SiaDcs), Just(MessageId::AdmCid), Just(MessageId::Null), Just(MessageId::Ack)],
        sequence in 0_u16..=9999,
        receiver in proptest::option::of("[0-9A-F]{0,6}"),
        line in "[0-9A-F]{0,6}",
        account in "[0-9A-Za-z]{3,16}",
        data in proptest::option::of("[ -Z^-~]{0,40}"),
        elements in proptest::collection::vec(("[A-JL-Z]", "[ -Z^-z{}~]{0,20}"), 0..6),
        seconds in 0_i64..6_000_000_000,
    ) -> Message {
        Message {
            header: Header {
                id,
                encrypted: false,
                sequence: Sequence::try_from(sequence).unwrap(),
                receiver: receiver.map(|digits| digits.parse().unwrap()),
                line: line.parse().unwrap(),
                account: Some(account.parse().unwrap()),
            },
            content: Content {
                data: data.map_or_else(String::new, |data| format!("#{account}|{data}")),
                elements: elements
                    .into_iter()
                    .map(|(letter, value)| Element { letter: letter.chars().next().unwrap(), value })
                    .collect(),
                made_at: Some(Timestamp(seconds * 1000)),
                carried_key: false,
            },
        }
    }
}

/// Makes check and length right again, as somebody on the line would.
fn mended(frame: &[u8]) -> Vec<u8> {
    let checked = frame.get(9..frame.len().saturating_sub(1)).unwrap_or_default();
    let mut bytes =
        format!("\n{:04X}0{:03X}", Crc::<u16>::new(&CRC_16_ARC).checksum(checked), checked.len()).into_bytes();
    bytes.extend_from_slice(checked);
    bytes.push(b'\r');
    bytes
}

#[derive(Debug, Clone)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Splice(prop::sample::Index),
}

fn harms() -> impl Strategy<Value = Harm> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1_u8..).prop_map(|(at, mask)| Harm::Flip(at, mask)),
        at().prop_map(Harm::Cut),
        (at(), 1_usize..40).prop_map(|(at, count)| Harm::Remove(at, count)),
        (at(), proptest::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Harm::Insert(at, bytes)),
        at().prop_map(Harm::Splice),
    ]
}

impl Harm {
    fn done_to(&self, frame: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = frame.to_vec();
        match self {
            Self::Flip(at, mask) => bytes[at.index(frame.len())] ^= mask,
            Self::Cut(at) => bytes.truncate(at.index(frame.len())),
            Self::Remove(at, count) => {
                let start = at.index(frame.len());
                bytes.drain(start..(start + count).min(frame.len()));
            }
            Self::Insert(at, inserted) => {
                let start = at.index(frame.len());
                bytes.splice(start..start, inserted.iter().copied());
            }
            Self::Splice(at) => {
                let start = at.index(frame.len().min(other.len()));
                bytes.truncate(start);
                bytes.extend_from_slice(&other[start..]);
            }
        }
        bytes
    }
}

proptest! {
    // The check has 16 bits: one splice in 65,536 passes it by right. A fixed seed keeps that out of a test's verdict.
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(9), ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(message in messages(), key in keys(), seed: u64) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let bytes = message.write(key.as_ref(), &mut rng).unwrap();
        let read = Message::read(&bytes, key.as_ref()).unwrap();
        prop_assert_eq!(read.header.encrypted, key.is_some());
        prop_assert_eq!(read.fingerprint(), message.fingerprint());
        prop_assert_eq!(&read.content, &message.content);
        prop_assert_eq!(Header { encrypted: false, ..read.header }, message.header);
    }

    #[test]
    fn a_harmed_frame_is_refused_or_says_the_same(
        message in messages(),
        other in messages(),
        key in keys(),
        harm in harms(),
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let bytes = message.write(key.as_ref(), &mut rng).unwrap();
        let other = other.write(key.as_ref(), &mut rng).unwrap();
        let harmed = harm.done_to(&bytes, &other);
        if let Ok(read) = Message::read(&harmed, key.as_ref()) {
            prop_assert!(harmed == bytes || harmed == other, "took {}", harmed.escape_ascii());
            prop_assert_eq!(Some(read), Message::read(&harmed, key.as_ref()).ok());
        }
        // With the check made right nothing is promised but an error or a message.
        let _ = Message::read(&mended(&harmed), key.as_ref());
    }

    #[test]
    fn another_key_opens_nothing(message in messages(), one: [u8; 16], two: [u8; 16]) {
        prop_assume!(one != two);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let bytes = message.write(Some(&Key::from_bytes(&one).unwrap()), &mut rng).unwrap();
        prop_assert!(Message::read(&bytes, Some(&Key::from_bytes(&two).unwrap())).is_err());
    }

    #[test]
    fn no_bytes_can_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), key in keys()) {
        let _ = Message::read(&bytes, key.as_ref());
        let _ = Message::read(&mended(&bytes), key.as_ref());
    }
}

#[test]
fn an_enciphered_frame_under_another_account_s_name_is_not_opened() {
    let key = super::key();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for (data, opens) in [("#1234|NPA1", true), ("1234|NPA1", true), ("#5678|NPA1", false), ("#12345|NPA1", false)] {
        let message = Message {
            header: Header {
                id: MessageId::SiaDcs,
                encrypted: false,
                sequence: Sequence::FIRST,
                receiver: None,
                line: "0".parse().unwrap(),
                account: Some(super::account("1234")),
            },
            content: Content { data: data.to_owned(), made_at: Some(super::NOON_ISH), ..Content::default() },
        };
        let bytes = message.write(Some(&key), &mut rng).unwrap();
        assert_eq!(Message::read(&bytes, Some(&key)).is_ok(), opens, "{data}");
    }
}

#[test]
fn every_single_bit_of_a_captured_frame_matters() {
    let frame = b"\n3BC6002E\"SIA-DCS\"0001R1L0#1234[#1234|NPA501|ANoodknop]\r";
    assert!(Message::read(frame, None).is_ok());
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut flipped = frame.to_vec();
            flipped[at] ^= 1 << bit;
            assert!(Message::read(&flipped, None).is_err(), "bit {bit} of byte {at}");
        }
        assert!(Message::read(&frame[..at], None).is_err(), "cut at {at}");
    }
}
