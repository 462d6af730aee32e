//! A circle as this device knows it: the membership log it has checked from the first record, the epoch keys, and its
//! own place.
//!
//! The rules of the log are `baken_schemas::circle`'s. Here they meet the disk: a record is checked on a copy, written
//! in the caller's transaction, and only then taken as the circle. [`duties`] does what an owner's device owes the
//! circle at every sync; [`act`] is what people do to it.

mod act;
mod duties;
pub(crate) mod freeze;
mod log;
mod view;

use std::collections::BTreeMap;

use baken_schemas::circle::{
    CircleKind, Epoch, LogHead, LogRecord, Member, MemberRole, MemberState, Membership, Operation, Readers,
};
use baken_schemas::crypto::{Hash, KemPublic, SigningKey, SymmetricKey, VerifyKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::signed::{self, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;
use rusqlite::{Connection, Transaction};

use crate::BakenError;

pub use view::{CircleView, MemberView, NoticeKind, NoticeView};

/// The short number of a circle in this vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CircleRow(pub(crate) i64);

/// A circle that this device is in.
#[derive(Debug, Clone)]
pub(crate) struct Circle {
    row: CircleRow,
    membership: Membership,
    epochs: BTreeMap<u32, SymmetricKey>,
    slot: Option<u16>,
}

/// Every circle of an unlocked vault.
#[derive(Debug)]
pub(crate) struct Circles {
    home: Circle,
    others: Vec<Circle>,
}

impl Circles {
    /// Reads every circle back, checking every record again.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`].
    pub(crate) fn load(connection: &Connection, home: CircleId, keys: &DeviceKeys) -> Result<Self, BakenError> {
        let (mut own, mut others) = (None, Vec::new());
        for (row, id) in log::circles(connection)? {
            let circle = Circle::load(connection, row, id, keys)?;
            if id == home {
                own = Some(circle);
            } else {
                others.push(circle);
            }
        }
        Ok(Self { home: own.ok_or(BakenError::VaultDamaged { part: "its membership log" })?, others })
    }

    /// This device's own: the dossier, or the one it joined as a guest.
    pub(crate) fn home(&self) -> &Circle {
        &self.home
    }

    /// All of them, its own first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Circle> {
        std::iter::once(&self.home).chain(&self.others)
    }

    /// One by its id.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCircle`].
    pub(crate) fn get(&self, id: CircleId) -> Result<&Circle, BakenError> {
        self.all().find(|circle| circle.id() == id).ok_or(BakenError::NoSuchCircle)
    }

    /// One by its id, to change it.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCircle`].
    pub(crate) fn get_mut(&mut self, id: CircleId) -> Result<&mut Circle, BakenError> {
        std::iter::once(&mut self.home)
            .chain(&mut self.others)
            .find(|circle| circle.id() == id)
            .ok_or(BakenError::NoSuchCircle)
    }

    /// One by its short number.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCircle`].
    pub(crate) fn at(&self, row: CircleRow) -> Result<&Circle, BakenError> {
        self.all().find(|circle| circle.row() == row).ok_or(BakenError::NoSuchCircle)
    }

    /// Adds one that was founded or joined.
    pub(crate) fn add(&mut self, circle: Circle) {
        self.others.push(circle);
    }
}

/// How a new circle starts.
pub(crate) struct Founding<'a> {
    pub(crate) circle: CircleId,
    pub(crate) kind: CircleKind,
    pub(crate) root: VerifyKey,
    /// The root for a dossier, else the device's own key.
    pub(crate) signer: &'a SigningKey,
    pub(crate) recovery: Option<KemPublic>,
}

/// A device as an owner of the circle.
pub(crate) fn member_of(keys: &DeviceKeys) -> Member {
    Member { device: keys.device, sig: keys.sig.verify_key(), kem: keys.kem.public(), role: MemberRole::Owner }
}

impl Circle {
    /// Founds a circle with this device as its first: two log records, of which the second starts epoch 1.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn found(
        connection: &Connection,
        founding: Founding<'_>,
        keys: &DeviceKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, BakenError> {
        let Founding { circle, kind, root, signer, recovery } = founding;
        let (membership, genesis) = Membership::found(circle, kind, root, recovery, member_of(keys), signer);
        let row = log::insert_circle(connection, circle)?;
        log::insert(connection, row, 0, genesis.bytes())?;
        let mut circle = Self { row, membership, epochs: BTreeMap::new(), slot: Some(0) };
        let record = circle.epoch_record(keys, rng)?;
        circle.apply(connection, record.bytes(), keys)?;
        Ok(circle)
    }

