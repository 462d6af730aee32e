//! Mental check-ups, behind a passphrase of their own: [`baken_schemas::check_up`].
//!
//! What stands in the open is that there are some and when the next one is. The passphrase cannot be changed: what it
//! sealed stays in the history of every device, so an old one would go on opening it.

use baken_schemas::check_up::{CheckUp, Lock};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;

use crate::record::RecordView;
use crate::vault::header::{KdfCost, check_pin_rules, stretch};
use crate::{Baken, BakenError};

impl Baken {
    /// Whether there is a lock already, so that its passphrase must be typed instead of a new one chosen.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn has_check_up_lock(&self) -> Result<bool, BakenError> {
        Ok(!self.locks()?.is_empty())
    }

    /// Writes down a check-up behind the passphrase, and when the next one is. The first one chooses the passphrase.
    ///
    /// # Errors
    /// [`BakenError::LockWrong`], [`BakenError::PinRefused`] for a new passphrase that is too short or too long, and as
    /// [`Self::create`].
    pub fn add_check_up(
        &self,
        passphrase: &str,
        check_up: &CheckUp,
        next: Option<Timestamp>,
    ) -> Result<RecordId, BakenError> {
        let opened = self.open_locks(passphrase)?.into_iter().next();
        let (lock, key) = match opened {
            Some(opened) => opened,
            None if self.has_check_up_lock()? => return Err(BakenError::LockWrong),
            None => self.make_lock(passphrase)?,
        };
        let sealed = self.context.with_rng(|rng| check_up.seal(lock, &key, rng));
        let mut fields =
            vec![("sealed".to_owned(), Value::Bytes(sealed)), ("lock".to_owned(), Value::Bytes(lock.0.to_vec()))];
        fields.extend(next.map(|next| ("next".to_owned(), Value::Int(next.0))));
        self.create("check-up", fields)
    }

    /// Every check-up that the passphrase opens, oldest first.
    ///
    /// # Errors
    /// [`BakenError::LockWrong`] when it opens no lock, though there are check-ups; [`BakenError::Locked`].
    pub fn check_ups(&self, passphrase: &str) -> Result<Vec<(RecordId, CheckUp)>, BakenError> {
        let mut records = self.records(Some("check-up"))?;
        records.retain(|record| !record.deleted);
        let keys = self.open_locks(passphrase)?;
        if keys.is_empty() && !records.is_empty() {
            return Err(BakenError::LockWrong);
        }
        let open = |record: &RecordView| {
            let (_, key) = keys.iter().find(|(lock, _)| record.names("lock") == Some(*lock))?;
            let check_up = CheckUp::open(record.names("lock")?, key, record.bytes("sealed")?).ok()?;
            Some((record.record, check_up))
        };
        let mut opened: Vec<(RecordId, CheckUp)> = records.iter().filter_map(open).collect();
        opened.sort_by_key(|(record, check_up)| (check_up.at, *record));
        Ok(opened)
    }

    /// Every lock, with its record. Two phones that were apart may each have made one.
    fn locks(&self) -> Result<Vec<(RecordId, Lock)>, BakenError> {
        let records = self.records(Some("lock"))?;
        let lock = |record: &RecordView| Some((record.record, Lock::from_bytes(record.bytes("wrapped")?).ok()?));
        Ok(records.iter().filter(|record| !record.deleted).filter_map(lock).collect())
    }

    /// The keys of the locks that this passphrase opens.
    fn open_locks(&self, passphrase: &str) -> Result<Vec<(RecordId, SymmetricKey)>, BakenError> {
        let mut opened = Vec::new();
        for (record, lock) in self.locks()? {
            let cost = KdfCost { memory_kib: lock.memory_kib, passes: lock.passes, lanes: lock.lanes };
            if !cost.is_bearable() {
                continue;
            }
            let stretched = stretch(passphrase, cost, &lock.salt)?;
            opened.extend(lock.open(&stretched).ok().map(|key| (record, key)));
        }
        Ok(opened)
    }

    fn make_lock(&self, passphrase: &str) -> Result<(RecordId, SymmetricKey), BakenError> {
        check_pin_rules(passphrase)?;
        let cost = KdfCost::STANDARD;
        let mut salt = [0; 32];
        self.context.with_rng(|rng| rng.fill_bytes(&mut salt));
        let stretched = stretch(passphrase, cost, &salt)?;
        let numbers = (cost.memory_kib, cost.passes, cost.lanes);
        let (lock, key) = self.context.with_rng(|rng| Lock::make(numbers, salt, &stretched, rng));
        let record = self.create("lock", vec![("wrapped".to_owned(), Value::Bytes(lock.to_bytes()))])?;
        Ok((record, key))
    }
}
