//! One field of one record: a multi-value register, written put-only.
//!
//! The merge rule is `crdts`' `MVReg`: a put drops what its clock covers and stands beside what it does not. Nothing
//! of `crdts` that removes is used, nor its serde forms (docs/adr). What is here besides is the rule of which puts an
//! author may make at all, so that a device gone bad cannot make honest ones diverge.

use baken_schemas::cbor;
use baken_schemas::record::{Tick, Value};
use crdts::mvreg::Op;
use crdts::{CmRDT as _, MVReg, VClock};
use minicbor::{Decode, Encode};

use crate::BakenError;

/// A put as it is kept: what it says, and who said it when.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Put {
    /// What the author had seen of the field, and this put itself; in order of slot.
    #[n(0)]
    pub(crate) clock: Vec<Tick>,
    #[n(1)]
    pub(crate) value: Value,
    /// The author.
    #[n(2)]
    pub(crate) slot: u16,
    /// The author's hybrid logical clock, for display.
    #[n(3)]
    pub(crate) hlc: u64,
}

impl Put {
    /// How often its author had put the field, this time with it.
    pub(crate) fn count(&self) -> u64 {
        count_in(&self.clock, self.slot)
    }
}

/// The concurrent puts of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Register {
    puts: Vec<Put>,
}

/// Whether a put by a peer may be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutCheck {
    /// Yes.
    Ready,
    /// It has seen a put that is not here yet.
    Waits,
    /// No honest device makes such a put.
    Invalid,
}

impl Register {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, BakenError> {
        Ok(Self { puts: kept(bytes)? })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(&self.puts)
    }

    /// The concurrent puts, oldest first.
    pub(crate) fn puts(&self) -> &[Put] {
        &self.puts
    }

    /// More than one value stands. The same value put twice is no conflict.
    pub(crate) fn is_in_conflict(&self) -> bool {
        self.puts.iter().skip(1).any(|put| self.puts.first().is_some_and(|first| first.value != put.value))
    }

    /// How often a writer has put the field, as far as is known here. Puts never go away but under a greater clock, so
    /// the newest ones cover all there were.
    fn count(&self, slot: u16) -> u64 {
        self.puts.iter().map(|put| count_in(&put.clock, slot)).max().unwrap_or(0)
    }

    /// The clock of the next put by `slot`: it covers everything here.
    pub(crate) fn next_clock(&self, slot: u16) -> Vec<Tick> {
        let mut all = VClock::new();
        for tick in self.puts.iter().flat_map(|put| &put.clock) {
            all.apply(crdts::Dot::new(tick.slot, tick.count));
        }
        let own = all.get(&slot).saturating_add(1);
        all.apply(crdts::Dot::new(slot, own));
        all.dots.into_iter().map(|(slot, count)| Tick { slot, count }).collect()
    }

    /// Whether `author` may put with this clock now. All devices come to the same answer: an author's puts arrive in
    /// its order, and a tick of another writer is accepted only once that writer's put is here.
    pub(crate) fn check(&self, author: u16, clock: &[Tick]) -> PutCheck {
        if count_in(clock, author) != self.count(author).saturating_add(1) {
            return PutCheck::Invalid;
        }
        let unseen = |tick: &Tick| tick.slot != author && tick.count > self.count(tick.slot);
        if clock.iter().any(unseen) { PutCheck::Waits } else { PutCheck::Ready }
    }

    /// Applies a put; what it replaced comes back, for the history.
    pub(crate) fn apply(&mut self, put: Put) -> Vec<Put> {
        let before = std::mem::take(&mut self.puts);
        let mut merged: MVReg<Put, u16> = MVReg::new();
        for put in before.iter().cloned().chain([put]) {
            merged.apply(Op::Put { clock: clock_of(&put.clock), val: put });
        }
        self.puts = merged.read().val;
        before.into_iter().filter(|put| !self.puts.contains(put)).collect()
    }
}

/// Reads what this device wrote itself: no second encoding to compare with, which is for bytes from outside.
pub(crate) fn kept<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, BakenError> {
    minicbor::decode(bytes).map_err(|_| BakenError::VaultDamaged { part: "a field" })
}

fn count_in(clock: &[Tick], slot: u16) -> u64 {
    clock.iter().find(|tick| tick.slot == slot).map_or(0, |tick| tick.count)
}