    /// Starts from a log that somebody else began: only its first record.
    ///
    /// # Errors
    /// [`BakenError::Format`] when it is not the first record of this circle.
    pub(crate) fn join(
        connection: &Connection,
        id: CircleId,
        genesis: &[u8],
        keys: &DeviceKeys,
    ) -> Result<Self, BakenError> {
        let membership = Membership::start(id, genesis)?;
        let row = log::insert_circle(connection, id)?;
        log::insert(connection, row, 0, genesis)?;
        let slot = membership.slot(keys.device);
        Ok(Self { row, membership, epochs: BTreeMap::new(), slot })
    }

    fn load(connection: &Connection, row: CircleRow, id: CircleId, keys: &DeviceKeys) -> Result<Self, BakenError> {
        let damaged = || BakenError::VaultDamaged { part: "its membership log" };
        let records = log::from(connection, row, 0)?;
        let (genesis, rest) = records.split_first().ok_or_else(damaged)?;
        let mut membership = Membership::start(id, genesis).map_err(|_| damaged())?;
        for record in rest {
            membership.apply(record).map_err(|_| damaged())?;
        }
        let slot = membership.slot(keys.device);
        Ok(Self { row, membership, epochs: log::epoch_keys(connection, row)?, slot })
    }

    /// Takes the next record of the log: checked, written, then part of this circle. A key that was wrapped to this
    /// device is opened, and with it all keys before it.
    ///
    /// # Errors
    /// [`BakenError::Format`] when it breaks a rule; nothing changed then.
    pub(crate) fn apply(&mut self, connection: &Connection, bytes: &[u8], keys: &DeviceKeys) -> Result<(), BakenError> {
        let mut membership = self.membership.clone();
        let signed = membership.apply(bytes)?;
        log::insert(connection, self.row, signed.value().seq, bytes)?;
        self.slot = membership.slot(keys.device);
        self.membership = membership;
        if let Some(epoch) = epoch_of(&signed.value().operation)
            && let Ok(Some(key)) = epoch.open(self.id(), keys.device, &keys.kem)
        {
            // A wrap that does not open leaves this device without the key; its entries then wait, and that shows.
            self.take_epoch_key(connection, epoch, key)?;
        }
        Ok(())
    }

