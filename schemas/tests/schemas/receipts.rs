//! Who may say what of an alarm: the relay what machines did, a desk what people did, nobody else anything.

use baken_schemas::FormatError;
use baken_schemas::alarm::{Receipt, ReceiptState, check_receipt};
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;

use crate::world::World;

const STATES: [ReceiptState; 7] = [
    ReceiptState::Stored,
    ReceiptState::Received,
    ReceiptState::Exhausted,
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
        if matches!(state, ReceiptState::Stored | ReceiptState::Exhausted) {
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
        assert!(!(state.is_by_human() && state.is_by_relay()), "{state:?}");
    }
}
