//! Who may say what of an alarm: the relay what machines did, a desk what people did, nobody else anything.

use baken_schemas::FormatError;
use baken_schemas::alarm::{Receipt, ReceiptState, check_receipt, holding, standing};
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use proptest::prelude::*;

use crate::world::World;

const STATES: [ReceiptState; 8] = [
    ReceiptState::Stored,
    ReceiptState::Received,
    ReceiptState::Exhausted,
    ReceiptState::Reopened,
    ReceiptState::Seen,
    ReceiptState::Verified,
    ReceiptState::Underway,
    ReceiptState::Closed,
];

fn said(world: &mut World, state: ReceiptState, by: DeviceId, sig: &SigningKey) -> Result<(), FormatError> {
    let receipt = Receipt {
        alarm: AlarmId([2; 16]),
        alarm_hash: Hash([3; 32]),
        state,
        at: Timestamp(4),
        by,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let signed = Receipt::make(receipt.clone(), None, sig, &mut world.rng).expect("there is no detail");
    let checked = check_receipt(signed.bytes(), world.directory.value())?;
    assert_eq!(checked.value(), &receipt);
    Ok(())
}

#[test]
fn each_state_is_said_by_its_own() {
    let mut world = World::new(40);
    let (relay, desk, phone) = (world.relay.clone(), world.desk_west.clone(), world.mayor_phone.clone());
    for state in STATES {
        let by_relay = said(&mut world, state, relay.device, &relay.sig);
        let by_desk = said(&mut world, state, desk.device, &desk.sig);
        if state == ReceiptState::Reopened {
            assert_eq!((by_relay, by_desk), (Ok(()), Ok(())), "of those who had it and of those who wait for them");
        } else if matches!(state, ReceiptState::Stored | ReceiptState::Exhausted) {
            assert_eq!(by_relay, Ok(()), "{state:?}");
            assert!(matches!(by_desk, Err(FormatError::Rule { .. })), "{state:?} by a desk");
        } else {
            assert!(matches!(by_relay, Err(FormatError::Rule { .. })), "{state:?} by the relay");
            assert_eq!(by_desk, Ok(()), "{state:?}");
        }
        // The relay in a desk's name, a desk in another's, and a device that the directory does not list.
        for (by, sig) in [(desk.device, &relay.sig), (world.desk_east.device, &desk.sig), (phone.device, &phone.sig)] {
            assert!(said(&mut world, state, by, sig).is_err(), "{state:?}");
        }
    }
}

#[test]
fn a_desk_that_left_the_directory_is_not_believed() {
    let mut world = World::new(41);
    let desk = world.desk_west.clone();
    let receipt = Receipt {
        alarm: AlarmId([2; 16]),
        alarm_hash: Hash([3; 32]),
        state: ReceiptState::Seen,
        at: Timestamp(4),
        by: desk.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let signed = Receipt::make(receipt, None, &desk.sig, &mut world.rng).expect("there is no detail");
    let mut without = world.directory.value().clone();
    without.desks.retain(|entry| entry.desk != desk.device);
    assert!(check_receipt(signed.bytes(), world.directory.value()).is_ok());
    assert!(matches!(check_receipt(signed.bytes(), &without), Err(FormatError::Signature { .. })));
}

#[test]
fn only_people_prove_people() {
    for state in STATES {
        assert_eq!(state.is_by_human(), state >= ReceiptState::Seen, "{state:?}");
        assert!(!(state.is_by_human() && state.may_be_by_relay()), "{state:?}");
    }
}

/// Receipts of one desk in a chain, with their hashes.
fn chain(by: DeviceId, states: &[ReceiptState]) -> Vec<(Hash, Receipt)> {
    let mut made: Vec<(Hash, Receipt)> = Vec::new();
    for (at, state) in (0..).zip(states) {
        let receipt = Receipt {
            alarm: AlarmId([2; 16]),
            alarm_hash: Hash([3; 32]),
            state: *state,
            at: Timestamp(at),
            by,
            prev: made.last().map_or(Hash::ZERO, |(hash, _)| *hash),
            detail: Vec::new(),
        };
        let hash = Hash::of("a test's receipt", &[&by.0, &at.to_be_bytes()]);
        made.push((hash, receipt));
    }
    made
}

fn stands(receipts: &[(Hash, Receipt)]) -> Option<ReceiptState> {
    let borrowed: Vec<(Hash, &Receipt)> = receipts.iter().map(|(hash, receipt)| (*hash, receipt)).collect();
    standing(&borrowed)
}

const EAST: DeviceId = DeviceId([5; 16]);
const RELAY: DeviceId = DeviceId([9; 16]);

#[test]
fn what_was_reopened_is_not_seen_until_somebody_takes_it_again() {
    use ReceiptState::{Closed, Received, Reopened, Seen, Stored, Underway, Verified};
    assert_eq!(stands(&[]), None);
    let mut all = chain(EAST, &[Received, Seen, Reopened]);
    assert_eq!(stands(&all), Some(Reopened));
    assert_eq!(stands(&chain(EAST, &[Received, Seen, Reopened, Seen])), Some(Seen));
    assert_eq!(stands(&chain(EAST, &[Received, Seen, Reopened, Seen, Reopened])), Some(Reopened));
    assert_eq!(stands(&chain(EAST, &[Seen, Reopened, Seen, Underway])), Some(Underway));
    // The relay says it of a desk that went silent; the desk answers.
    let mut silent = chain(EAST, &[Received, Seen]);
    silent.extend(chain(RELAY, &[Stored, Reopened]));
    assert_eq!(stands(&silent), Some(Reopened));
    silent.push(chain(EAST, &[Received, Seen, Verified]).remove(2));
    assert_eq!(stands(&silent), Some(Verified));
    // And a relay that says it of what somebody verified is not heard.
    let mut verified = chain(EAST, &[Received, Seen, Verified]);
    verified.extend(chain(RELAY, &[Stored, Reopened]));
    assert_eq!(stands(&verified), Some(Verified));
    all.extend(chain(RELAY, &[Closed]));
    assert_eq!(stands(&all), Some(Closed));
}

#[test]
fn grafana_oncall_3161_what_arrives_late_neither_takes_back_a_closing_nor_brings_back_who_had_it() {
    use ReceiptState::{Closed, Received, Reopened, Seen};
    let made = chain(EAST, &[Received, Seen, Reopened, Seen, Closed]);
    // The relay holds the first acknowledgement back until after the reopening.
    let late = [made[0].clone(), made[2].clone(), made[1].clone()];
    assert_eq!(stands(&late), Some(Reopened));
    let closing_first = [made[4].clone(), made[3].clone(), made[2].clone(), made[1].clone()];
    assert_eq!(stands(&closing_first), Some(Closed));
}

#[test]
fn the_holder_is_who_took_it_last_however_late_the_relay_brings_the_first() {
    use ReceiptState::{Received, Seen, Verified};
    let made = chain(EAST, &[Received, Seen, Verified, Seen]);
    let holder = |receipts: &[(Hash, Receipt)]| {
        let borrowed: Vec<(Hash, &Receipt)> = receipts.iter().map(|(hash, receipt)| (*hash, receipt)).collect();
        holding(&borrowed)
    };
    assert_eq!(holder(&made), Some(made[3].0));
    let late = [made[3].clone(), made[2].clone(), made[1].clone(), made[0].clone()];
    assert_eq!(holder(&late), Some(made[3].0));
    assert_eq!(holder(&made[..1]), None);
}

proptest! {
    #[test]
    fn a_signers_own_chain_says_the_same_in_whatever_order_it_arrives(
        picks in proptest::collection::vec(0_usize..STATES.len(), 1..8),
        order in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let states: Vec<ReceiptState> = picks.iter().map(|pick| STATES[*pick]).collect();
        let made = chain(EAST, &states);
        let mut shuffled: Vec<(u32, (Hash, Receipt))> = order.into_iter().zip(made.iter().cloned()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let shuffled: Vec<(Hash, Receipt)> = shuffled.into_iter().map(|(_, receipt)| receipt).collect();
        prop_assert_eq!(stands(&shuffled), stands(&made));
        // Never further than the furthest that anybody said.
        prop_assert!(stands(&made) <= states.iter().max().copied());
    }
}
