//! Mental check-ups, behind a passphrase of their own: [`baken_schemas::check_up`].
//!
//! What stands in the open is that there are some and when the next one is. A reminder is a record of the same kind with
//! nothing sealed in it: setting one takes no passphrase.
//!
//! A new passphrase wraps every key that the old one opened, and makes a new one for what is written from then on: the old
//! wrapping stays in the history of every device, so who knew the old passphrase could go on reading with the old keys.

use std::collections::BTreeSet;

use baken_schemas::check_up::{CheckUp, Lock};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::edition::Date;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;

use crate::aftercare::{MAX_MONTHS, plus_months};
use crate::record::{RecordView, checked_fields};
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
        let newest = self.open_locks(passphrase)?.into_iter().max_by_key(|opened| (opened.made_at, opened.lock));
        let (lock, key) = match newest {
            Some(opened) => (opened.lock, opened.key),
            None if self.has_check_up_lock()? => return Err(BakenError::LockWrong),
            None => self.make_lock(passphrase)?,
        };
        let next = match next {
            Some(next) => Some(next),
            None => self.check_up_every()?.map(|months| plus_months(Date::of(check_up.at), months).start()),
        };
        if next.is_some() {
            self.clear_next()?;
        }
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
        records.retain(|record| !record.deleted && record.bytes("sealed").is_some());
        let keys = self.open_locks(passphrase)?;
        if keys.is_empty() && !records.is_empty() {
            return Err(BakenError::LockWrong);
        }
        let open = |record: &RecordView| {
            let lock = record.names("lock")?;
            // Two phones that changed the passphrase apart leave the same key twice.
            let opened = keys.iter().find(|opened| opened.lock == lock)?;
            let check_up = CheckUp::open(lock, &opened.key, record.bytes("sealed")?).ok()?;
            Some((record.record, check_up))
        };
        let mut opened: Vec<(RecordId, CheckUp)> = records.iter().filter_map(open).collect();
        opened.sort_by_key(|(record, check_up)| (check_up.at, *record));
        Ok(opened)
    }

    /// Changes the passphrase; nothing is lost, and what is sealed from now on no old passphrase opens. Says how many locks
    /// another passphrase still holds: of a phone that was apart and chose one of its own.
    ///
    /// # Errors
    /// [`BakenError::LockWrong`] when the old one opens nothing, [`BakenError::PinRefused`] for a new one that is too short
    /// or too long, and as [`Self::put`].
    pub fn change_check_up_passphrase(&self, old: &str, new: &str) -> Result<usize, BakenError> {
        check_pin_rules(new)?;
        let opened = self.open_locks(old)?;
        if opened.is_empty() {
            return Err(BakenError::LockWrong);
        }
        // One stretching for all: a lock's salt is random, and may serve several.
        let wrapper = self.stretch_new(new)?;
        let known: BTreeSet<RecordId> = self.locks()?.into_iter().map(|lock| lock.lock).collect();
        let mut changed = BTreeSet::new();
        for Opened { lock, key, .. } in &opened {
            if changed.insert(*lock) {
                self.put_lock(*lock, self.context.with_rng(|rng| wrapper.wrap(key, rng)))?;
            }
        }
        let (lock, _) = self.context.with_rng(|rng| wrapper.make(rng));
        self.create_lock(&lock)?;
        Ok(known.difference(&changed).count())
    }

    /// When one wants to be reminded of the next check-up, and after how many months again; `None` takes the reminder
    /// away. What is due says that there is a moment for oneself, and no more.
    ///
    /// # Errors
    /// As [`Self::create`]; [`BakenError::ValueRefused`] for more than ten years.
    pub fn remind_of_check_up(&self, next: Option<Timestamp>, every_months: Option<u32>) -> Result<(), BakenError> {
        if every_months.is_some_and(|months| !(1..=MAX_MONTHS).contains(&months)) {
            return Err(BakenError::ValueRefused);
        }
        self.clear_next()?;
        let every = every_months.map_or(Value::Empty, |months| Value::Int(i64::from(months)));
        let fields =
            vec![("next".to_owned(), next.map_or(Value::Empty, |at| Value::Int(at.0))), ("every".to_owned(), every)];
        match self.reminders()?.first() {
            Some(reminder) => self.settle_and_put(reminder, fields),
            None if next.is_none() => Ok(()),
            None => self.create("check-up", fields).map(|_| ()),
        }
    }

    /// Records of check-ups in which nothing is sealed. Two phones that were apart may each have made one.
    fn reminders(&self) -> Result<Vec<RecordView>, BakenError> {
        let mut records = self.records(Some("check-up"))?;
        records.retain(|record| !record.deleted && record.bytes("sealed").is_none());
        Ok(records)
    }

    fn check_up_every(&self) -> Result<Option<u32>, BakenError> {
        let every = self.reminders()?.iter().find_map(|reminder| reminder.number("every"));
        Ok(every.and_then(|months| u32::try_from(months).ok()).filter(|months| (1..=MAX_MONTHS).contains(months)))
    }

    /// What was said before of the next check-up holds no more.
    fn clear_next(&self) -> Result<(), BakenError> {
        for record in self.records(Some("check-up"))? {
            if !record.deleted && record.moment("next").is_some() {
                self.settle_and_put(&record, vec![("next".to_owned(), Value::Empty)])?;
            }
        }
        Ok(())
    }

    /// Puts fields of a record, a conflict or not: here the newest word of the person counts.
    fn settle_and_put(&self, record: &RecordView, fields: Vec<(String, Value)>) -> Result<(), BakenError> {
        let (kind, edits) = checked_fields("check-up", fields)?;
        self.edit(record.circle, record.record, kind, edits)
    }

    /// Every lock. Two phones that were apart may each have made one, or wrapped one anew.
    fn locks(&self) -> Result<Vec<Kept>, BakenError> {
        let mut locks = Vec::new();
        for record in self.records(Some("lock"))?.iter().filter(|record| !record.deleted) {
            let made_at = record.moment("made_at");
            for value in record.field("wrapped").into_iter().flat_map(|field| &field.values) {
                let Value::Bytes(bytes) = &value.value else { continue };
                let wrapped = Lock::from_bytes(bytes).ok();
                locks.extend(wrapped.map(|wrapped| Kept { lock: record.record, made_at, wrapped }));
            }
        }
        Ok(locks)
    }

    /// The keys of the locks that this passphrase opens.
    fn open_locks(&self, passphrase: &str) -> Result<Vec<Opened>, BakenError> {
        let (mut opened, mut stretched) = (Vec::new(), Vec::<((KdfCost, [u8; 32]), SymmetricKey)>::new());
        for Kept { lock, made_at, wrapped } in self.locks()? {
            let cost = KdfCost { memory_kib: wrapped.memory_kib, passes: wrapped.passes, lanes: wrapped.lanes };
            if !cost.is_bearable() {
                continue;
            }
            let asked = (cost, wrapped.salt);
            if !stretched.iter().any(|(known, _)| *known == asked) {
                stretched.push((asked, stretch(passphrase, cost, &wrapped.salt)?));
            }
            let key = stretched.iter().find(|(known, _)| *known == asked).map(|(_, key)| wrapped.open(key));
            opened.extend(key.and_then(Result::ok).map(|key| Opened { lock, made_at, key }));
        }
        Ok(opened)
    }

    fn make_lock(&self, passphrase: &str) -> Result<(RecordId, SymmetricKey), BakenError> {
        check_pin_rules(passphrase)?;
        let wrapper = self.stretch_new(passphrase)?;
        let (lock, key) = self.context.with_rng(|rng| wrapper.make(rng));
        Ok((self.create_lock(&lock)?, key))
    }

    /// The newest lock, whatever the clocks said: one that ran ahead would have the old lock seal what is written next.
    fn create_lock(&self, lock: &Lock) -> Result<RecordId, BakenError> {
        let newest = self.locks()?.into_iter().filter_map(|kept| kept.made_at).max();
        let made_at = newest.map_or(self.context.now(), |newest| newest.plus_ms(1).max(self.context.now()));
        let made_at = Value::Int(made_at.0);
        let wrapped = Value::Bytes(lock.to_bytes());
        self.create("lock", vec![("wrapped".to_owned(), wrapped), ("made_at".to_owned(), made_at)])
    }

    fn put_lock(&self, lock: RecordId, wrapped: Lock) -> Result<(), BakenError> {
        let circle = self.record(lock)?.circle;
        let fields = vec![("wrapped".to_owned(), Value::Bytes(wrapped.to_bytes()))];
        let (kind, edits) = checked_fields("lock", fields)?;
        self.edit(circle, lock, kind, edits)
    }

    fn stretch_new(&self, passphrase: &str) -> Result<Wrapper, BakenError> {
        let cost = KdfCost::STANDARD;
        let mut salt = [0; 32];
        self.context.with_rng(|rng| rng.fill_bytes(&mut salt));
        Ok(Wrapper {
            numbers: (cost.memory_kib, cost.passes, cost.lanes),
            salt,
            key: stretch(passphrase, cost, &salt)?,
        })
    }
}

/// A lock as its record has it.
struct Kept {
    lock: RecordId,
    made_at: Option<Timestamp>,
    wrapped: Lock,
}

/// A lock that a passphrase opened.
struct Opened {
    lock: RecordId,
    made_at: Option<Timestamp>,
    key: SymmetricKey,
}

/// A stretched passphrase, and what stretched it.
struct Wrapper {
    numbers: (u32, u32, u32),
    salt: [u8; 32],
    key: SymmetricKey,
}

impl Wrapper {
    fn make(&self, rng: &mut dyn CryptoRng) -> (Lock, SymmetricKey) {
        Lock::make(self.numbers, self.salt, &self.key, rng)
    }

    fn wrap(&self, key: &SymmetricKey, rng: &mut dyn CryptoRng) -> Lock {
        Lock::wrap(key, self.numbers, self.salt, &self.key, rng)
    }
}
