//! From edits to entries: what is pending is sealed before anything of others is taken in, so that an entry covers just
//! what its author had before their eyes when they wrote.

use baken_schemas::cbor;
use baken_schemas::checkpoint::Seen;
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, WriterHead, next_header};
use baken_schemas::record::{Change, MAX_CHANGES, encode_changes};
use rusqlite::Connection;

use crate::circle::Circle;
use crate::record::register::seen_of;
use crate::record::{store, time};
use crate::sync::rows;
use crate::{BakenError, Context};

/// The bytes of values that one entry holds at most: well below the format's limit.
const MAX_BATCH_BYTES: usize = 384 * 1024;
/// What a change takes beside its value at most.
const CHANGE_BYTES: usize = 64;

/// Who writes, and where.
#[derive(Clone, Copy)]
pub(crate) struct Author<'a> {
    pub(crate) circle: &'a Circle,
    pub(crate) keys: &'a DeviceKeys,
    pub(crate) context: &'a Context,
}

impl Author<'_> {
    /// This device's slot, if it may write.
    fn slot(&self) -> Result<u16, BakenError> {
        let slot = self.circle.own_slot().filter(|_| self.circle.membership().may_write(self.keys.device));
        slot.ok_or(BakenError::MayNotWrite)
    }

    /// Adds an edit to what the next entry will hold. Gives the counter of that entry and the time of the edit.
    ///
    /// # Errors
    /// [`BakenError::MayNotWrite`] when this device is not, or not any more, a writer of the circle.
    pub(crate) fn add(&self, connection: &Connection, change: &Change) -> Result<(u16, u64, u64), BakenError> {
        let slot = self.slot()?;
        let row = self.circle.row();
        let now = self.context.now();
        let (count, bytes) = store::pending_size(connection, row)?;
        let size = cbor::to_vec(&change.value).len();
        let is_full = |bytes: usize| bytes.saturating_add(count.saturating_mul(CHANGE_BYTES)) > MAX_BATCH_BYTES;
        let mut hlc = time::of_batch(connection, row, now)?;
        if count > 0 && (hlc.is_none() || count >= MAX_CHANGES || is_full(bytes.saturating_add(size))) {
            self.seal_pending(connection)?;
            hlc = None;
        }
        let hlc = match hlc {
            Some(hlc) => hlc,
            None => time::start_batch(connection, row, now)?,
        };
        store::insert_pending(connection, row, change)?;
        let counter = rows::head(connection, row, slot)?.map_or(1, |head| head.counter.saturating_add(1));
        Ok((slot, counter, hlc))
    }

    /// Seals these edits as an entry of their own, and gives its counter and time: fewer pages of the vault than the way over
    /// [`Self::add`]. `None` when there are none, when others wait to be sealed before, or when they are more than one entry
    /// holds.
    ///
    /// # Errors
    /// As [`Self::add`] and [`Self::seal`].
    pub(crate) fn seal_at_once(
        &self,
        connection: &Connection,
        changes: &[Change],
    ) -> Result<Option<(u16, u64, u64)>, BakenError> {
        let fits = (1..=MAX_CHANGES).contains(&changes.len());
        if !fits || store::pending_size(connection, self.circle.row())?.0 > 0 {
            return Ok(None);
        }
        let slot = self.slot()?;
        let encoded = encode_changes(changes)?;
        if encoded.len() > MAX_BATCH_BYTES {
            return Ok(None);
        }
        let hlc = time::next(connection, self.context.now())?;
        let entry = self.seal(connection, EntryKind::Changes, hlc, encoded)?;
        Ok(Some((slot, entry.header().counter, hlc)))
    }

    /// Seals what is pending; nothing to do where nothing is.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn seal_pending(&self, connection: &Connection) -> Result<(), BakenError> {
        let changes = store::pending(connection, self.circle.row())?;
        if changes.is_empty() {
            return Ok(());
        }
        let hlc = time::end_batch(connection, self.circle.row())?;
        let hlc = hlc.ok_or(BakenError::VaultDamaged { part: "its pending edits" })?;
        self.seal(connection, EntryKind::Changes, hlc, encode_changes(&changes)?)?;
        store::pending_sealed(connection, self.circle.row())
    }

    /// Whether this device has taken in what a removed one wrote past its cut, and has not said so in an entry: the
    /// others wait for that word.
    fn owes_word(&self, connection: &Connection, slot: u16) -> Result<bool, BakenError> {
        let said = rows::seen(connection, self.circle.row(), slot)?;
        let heads = rows::heads(connection, self.circle.row())?;
        let past_cut = |(writer, head): &(u16, rows::Head)| {
            *writer != slot
                && self.circle.membership().cut(*writer).is_some_and(|cut| head.counter > cut)
                && head.counter > seen_of(&said, *writer)
        };
        Ok(heads.iter().any(past_cut))
    }

    /// Seals what is pending, and an empty entry where others wait for this device's word.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn seal_owed(&self, connection: &Connection) -> Result<(), BakenError> {
        let Ok(slot) = self.slot() else { return Ok(()) };
        self.seal_pending(connection)?;
        if self.owes_word(connection, slot)? {
            let hlc = time::next(connection, self.context.now())?;
            self.seal(connection, EntryKind::Changes, hlc, encode_changes(&[])?)?;
        }
        Ok(())
    }

    /// Seals one entry with `changes`, naming the heads that are new since this device's last.
    ///
    /// # Errors
    /// [`BakenError::NoEpochKey`], [`BakenError::MayNotWrite`], [`BakenError::Format`] when it is too large.
    pub(crate) fn seal(
        &self,
        connection: &Connection,
        kind: EntryKind,
        hlc: u64,
        changes: Vec<u8>,
    ) -> Result<Entry, BakenError> {
        let (slot, row) = (self.slot()?, self.circle.row());
        let (epoch, key) = self.circle.current_epoch().ok_or(BakenError::NoEpochKey)?;
        let said = rows::seen(connection, row, slot)?;
        let all = rows::heads(connection, row)?;
        let others = || all.iter().filter(|(writer, _)| *writer != slot);
        let heads = others()
            .filter(|(writer, head)| head.counter > seen_of(&said, *writer))
            .map(|(writer, head)| WriterHead { slot: *writer, counter: head.counter, hash: head.hash })
            .collect();
        let seen: Vec<Seen> = others().map(|(slot, head)| Seen { slot: *slot, counter: head.counter }).collect();
        let body = EntryBody {
            device: self.keys.device,
            hlc,
            log: Some(self.circle.membership().head()),
            heads,
            schema: SCHEMA,
            changes,
        };
        let previous = rows::head(connection, row, slot)?.map(|head| (head.counter, head.hash));
        let entry = self.context.with_rng(|rng| {
            let header = next_header(kind, self.circle.id(), epoch, slot, previous, rng);
            Entry::seal(header, &body, key, &self.keys.sig, rng)
        })?;
        rows::insert_applied(connection, row, &entry, true)?;
        rows::write_seen(connection, row, slot, &seen)?;
        Ok(entry)
    }
}