fn clock_of(ticks: &[Tick]) -> VClock<u16> {
    VClock { dots: ticks.iter().map(|tick| (tick.slot, tick.count)).collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn put(register: &Register, slot: u16, value: &str) -> Put {
        Put { clock: register.next_clock(slot), value: Value::Text(value.to_owned()), slot, hlc: 0 }
    }

    fn texts(register: &Register) -> Vec<&str> {
        let mut texts: Vec<&str> = register
            .puts()
            .iter()
            .map(|put| match &put.value {
                Value::Text(text) => text.as_str(),
                _ => "",
            })
            .collect();
        texts.sort_unstable();
        texts
    }

    #[test]
    fn two_that_have_not_seen_each_other_both_stand_until_one_has() {
        let (mut phone, mut tablet) = (Register::default(), Register::default());
        let first = put(&phone, 0, "06-1");
        assert_eq!(phone.apply(first.clone()), vec![]);
        let other = put(&tablet, 1, "06-2");
        tablet.apply(other.clone());
        assert_eq!(tablet.apply(first.clone()), vec![]);
        assert_eq!(phone.apply(other.clone()), vec![]);
        assert!(phone.is_in_conflict() && tablet.is_in_conflict());
        assert_eq!(texts(&phone), texts(&tablet));

        let resolved = put(&phone, 0, "06-3");
        let mut replaced = phone.apply(resolved.clone());
        replaced.sort_by_key(|put| put.slot);
        assert_eq!(replaced, vec![first, other]);
        tablet.apply(resolved);
        assert_eq!((texts(&phone), texts(&tablet)), (vec!["06-3"], vec!["06-3"]));
    }

    #[test]
    fn a_clock_that_claims_another_ones_future_waits_and_a_repeated_one_is_invalid() {
        let mut register = Register::default();
        let first = put(&register, 0, "a");
        register.apply(first.clone());
        assert_eq!(register.check(0, &first.clock), PutCheck::Invalid);
        assert_eq!(register.check(0, &[Tick { slot: 0, count: 3 }]), PutCheck::Invalid);
        assert_eq!(register.check(1, &[Tick { slot: 0, count: 2 }]), PutCheck::Invalid);
        let ahead = [Tick { slot: 0, count: 2 }, Tick { slot: 1, count: 1 }];
        assert_eq!(register.check(1, &ahead), PutCheck::Waits);
        assert_eq!(register.check(1, &register.next_clock(1)), PutCheck::Ready);
    }

    proptest! {
        /// I3 for one field: any causal order of the same puts gives the same values.
        #[test]
        fn any_causal_order_gives_the_same_register(steps in prop::collection::vec((0u16..3, 0usize..3), 1..24)) {
            // Three writers; in every step one puts, after having taken in the next put of another, if there is one.
            let mut registers = vec![Register::default(); 3];
            let mut logs: Vec<Vec<Put>> = vec![Vec::new(); 3];
            let mut taken = vec![vec![0usize; 3]; 3];
            for (writer, other) in steps {
                let me = usize::from(writer);
                if let Some(put) = logs.get(other).unwrap().get(taken[me][other]).cloned()
                    && me != other
                    && registers[me].check(put.slot, &put.clock) == PutCheck::Ready
                {
                    taken[me][other] += 1;
                    registers[me].apply(put);
                }
                let made = put(&registers[me], writer, &format!("{writer}-{}", logs[me].len()));
                registers[me].apply(made.clone());
                logs[me].push(made);
            }
            // Then everybody takes in the rest, each in an order of its own.
            for me in 0..3 {
                loop {
                    let mut moved = false;
                    for turn in 0..3 {
                        let other = (me + turn) % 3;
                        if let Some(put) = logs[other].get(taken[me][other]).cloned()
                            && me != other
                            && registers[me].check(put.slot, &put.clock) == PutCheck::Ready
                        {
                            taken[me][other] += 1;
                            registers[me].apply(put);
                            moved = true;
                        }
                    }
                    if !moved {
                        break;
                    }
                }
                for other in 0..3 {
                    prop_assert!(me == other || taken[me][other] == logs[other].len());
                }
            }
            prop_assert_eq!(texts(&registers[0]), texts(&registers[1]));
            prop_assert_eq!(texts(&registers[1]), texts(&registers[2]));
        }
    }
}
