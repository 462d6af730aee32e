//! The head of a relay's audit as phones keep it, and the proof that a later one goes on from it: a Merkle tree over the
//! audit's rows (RFC 6962, section 2.1, with this suite's hashes), signed by the relay. A phone learns nothing of the rows,
//! and a relay that changes one behind a head that some phone holds can make no proof to that phone any more.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::crypto::Hash;
use crate::id::DeviceId;
use crate::signed::Document;
use crate::time::Timestamp;

/// The most hashes of a proof: two for each level of a tree of 2⁶⁴ rows.
pub const MAX_PATH: usize = 128;

/// How far an audit has come; its envelope is signed by the relay's `sig` key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AuditHead {
    /// The relay.
    #[n(0)]
    pub relay: DeviceId,
    /// How many rows the audit has had.
    #[n(1)]
    pub size: u64,
    /// The root of the tree over them; [`Hash::ZERO`] over none.
    #[n(2)]
    pub root: Hash,
    /// When this was signed, by the relay's clock.
    #[n(3)]
    pub at: Timestamp,
}

impl Document for AuditHead {
    const LABEL: &'static str = "baken/audit-head/v0";
    const MAX_BYTES: usize = 512;
}

/// What the relay answers to who holds a head: its newest, and the proof that it goes on from that one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AuditAnswer {
    /// An [`AuditHead`] in its envelope.
    #[n(0)]
    pub head: ByteVec,
    /// The proof; empty where nothing was asked from, or nothing is new.
    #[n(1)]
    pub path: Vec<Hash>,
}

/// The leaf of a row, by the row's own hash.
pub fn leaf(row: Hash) -> Hash {
    Hash::of("baken/audit-leaf/v0", &[&row.0])
}

/// The node over two.
pub fn node(left: Hash, right: Hash) -> Hash {
    Hash::of("baken/audit-node/v0", &[&left.0, &right.0])
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The root over the leaves from `from` to `to`, `perfect` giving the root over 2^level leaves from number `index · 2^level`.
///
/// # Errors
/// Those of `perfect`.
pub fn root<E>((from, to): (u64, u64), perfect: &mut dyn FnMut(u32, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    let count = to.saturating_sub(from);
    if count == 0 {
        return Ok(Hash::ZERO);
    }
    if count.is_power_of_two() && from.is_multiple_of(count) {
        return perfect(count.trailing_zeros(), from / count);
    }
    let middle = from + split(count);
    Ok(node(root((from, middle), perfect)?, root((middle, to), perfect)?))
}

/// The proof that the tree over `to` leaves goes on from that over the first `from` (RFC 6962, 2.1.2).
///
/// # Errors
/// Those of `perfect`.
pub fn prove<E>((from, to): (u64, u64), perfect: &mut dyn FnMut(u32, u64) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    let mut path = Vec::new();
    if 0 < from && from < to {
        subproof((from, to), 0, true, &mut path, perfect)?;
    }
    Ok(path)
}

fn subproof<E>(
    (from, to): (u64, u64),
    start: u64,
    is_whole: bool,
    path: &mut Vec<Hash>,
    perfect: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<(), E> {
    if from == to {
        if !is_whole {
            path.push(root((start, start + to), perfect)?);
        }
        return Ok(());
    }
    let left = split(to);
    if from <= left {
        subproof((from, left), start, is_whole, path, perfect)?;
        path.push(root((start + left, start + to), perfect)?);
    } else {
        subproof((from - left, to - left), start + left, false, path, perfect)?;
        path.push(root((start, start + left), perfect)?);
    }
    Ok(())
}

/// Checks that `newer`, a size and its root, goes on from `older` (RFC 9162, 2.1.4.2). Everything goes on from nothing.
///
/// # Errors
/// [`FormatError::Rule`] when it does not.
pub fn check_goes_on(older: (u64, Hash), newer: (u64, Hash), path: &[Hash]) -> Result<(), FormatError> {
    if goes_on(older, newer, path) {
        Ok(())
    } else {
        Err(FormatError::Rule { what: "an audit's head", rule: "it does not go on from the earlier one" })
    }
}

fn goes_on((older, older_root): (u64, Hash), (newer, newer_root): (u64, Hash), path: &[Hash]) -> bool {
    if older == 0 {
        return path.is_empty();
    }
    if older >= newer {
        return older == newer && older_root == newer_root && path.is_empty();
    }
    let first = older.is_power_of_two().then_some(older_root);
    let mut steps = first.into_iter().chain(path.iter().copied());
    let (mut inner, mut last) = (older - 1, newer - 1);
    while inner & 1 == 1 {
        (inner, last) = (inner >> 1, last >> 1);
    }
    let Some(start) = steps.next() else { return false };
    let (mut of_older, mut of_newer) = (start, start);
    for step in steps {
        if last == 0 {
            return false;
        }
        if inner & 1 == 1 || inner == last {
            of_older = node(step, of_older);
            of_newer = node(step, of_newer);
            while inner & 1 == 0 && inner != 0 {
                (inner, last) = (inner >> 1, last >> 1);
            }
        } else {
            of_newer = node(of_newer, step);
        }
        (inner, last) = (inner >> 1, last >> 1);
    }
    last == 0 && of_older == older_root && of_newer == newer_root
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(number: u64) -> Hash {
        Hash::of("row", &[&number.to_be_bytes()])
    }

    /// Roots over perfect ranges, of rows of which those from `changed` on are others.
    fn tree(changed: u64) -> impl FnMut(u32, u64) -> Result<Hash, ()> {
        fn over(changed: u64, level: u32, index: u64) -> Hash {
            if level == 0 {
                return leaf(row(if index >= changed { index + 1_000_000 } else { index }));
            }
            node(over(changed, level - 1, index * 2), over(changed, level - 1, index * 2 + 1))
        }
        move |level, index| Ok(over(changed, level, index))
    }

    fn head(size: u64, changed: u64) -> (u64, Hash) {
        (size, root((0, size), &mut tree(changed)).unwrap())
    }

    #[test]
    fn every_tree_goes_on_from_every_smaller_one_and_from_no_other() {
        for newer in 0..40 {
            for older in 0..=newer {
                let path = prove((older, newer), &mut tree(u64::MAX)).unwrap();
                assert!(path.len() <= MAX_PATH);
                let (old, new) = (head(older, u64::MAX), head(newer, u64::MAX));
                check_goes_on(old, new, &path).unwrap();
                // A history that was rewritten from any row on has no proof, neither the honest one nor its own.
                for changed in 0..older {
                    let other = head(newer, changed);
                    assert!(check_goes_on(old, other, &path).is_err(), "{older} {newer} {changed}");
                    let own = prove((older, newer), &mut tree(changed)).unwrap();
                    assert!(check_goes_on(old, other, &own).is_err(), "{older} {newer} {changed}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_path_of_any_bytes_proves_what_is_not_so(
            older in 1_u64..200, newer in 1_u64..200, path in prop::collection::vec(any::<[u8; 32]>(), 0..12)
        ) {
            let path: Vec<Hash> = path.into_iter().map(Hash).collect();
            let is_so = older == newer && path.is_empty();
            let proven = check_goes_on(head(older, u64::MAX), head(newer, u64::MAX), &path).is_ok();
            prop_assert_eq!(proven, is_so);
        }
    }
}
