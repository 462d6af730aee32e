//! One device that writes to a circle of its own, made straight from the formats: for load and crashes, where only
//! what the relay sees counts.

use anyhow::Result;
use baken_schemas::circle::{CircleKind, Epoch, LogRecord, Member, MemberRole, Membership, Operation, Readers};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, next_header};
use baken_schemas::id::CircleId;
use baken_schemas::signed::Signed;
use rand_core::CryptoRng;

/// A circle's one writer. What it makes follows on what it made before, whether or not that was sent.
#[derive(Debug)]
pub struct Writer {
    membership: Membership,
    epoch_key: SymmetricKey,
    last: Option<(u64, Hash)>,
}

impl Writer {
    /// Founds a circle, and gives its first two records: the genesis and epoch 1.
    ///
    /// # Errors
    /// When the device's keys cannot be used.
    pub fn found(keys: &DeviceKeys, rng: &mut dyn CryptoRng) -> Result<(Self, [Signed<LogRecord>; 2])> {
        let first =
            Member { device: keys.device, sig: keys.sig.verify_key(), kem: keys.kem.public(), role: MemberRole::Owner };
        let root = baken_schemas::crypto::SigningKey::make(rng);
        let (membership, genesis) =
            Membership::found(CircleId::make(rng), CircleKind::Dossier, root.verify_key(), None, first, &root);
        let mut writer = Self { membership, epoch_key: SymmetricKey::make(rng), last: None };
        let epoch = writer.next_epoch(keys, rng)?;
        Ok((writer, [genesis, epoch]))
    }

    /// The circle.
    pub fn circle(&self) -> CircleId {
        self.membership.circle()
    }

    /// The record that starts the next epoch, whose key seals from now on.
    ///
    /// # Errors
    /// As [`Writer::found`].
    pub fn next_epoch(&mut self, keys: &DeviceKeys, rng: &mut dyn CryptoRng) -> Result<Signed<LogRecord>> {
        let number = self.membership.epoch() + 1;
        let members = self.membership.readers();
        let readers = Readers { members: &members, recovery: None };
        let before = (number > 1).then_some(&self.epoch_key);
        let (epoch, key) = Epoch::make(self.circle(), number, readers, before, rng)?;
        let record = self.membership.next(keys.device, Operation::Epoch { epoch }, &keys.sig);
        self.membership.apply(record.bytes())?;
        self.epoch_key = key;
        Ok(record)
    }

    /// The next entry, with so many bytes of changes in it.
    ///
    /// # Errors
    /// When that is too many.
    pub fn entry(&mut self, keys: &DeviceKeys, bytes: usize, rng: &mut dyn CryptoRng) -> Result<Entry> {
        let header = next_header(EntryKind::Changes, self.circle(), self.membership.epoch(), 0, self.last, rng);
        let counter = header.counter;
        let mut changes = vec![0; bytes];
        rng.fill_bytes(&mut changes);
        let log = Some(self.membership.head());
        let body =
            EntryBody { device: keys.device, hlc: counter << 16, log, heads: Vec::new(), schema: SCHEMA, changes };
        let entry = Entry::seal(header, &body, &self.epoch_key, &keys.sig, rng)?;
        self.last = Some((counter, entry.hash()));
        Ok(entry)
    }
}