    /// Keeps the key of an epoch, and those of the epochs before as far as they are missing.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn take_epoch_key(
        &mut self,
        connection: &Connection,
        epoch: &Epoch,
        key: SymmetricKey,
    ) -> Result<(), BakenError> {
        let (mut epoch, mut key) = (epoch.clone(), key);
        loop {
            log::insert_epoch_key(connection, self.row, epoch.number, &key)?;
            let before = epoch.open_before(self.id(), &key).ok().flatten();
            self.epochs.insert(epoch.number, key);
            let number = epoch.number.saturating_sub(1);
            let (Some(before), false) = (before, self.epochs.contains_key(&number)) else { return Ok(()) };
            let Some(earlier) = self.epoch(connection, number)? else { return Ok(()) };
            if earlier.check(&before).is_err() {
                return Ok(());
            }
            (epoch, key) = (earlier, before);
        }
    }

    /// The record of an epoch. The log is short: it is looked through.
    fn epoch(&self, connection: &Connection, number: u32) -> Result<Option<Epoch>, BakenError> {
        for bytes in log::from(connection, self.row, 0)? {
            // The chain was verified before it was written.
            let record = Unverified::<LogRecord>::parse(&bytes)?;
            if let Some(epoch) = epoch_of(&record.claims().operation)
                && epoch.number == number
            {
                return Ok(Some(epoch.clone()));
            }
        }
        Ok(None)
    }

    /// The newest epoch's record: what the recovery code opens.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn newest_epoch(&self, connection: &Connection) -> Result<Option<Epoch>, BakenError> {
        self.epoch(connection, self.membership.epoch())
    }

    /// A fresh epoch for `readers`: those of this circle after a change that is not in its log yet.
    ///
    /// # Errors
    /// [`BakenError::Format`] when a member's key is bad.
    pub(crate) fn epoch_for(&self, readers: &Membership, rng: &mut dyn CryptoRng) -> Result<Epoch, BakenError> {
        let number = self.membership.epoch().saturating_add(1);
        let members = readers.readers();
        let readers = Readers { members: &members, recovery: readers.recovery() };
        let before = self.epochs.get(&self.membership.epoch());
        if number > 1 && before.is_none() {
            return Err(BakenError::NoEpochKey);
        }
        Ok(Epoch::make(self.id(), number, readers, before, rng)?.0)
    }

    /// The record that starts an epoch for the members as they are, by this device.
    ///
    /// # Errors
    /// As [`Self::epoch_for`].
    pub(crate) fn epoch_record(
        &self,
        keys: &DeviceKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<LogRecord>, BakenError> {
        let epoch = self.epoch_for(&self.membership, rng)?;
        Ok(self.record(Operation::Epoch { epoch }, keys))
    }

    /// The next record, by this device.
    pub(crate) fn record(&self, operation: Operation, keys: &DeviceKeys) -> Signed<LogRecord> {
        self.membership.next(keys.device, operation, &keys.sig)
    }

    /// The hash of a record of the log; `None` when the log has not got that far here.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn log_hash(&self, connection: &Connection, seq: u64) -> Result<Option<Hash>, BakenError> {
        let head: LogHead = self.membership.head();
        if seq == head.seq {
            return Ok(Some(head.hash));
        }
        let bytes = log::at(connection, self.row, seq)?;
        Ok(bytes.map(|bytes| signed::hash_of(&bytes)))
    }

    /// Whether who saw the log stand there knows of this device.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn is_known_by(&self, connection: &Connection, log: Option<LogHead>) -> Result<bool, BakenError> {
        let (Some(log), Some(own)) = (log, self.slot.and_then(|slot| self.membership.writer(slot))) else {
            return Ok(false);
        };
        for seq in 0..=log.seq {
            let Some(bytes) = log::at(connection, self.row, seq)? else { return Ok(false) };
            let record = Unverified::<LogRecord>::parse(&bytes)?;
            let brings = match &record.claims().operation {
                Operation::Genesis { first: member, .. }
                | Operation::Add { member }
                | Operation::Recover { member, .. } => member.device == own.device,
                _ => false,
            };
            if brings {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Its short number.
    pub(crate) fn row(&self) -> CircleRow {
        self.row
    }

    /// The circle.
    pub(crate) fn id(&self) -> CircleId {
        self.membership.circle()
    }

    /// The membership that the log amounts to.
    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The newest epoch whose key is here.
    pub(crate) fn current_epoch(&self) -> Option<(u32, &SymmetricKey)> {
        self.epochs.last_key_value().map(|(number, key)| (*number, key))
    }

    /// The key of an epoch.
    pub(crate) fn epoch_key(&self, number: u32) -> Option<&SymmetricKey> {
        self.epochs.get(&number)
    }

    /// This device's writer slot; `None` before it is in the log.
    pub(crate) fn own_slot(&self) -> Option<u16> {
        self.slot
    }

    /// The device of a writer slot.
    pub(crate) fn device(&self, slot: u16) -> Option<DeviceId> {
        self.membership.writer(slot).map(|member| member.device)
    }
}

/// The epoch that an operation starts.
fn epoch_of(operation: &Operation) -> Option<&Epoch> {
    match operation {
        Operation::Epoch { epoch } | Operation::Remove { epoch, .. } | Operation::Recover { epoch, .. } => Some(epoch),
        _ => None,
    }
}

/// Remembers when this device first saw what waits about a device, and forgets what waits no more.
pub(crate) fn observe(connection: &Connection, circle: &Circle, now: Timestamp) -> Result<(), BakenError> {
    for (member, state) in circle.membership.members() {
        let waits =
            matches!(state, MemberState::Proposed { .. } | MemberState::Leaving { .. } | MemberState::Frozen { .. });
        if waits {
            log::observe(connection, circle.row, member.device, now)?;
        } else {
            log::forget_observed(connection, circle.row, member.device)?;
        }
    }
    Ok(())
}

/// The log's records from a number on, to hand to a relay that lost them.
pub(crate) fn records_from(connection: &Connection, circle: CircleRow, seq: u64) -> Result<Vec<Vec<u8>>, BakenError> {
    log::from(connection, circle, seq)
}

/// Runs `work` on a copy of the circle inside a transaction; the copy becomes the circle when the commit is durable.
///
/// # Errors
/// What `work` returns; nothing changed then.
pub(crate) fn change<T>(
    connection: &mut Connection,
    circle: &mut Circle,
    work: impl FnOnce(&Transaction<'_>, &mut Circle) -> Result<T, BakenError>,
) -> Result<T, BakenError> {
    let tx = connection.transaction()?;
    let mut changed = circle.clone();
    let done = work(&tx, &mut changed)?;
    tx.commit()?;
    *circle = changed;
    Ok(done)
}
