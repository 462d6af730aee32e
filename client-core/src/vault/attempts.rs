//! Wrong PINs and the growing wait after them, kept on disk so that killing the program does not shorten it.
//!
//! A try is counted before the key is derived. The file holds nothing secret; who can write the folder can put an
//! older one back, which is why the platform's secret and Argon2id carry the weight. Removing it gains nothing: it is
//! always there, so without it the device waits as after six misses.

use baken_schemas::cbor;
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};

use crate::BakenError;
use crate::home::{Home, read_file, replace_file};

/// How long after the last right PIN a biometric key still opens, in milliseconds.
const BIOMETRIC_MS: i64 = 72 * 60 * 60 * 1000;
/// How often a biometric key may fail until the PIN is asked for.
const MAX_BIOMETRIC_WRONG: u32 = 3;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
struct Attempts {
    #[n(0)]
    wrong: u32,
    #[n(1)]
    last: Timestamp,
    /// When a PIN last was right.
    #[n(2)]
    pin_at: Option<Timestamp>,
    /// How often a biometric key failed since.
    #[n(3)]
    biometric_wrong: Option<u32>,
}

impl Attempts {
    /// What counts when the count itself is missing or damaged.
    fn unknown(now: Timestamp) -> Self {
        Self { wrong: 6, last: now, ..Self::default() }
    }
}

/// 1, 2, 4 … 30 seconds after each of the first ten wrong tries, five minutes from then on.
pub(crate) fn wait_ms(wrong: u32) -> i64 {
    match wrong {
        0 => 0,
        1..=5 => 1000 << (wrong - 1),
        6..=10 => 30_000,
        _ => 300_000,
    }
}

/// Counts a try before it is made: how many there are now, this one with them.
///
/// # Errors
/// [`BakenError::TooSoon`], [`BakenError::Disk`].
pub(crate) fn begin(home: &Home, now: Timestamp) -> Result<u32, BakenError> {
    let before = match read(home)? {
        Some(attempts) => attempts,
        None => {
            // Kept, so that the wait has a beginning.
            let unknown = Attempts::unknown(now);
            write(home, unknown)?;
            unknown
        }
    };
    let wait = wait_ms(before.wrong);
    // A clock turned back cannot lengthen the wait past what it is.
    let left = wait.saturating_sub(now.since_ms(before.last).max(0)).min(wait);
    if before.wrong > 0 && left > 0 {
        return Err(BakenError::TooSoon { wait_ms: left });
    }
    let wrong = before.wrong.saturating_add(1);
    write(home, Attempts { wrong, last: now, ..before })?;
    Ok(wrong)
}

/// Forgets the wrong tries after a right one.
///
/// # Errors
/// [`BakenError::Disk`].
pub(crate) fn succeeded(home: &Home, now: Timestamp) -> Result<(), BakenError> {
    write(home, Attempts { wrong: 0, last: now, pin_at: Some(now), biometric_wrong: None })
}

/// Whether a biometric key may be used now; a try of it counts as failed until [`biometric_succeeded`].
///
/// # Errors
/// [`BakenError::PinNeeded`] 72 hours after the last PIN, after three failures, and while wrong PINs are counted.
pub(crate) fn begin_biometric(home: &Home, now: Timestamp) -> Result<(), BakenError> {
    let before = read(home)?.ok_or(BakenError::PinNeeded)?;
    let failed = before.biometric_wrong.unwrap_or(0);
    // A clock turned back tells nothing about how long it has been.
    let fresh = before.pin_at.is_some_and(|at| (0..BIOMETRIC_MS).contains(&now.since_ms(at)));
    if !fresh || failed >= MAX_BIOMETRIC_WRONG || before.wrong > 0 {
        return Err(BakenError::PinNeeded);
    }
    write(home, Attempts { biometric_wrong: Some(failed.saturating_add(1)), ..before })
}

/// Forgets the failures of the biometric key; when the PIN is due stays as it was.
///
/// # Errors
/// [`BakenError::Disk`].
pub(crate) fn biometric_succeeded(home: &Home) -> Result<(), BakenError> {
    match read(home)? {
        Some(attempts) => write(home, Attempts { biometric_wrong: None, ..attempts }),
        None => Ok(()),
    }
}

/// `None` when it is missing or damaged.
fn read(home: &Home) -> Result<Option<Attempts>, BakenError> {
    let bytes = read_file(&home.vault_attempts())?;
    Ok(bytes.and_then(|bytes| cbor::from_slice(&bytes, "the PIN tries").ok()))
}

fn write(home: &Home, attempts: Attempts) -> Result<(), BakenError> {
    replace_file(&home.vault_attempts(), &cbor::to_vec(&attempts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn the_wait_grows_survives_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let mut now = Timestamp(1_000_000);
        succeeded(&home, now).unwrap();
        for wrong in 1..=12 {
            assert_eq!(begin(&home, now).unwrap(), wrong);
            let wait = wait_ms(wrong);
            let soon = begin(&home, now.plus_ms(wait - 1));
            assert!(matches!(soon, Err(BakenError::TooSoon { wait_ms: 1 })));
            let turned_back = begin(&home, now.plus_ms(-86_400_000));
            assert!(matches!(turned_back, Err(BakenError::TooSoon { wait_ms }) if wait_ms == wait));
            now = now.plus_ms(wait);
        }
        assert_eq!(wait_ms(12), 300_000);
        succeeded(&home, now).unwrap();
        assert_eq!(begin(&home, now).unwrap(), 1);
    }

    #[test]
    fn a_damaged_or_removed_count_still_waits() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        replace_file(&home.vault_attempts(), b"rubbish").unwrap();
        let damaged = begin(&home, Timestamp(0));
        assert!(matches!(damaged, Err(BakenError::TooSoon { wait_ms: 30_000 })));
        std::fs::remove_file(home.vault_attempts()).unwrap();
        let removed = begin(&home, Timestamp(0));
        assert!(matches!(removed, Err(BakenError::TooSoon { wait_ms: 30_000 })));
        assert_eq!(begin(&home, Timestamp(30_000)).unwrap(), 7);
    }

    #[test]
    fn a_biometric_key_serves_for_three_days_and_three_failures() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let now = Timestamp(1_000_000);
        let needs_pin = |at| matches!(begin_biometric(&home, at), Err(BakenError::PinNeeded));
        assert!(needs_pin(now));
        succeeded(&home, now).unwrap();
        assert!(needs_pin(now.plus_ms(BIOMETRIC_MS)));
        assert!(needs_pin(now.plus_ms(-1)));
        for _ in 0..4 {
            begin_biometric(&home, now.plus_ms(BIOMETRIC_MS - 1)).unwrap();
            biometric_succeeded(&home).unwrap();
        }
        for _ in 0..3 {
            begin_biometric(&home, now).unwrap();
        }
        assert!(needs_pin(now));
        succeeded(&home, now).unwrap();
        begin_biometric(&home, now).unwrap();
        biometric_succeeded(&home).unwrap();
        begin(&home, now).unwrap();
        assert!(needs_pin(now));
    }
}
