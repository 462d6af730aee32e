//! Wrong PINs and the growing wait after them, kept on disk so that killing the program does not shorten it.
//!
//! A try is counted before the key is derived. The file holds nothing secret; who can write the folder can remove it,
//! which is why the platform's secret and Argon2id carry the weight.

use baken_schemas::cbor;
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};

use crate::BakenError;
use crate::home::{Home, read_file, remove_file, replace_file};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
struct Attempts {
    #[n(0)]
    wrong: u32,
    #[n(1)]
    last: Timestamp,
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
    let path = home.vault_attempts();
    let before = match read_file(&path)? {
        None => Attempts::default(),
        // A damaged count is not a way around the wait.
        Some(bytes) => cbor::from_slice(&bytes, "the PIN tries").unwrap_or(Attempts { wrong: 10, last: now }),
    };
    let wait = wait_ms(before.wrong);
    // A clock turned back cannot lengthen the wait past what it is.
    let left = wait.saturating_sub(now.since_ms(before.last).max(0)).min(wait);
    if before.wrong > 0 && left > 0 {
        return Err(BakenError::TooSoon { wait_ms: left });
    }
    let wrong = before.wrong.saturating_add(1);
    replace_file(&path, &cbor::to_vec(&Attempts { wrong, last: now }))?;
    Ok(wrong)
}

/// Forgets the wrong tries after a right one.
///
/// # Errors
/// [`BakenError::Disk`].
pub(crate) fn succeeded(home: &Home) -> Result<(), BakenError> {
    remove_file(&home.vault_attempts())
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
        succeeded(&home).unwrap();
        assert_eq!(begin(&home, now).unwrap(), 1);
    }

    #[test]
    fn a_damaged_count_still_waits() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        replace_file(&home.vault_attempts(), b"rubbish").unwrap();
        assert!(matches!(begin(&home, Timestamp(0)), Err(BakenError::TooSoon { wait_ms: 30_000 })));
    }
}
