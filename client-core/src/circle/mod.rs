//! The circle as this device knows it: the membership log it has checked from the first record, the epoch keys, and
//! its own place.
//!
//! The rules of the log are `baken_schemas::circle`'s. Here they meet the disk: a record is checked on a copy, written
//! in the caller's transaction, and only then taken as the circle.

mod log;

use std::collections::BTreeMap;

use baken_schemas::circle::{Epoch, Member, MemberRole, Membership, Operation};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::signed::Signed;
use rand_core::CryptoRng;
use rusqlite::{Connection, Transaction};

use crate::BakenError;

/// A circle that this device is in.
#[derive(Debug, Clone)]
pub(crate) struct Circle {
    membership: Membership,
    /// Who the newest epoch's key was wrapped to.
    newest_epoch_for: Vec<DeviceId>,
    epochs: BTreeMap<u32, SymmetricKey>,
    slot: Option<u16>,
}

/// A device as a member of the circle.
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
        id: CircleId,
        root: &SigningKey,
        keys: &DeviceKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, BakenError> {
        let (membership, genesis) = Membership::found(id, root, member_of(keys));
        log::insert(connection, 0, genesis.bytes())?;
        let mut circle = Self { membership, newest_epoch_for: Vec::new(), epochs: BTreeMap::new(), slot: Some(0) };
        let (epoch, _) = circle.next_epoch(rng)?;
        circle.apply(connection, &epoch_record(&circle, epoch, keys), keys)?;
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
        log::insert(connection, 0, genesis)?;
        let slot = membership.slot(keys.device);
        Ok(Self { membership, newest_epoch_for: Vec::new(), epochs: BTreeMap::new(), slot })
    }

    /// Reads the circle back, checking every record again.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`].
    pub(crate) fn load(connection: &Connection, id: CircleId, keys: &DeviceKeys) -> Result<Self, BakenError> {
        let damaged = || BakenError::VaultDamaged { part: "its membership log" };
        let records = log::all(connection)?;
        let (genesis, rest) = records.split_first().ok_or_else(damaged)?;
        let mut membership = Membership::start(id, genesis).map_err(|_| damaged())?;
        let mut newest_epoch_for = Vec::new();
        for record in rest {
            let signed = membership.apply(record).map_err(|_| damaged())?;
            if let Operation::Epoch { epoch } = &signed.value().operation {
                newest_epoch_for = recipients(epoch);
            }
        }
        let slot = membership.slot(keys.device);
        Ok(Self { membership, newest_epoch_for, epochs: log::epoch_keys(connection)?, slot })
    }

    /// Takes the next record of the log: checked, written, then part of this circle.
    ///
    /// # Errors
    /// [`BakenError::Format`] when it breaks a rule; nothing changed then.
    pub(crate) fn apply(&mut self, connection: &Connection, bytes: &[u8], keys: &DeviceKeys) -> Result<(), BakenError> {
        let mut membership = self.membership.clone();
        let signed = membership.apply(bytes)?;
        log::insert(connection, signed.value().seq, bytes)?;
        if let Operation::Epoch { epoch } = &signed.value().operation {
            self.newest_epoch_for = recipients(epoch);
            // A wrap that does not open leaves this device without the key; its entries then wait, and that shows.
            if let Ok(Some(key)) = epoch.open(membership.circle(), keys.device, &keys.kem) {
                log::insert_epoch_key(connection, epoch.number, &key)?;
                self.epochs.insert(epoch.number, key);
            }
        }
        self.slot = membership.slot(keys.device);
        self.membership = membership;
        Ok(())
    }

    /// Takes an epoch key that came with a pairing grant, if it is the one the log commits to.
    ///
    /// # Errors
    /// [`BakenError::Format`] when it is another key or no such epoch is in the log.
    pub(crate) fn take_epoch_key(
        &mut self,
        connection: &Connection,
        number: u32,
        key: SymmetricKey,
    ) -> Result<(), BakenError> {
        log::epoch(connection, number)?.check(&key)?;
        log::insert_epoch_key(connection, number, &key)?;
        self.epochs.insert(number, key);
        Ok(())
    }

    /// A fresh epoch for the members as they are.
    ///
    /// # Errors
    /// [`BakenError::Format`] when a member's key is bad.
    pub(crate) fn next_epoch(&self, rng: &mut dyn CryptoRng) -> Result<(Epoch, SymmetricKey), BakenError> {
        let number = self.membership.epoch().saturating_add(1);
        Ok(Epoch::make(self.membership.circle(), number, self.membership.members(), rng)?)
    }

    /// The membership that the log amounts to.
    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The newest epoch whose key is here.
    pub(crate) fn current_epoch(&self) -> Option<(u32, &SymmetricKey)> {
        self.epochs.last_key_value().map(|(number, key)| (*number, key))
    }

    /// Whether the newest epoch's key was wrapped to this device.
    pub(crate) fn is_newest_epoch_for(&self, device: DeviceId) -> bool {
        self.newest_epoch_for.contains(&device)
    }

    /// The key of an epoch.
    pub(crate) fn epoch_key(&self, number: u32) -> Option<&SymmetricKey> {
        self.epochs.get(&number)
    }

    /// Every epoch key, oldest first.
    pub(crate) fn epoch_keys(&self) -> &BTreeMap<u32, SymmetricKey> {
        &self.epochs
    }

    /// This device's writer slot; `None` before it is a member.
    pub(crate) fn own_slot(&self) -> Option<u16> {
        self.slot
    }

    /// The device of a writer slot.
    pub(crate) fn device(&self, slot: u16) -> Option<DeviceId> {
        self.membership.writer(slot).map(|member| member.device)
    }
}

fn recipients(epoch: &Epoch) -> Vec<DeviceId> {
    epoch.wraps.iter().map(|wrap| wrap.recipient).collect()
}

/// The log record that starts an epoch, by this device.
pub(crate) fn epoch_record(circle: &Circle, epoch: Epoch, keys: &DeviceKeys) -> Vec<u8> {
    circle.membership.next(keys.device, Operation::Epoch { epoch }, &keys.sig).bytes().to_vec()
}

/// The log record that adds a device, by this one.
pub(crate) fn add_record(circle: &Circle, member: Member, keys: &DeviceKeys) -> Vec<u8> {
    let signed: Signed<_> = circle.membership.next(keys.device, Operation::Add { member }, &keys.sig);
    signed.bytes().to_vec()
}

/// The log's records from a number on, to hand to a relay that lost them.
pub(crate) fn records_from(connection: &Connection, seq: u64) -> Result<Vec<Vec<u8>>, BakenError> {
    log::from(connection, seq)
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
