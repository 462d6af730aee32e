//! One field of one record: a multi-value register, written put-only.
//!
//! The merge rule is `crdts`' `MVReg`: a put drops what its clock covers and stands beside what it does not. Nothing
//! of `crdts` that removes is used, nor its serde forms (docs/adr). A put's identity is its author and the counter of
//! the entry that brought it; its clock is all that the author had taken in by that entry. Entries are applied after
//! all they build on, so no device can make a put that others would order differently: there is nothing to claim.

use baken_schemas::checkpoint::{FieldState, Seen, StandingPut};
use baken_schemas::record::FieldNumber;
use crdts::mvreg::Op;
use crdts::{CmRDT as _, Dot, MVReg, VClock};
use minicbor::Decode;

use crate::BakenError;

/// What an author had taken in of each writer, in order of slot. Its own entries are understood.
pub(crate) type SeenBy = [Seen];

/// How far a writer had been read.
pub(crate) fn seen_of(seen: &SeenBy, slot: u16) -> u64 {
    seen.binary_search_by_key(&slot, |seen| seen.slot)
        .ok()
        .and_then(|place| seen.get(place))
        .map_or(0, |seen| seen.counter)
}

/// Puts into a field what an author wrote, having taken in `seen`; what it replaced comes back, for the history.
pub(crate) fn put(
    fields: &mut Vec<FieldState>,
    field: FieldNumber,
    put: StandingPut,
    seen: &SeenBy,
) -> Vec<StandingPut> {
    let place = match fields.binary_search_by_key(&field, |state| state.field) {
        Ok(place) => place,
        Err(place) => {
            fields.insert(place, FieldState { field, puts: Vec::new() });
            place
        }
    };
    let Some(state) = fields.get_mut(place) else { return Vec::new() };
    if state.puts.is_empty() {
        state.puts.push(put);
        return Vec::new();
    }
    let mut clock: VClock<u16> = seen.iter().map(|seen| Dot::new(seen.slot, seen.counter)).collect();
    clock.apply(Dot::new(put.slot, put.counter));
    let before = std::mem::take(&mut state.puts);
    let mut merged: MVReg<StandingPut, u16> = MVReg::new();
    for standing in before.iter().cloned() {
        let dot = VClock::from(Dot::new(standing.slot, standing.counter));
        merged.apply(Op::Put { clock: dot, val: standing });
    }
    merged.apply(Op::Put { clock, val: put });
    state.puts = merged.read().val;
    state.puts.sort_by_key(|put| (put.slot, put.counter));
    let standing = &state.puts;
    before.into_iter().filter(|put| !standing.contains(put)).collect()
}

/// More than one value stands. The same value put twice is no conflict.
pub(crate) fn is_in_conflict(state: &FieldState) -> bool {
    state.puts.iter().skip(1).any(|put| state.puts.first().is_some_and(|first| first.value != put.value))
}

/// Brings what stands on two devices together. Each had taken in of every writer what its `seen` says, its own too: a
/// put that one has and the other has taken in but not kept was replaced there. What goes comes back, for the history.
pub(crate) fn merge(
    fields: &mut Vec<FieldState>,
    seen: &SeenBy,
    others: &[FieldState],
    seen_by_other: &SeenBy,
) -> Vec<(FieldNumber, StandingPut)> {
    let mut replaced = Vec::new();
    let is_same = |a: &StandingPut, b: &StandingPut| (a.slot, a.counter) == (b.slot, b.counter);
    for state in fields.iter_mut() {
        let other = others.iter().find(|other| other.field == state.field);
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut state.puts).into_iter().partition(|put| {
            let has = other.is_some_and(|other| other.puts.iter().any(|theirs| is_same(put, theirs)));
            has || seen_of(seen_by_other, put.slot) < put.counter
        });
        state.puts = kept;
        replaced.extend(gone.into_iter().map(|put| (state.field, put)));
    }
    for other in others {
        let place = match fields.binary_search_by_key(&other.field, |state| state.field) {
            Ok(place) => place,
            Err(place) => {
                fields.insert(place, FieldState { field: other.field, puts: Vec::new() });
                place
            }
        };
        let Some(state) = fields.get_mut(place) else { continue };
        for put in &other.puts {
            let here = state.puts.iter().any(|own| is_same(own, put));
            if !here && seen_of(seen, put.slot) < put.counter {
                state.puts.push(put.clone());
            }
        }
        state.puts.sort_by_key(|put| (put.slot, put.counter));
    }
    fields.retain(|state| !state.puts.is_empty());
    replaced
}

