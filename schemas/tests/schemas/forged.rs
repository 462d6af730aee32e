//! Altered bytes never open: no flipped bit, no cut, no splice of two, nothing appended, no slots in another order.

use baken_schemas::alarm::Alarm;
use baken_schemas::cbor;
use baken_schemas::signed::{Document, Unverified};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use proptest::prelude::*;

use crate::cases::{self, COUNT, Case};

/// Documents up to this size are tried with every single bit flipped, larger ones with a stride over all bytes.
const EVERY_BIT_UP_TO: usize = 1024;

fn cases_named(name: &str) -> Vec<Case> {
    cases::all(1).into_iter().filter(|case| case.name == name).collect()
}

fn refused(case: &Case, bytes: &[u8], how: &str) {
    assert!(!case.instances.iter().any(|good| good == bytes), "{}: {how} changed nothing", case.name);
    assert!((case.open)(bytes).is_err(), "{}: {how} still opens", case.name);
}

#[test]
fn what_was_sealed_opens() {
    let cases = cases::all(1);
    assert_eq!(cases.len(), COUNT);
    for case in &cases {
        for good in &case.instances {
            assert_eq!((case.open)(good), Ok(()), "{}", case.name);
        }
    }
}

#[test]
fn no_flipped_bit_opens() {
    for case in cases::all(2) {
        let good = &case.instances[0];
        // A prime stride meets every bit position and, over the bytes, every field.
        let stride = if good.len() <= EVERY_BIT_UP_TO { 1 } else { (good.len() * 8 / 4096) | 1 };
        for bit in (0..good.len() * 8).step_by(stride) {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused(&case, &bytes, &format!("bit {bit} flipped"));
        }
    }
}

#[test]
fn no_cut_opens() {
    for case in cases::all(3) {
        let good = &case.instances[0];
        for len in 0..good.len() {
            refused(&case, &good[..len], &format!("cut to {len} bytes"));
        }
    }
}

#[test]
fn nothing_can_be_appended() {
    for case in cases::all(4) {
        for more in [&[0_u8][..], &[0xff], &[0x80], &[0xf6], &case.instances[1]] {
            refused(&case, &[&case.instances[0], more].concat(), "appended bytes");
        }
    }
}

/// Every combination of the parts of two instances: the signature of one on the payload of the other, the header of
/// one with the seal of the other.
#[test]
fn no_parts_of_two_instances_make_a_third() {
    for case in cases::all(5) {
        let bare = parts(&case.instances[0]).is_none();
        let [one, two] = [0, 1].map(|at| match parts(&case.instances[at]) {
            Some(parts) => parts,
            None => parts_of_seal(&case.instances[at]),
        });
        assert_eq!(one.len(), two.len());
        for mask in 1..(1_u32 << one.len()) - 1 {
            let pick = |at: usize| if mask & (1 << at) == 0 { &one[at] } else { &two[at] };
            let picked = (0..one.len()).map(pick);
            let spliced = if bare { picked.flatten().copied().collect() } else { array(one.len(), picked) };
            if case.instances.contains(&spliced) {
                continue;
            }
            refused(&case, &spliced, &format!("parts mixed by {mask:b}"));
        }
    }
}

#[test]
fn slots_in_another_order_are_refused() {
    let case = cases_named(Alarm::LABEL).remove(0);
    let envelope = parts(&case.instances[0]).expect("an envelope");
    let payload = minicbor::decode::<minicbor::bytes::ByteVec>(&envelope[1]).expect("a payload");
    let mut alarm: Alarm = cbor::from_slice(&payload, Alarm::LABEL).expect("an alarm");
    alarm.slots.reverse();
    let payload = cbor::to_vec(&minicbor::bytes::ByteVec::from(cbor::to_vec(&alarm)));
    let reordered = array(3, [&envelope[0], &payload, &envelope[2]]);
    assert!(Unverified::<Alarm>::parse(&reordered).is_ok(), "well-formed, so only the signature stands in the way");
    refused(&case, &reordered, "slots reversed");
}

/// A document of one kind is not taken for another, though both are well-formed and signed by the same key.
#[test]
fn no_format_is_taken_for_another() {
    let cases = cases::all(6);
    for case in &cases {
        for other in cases.iter().filter(|other| other.name != case.name) {
            refused(case, &other.instances[0], &format!("a {}", other.name));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_random_damage_opens(
        which in 0..COUNT,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        splice in any::<prop::sample::Index>(),
        spliced in any::<bool>(),
    ) {
        thread_local!(static CASES: Vec<Case> = cases::all(7));
        CASES.with(|cases| {
            let case = &cases[which];
            let mut bytes = case.instances[0].clone();
            if spliced {
                let at = splice.index(bytes.len());
                bytes.truncate(at);
                bytes.extend_from_slice(case.instances[1].get(at..).unwrap_or_default());
            }
            for (at, byte) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if !case.instances.contains(&bytes) {
                refused(case, &bytes, "random damage");
            }
        });
    }
}

/// The items of a CBOR array, each as its bytes.
fn parts(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut decoder = Decoder::new(bytes);
    if decoder.datatype().ok()? != Type::Array {
        return None;
    }
    let len = decoder.array().ok()??;
    (0..len)
        .map(|_| {
            let start = decoder.position();
            decoder.skip().ok()?;
            Some(bytes[start..decoder.position()].to_vec())
        })
        .collect()
}

/// The parts of a seal that no array is around: nonce, commitment, ciphertext and tag.
fn parts_of_seal(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (nonce, rest) = bytes.split_at(24);
    let (commitment, rest) = rest.split_at(32);
    let (ciphertext, tag) = rest.split_at(rest.len() - 16);
    [nonce, commitment, ciphertext, tag].map(<[u8]>::to_vec).to_vec()
}

fn array<'a>(len: usize, items: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(len as u64).expect("writing to memory");
    let mut bytes = encoder.into_writer();
    for item in items {
        bytes.extend_from_slice(item);
    }
    bytes
}