/// Reads what this device wrote itself: no second encoding to compare with, which is for bytes from outside.
pub(crate) fn kept<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, BakenError> {
    minicbor::decode(bytes).map_err(|_| BakenError::VaultDamaged { part: "a record" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use baken_schemas::record::Value;
    use proptest::prelude::*;

    use super::*;

    fn value(slot: u16, counter: u64, text: &str) -> StandingPut {
        StandingPut { slot, counter, hlc: 0, value: Value::Text(text.to_owned()) }
    }

    fn seen(places: &[(u16, u64)]) -> Vec<Seen> {
        places.iter().map(|(slot, counter)| Seen { slot: *slot, counter: *counter }).collect()
    }

    #[test]
    fn two_that_have_not_seen_each_other_both_stand_until_one_has() {
        let mut fields = Vec::new();
        assert_eq!(put(&mut fields, 3, value(0, 1, "06-1"), &[]), []);
        assert_eq!(put(&mut fields, 3, value(1, 1, "06-2"), &[]), []);
        assert!(is_in_conflict(&fields[0]));
        let replaced = put(&mut fields, 3, value(0, 2, "06-3"), &seen(&[(1, 1)]));
        assert_eq!(replaced, [value(0, 1, "06-1"), value(1, 1, "06-2")]);
        assert_eq!(fields[0].puts, [value(0, 2, "06-3")]);
    }

    #[test]
    fn the_last_of_two_puts_in_one_entry_stands() {
        let mut fields = Vec::new();
        put(&mut fields, 3, value(0, 1, "06-1"), &[]);
        assert_eq!(put(&mut fields, 3, value(0, 1, "06-2"), &[]), [value(0, 1, "06-1")]);
        assert!(!is_in_conflict(&fields[0]));
    }

    proptest! {
        /// I3 for one field: any causal order of the same entries gives the same values, and so does bringing two
        /// devices' states together at any moment.
        #[test]
        fn any_causal_order_gives_the_same_field(steps in prop::collection::vec((0usize..3, 0usize..3, any::<bool>()), 1..32)) {
            #[derive(Clone, Default)]
            struct Device { fields: Vec<FieldState>, seen: Vec<u64> }
            let full = |seen: &[u64]| -> Vec<Seen> {
                (0_u16..).zip(seen).map(|(slot, counter)| Seen { slot, counter: *counter }).collect()
            };
            let mut devices = vec![Device { fields: Vec::new(), seen: vec![0; 3] }; 3];
            let mut log: Vec<Vec<(StandingPut, Vec<Seen>)>> = vec![Vec::new(); 3];
            fn take(device: &mut Device, log: &[Vec<(StandingPut, Vec<Seen>)>], from: usize) -> bool {
                let Some((made, knew)) = log[from].get(usize::try_from(device.seen[from]).unwrap()) else { return false };
                if knew.iter().any(|seen| device.seen[usize::from(seen.slot)] < seen.counter && usize::from(seen.slot) != from) {
                    return false;
                }
                put(&mut device.fields, 1, made.clone(), knew);
                device.seen[from] += 1;
                true
            }
            for (me, other, brings_together) in steps {
                if me != other && brings_together {
                    let theirs = devices[other].clone();
                    let device = &mut devices[me];
                    merge(&mut device.fields, &full(&device.seen), &theirs.fields, &full(&theirs.seen));
                    for (mine, theirs) in device.seen.iter_mut().zip(theirs.seen) { *mine = (*mine).max(theirs); }
                } else if me != other {
                    take(&mut devices[me], &log, other);
                }
                let knew = full(&devices[me].seen);
                let made = value(u16::try_from(me).unwrap(), devices[me].seen[me] + 1, &format!("{me}-{}", log[me].len()));
                put(&mut devices[me].fields, 1, made.clone(), &knew);
                devices[me].seen[me] += 1;
                log[me].push((made, knew));
            }
            for device in &mut devices {
                while (0..3).any(|from| take(device, &log, from)) {}
            }
            prop_assert_eq!(&devices[0].fields, &devices[1].fields);
            prop_assert_eq!(&devices[1].fields, &devices[2].fields);
        }
    }
}
