//! Records in SQLite: one row a record with all its fields, and what a put replaced.
//!
//! What others wrote is durable as it came (`fresh`) before it is merged: a phone that receives in the background
//! writes little, and the look that follows merges all at once. [`settle`] must run before anything here is read.

use std::collections::{BTreeMap, BTreeSet};

use baken_schemas::cbor;
use baken_schemas::checkpoint::{FieldState, Seen, StandingPut};
use baken_schemas::id::RecordId;
use baken_schemas::record::{Change, DELETED, FieldNumber, KindNumber, decode_changes};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use crate::BakenError;
use crate::circle::{Circle, CircleRow};
use crate::record::deletion::{self, Passed};
use crate::record::register::{self, SeenBy, kept};
use crate::vault::setting;

/// The most records held in memory while merging.
const MAX_HELD: usize = 2048;
/// The most taken-in entries merged in one go.
const MAX_FRESH: usize = 1024;

/// How many edits are pending in a circle, and their bytes. Kept, since counting them anew was about a tenth of a
/// 1.2 ms edit in a profile with up to a thousand of them (27 November 2026).
const PENDING_SIZE: &str = "pending_size";
/// What the changes are about that were taken in and are not merged: an [`About`].
const UNMERGED: &str = "unmerged";

/// The short number of a record in this database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordRow(pub(crate) i64);

/// Reads an id out of a row.
pub(crate) fn record_id(bytes: &[u8]) -> Result<RecordId, BakenError> {
    RecordId::from_slice(bytes).ok_or(BakenError::VaultDamaged { part: "a record" })
}

/// The fields of a record, if it was ever written to.
pub(crate) fn fields(
    connection: &Connection,
    circle: CircleRow,
    record: RecordId,
    kind: KindNumber,
) -> Result<Option<(RecordRow, Vec<FieldState>)>, BakenError> {
    let row: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT id, body FROM record WHERE record = ?1 AND kind = ?2 AND circle = ?3")?
        .query_row((record.0, kind, circle.0), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(id, body)| Ok((RecordRow(id), kept(&body)?))).transpose()
}

/// Every record of a circle, in the order they came.
pub(crate) fn all_fields(
    connection: &Connection,
    circle: CircleRow,
) -> Result<Vec<(RecordId, KindNumber, Vec<FieldState>)>, BakenError> {
    let mut statement =
        connection.prepare_cached("SELECT record, kind, body FROM record WHERE circle = ?1 ORDER BY id")?;
    let mut rows = statement.query([circle.0])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let record = record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        all.push((record, row.get(1)?, kept(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?));
    }
    Ok(all)
}

/// Records of one circle on their way from what was read to what is written back.
pub(crate) struct Records<'a> {
    connection: &'a Connection,
    circle: &'a Circle,
    now: Timestamp,
    held: BTreeMap<(RecordId, KindNumber), Held>,
}

struct Held {
    row: Option<RecordRow>,
    fields: Vec<FieldState>,
    replaced: Vec<(FieldNumber, StandingPut)>,
    passed: Passed,
}

impl<'a> Records<'a> {
    pub(crate) fn of(connection: &'a Connection, circle: &'a Circle, now: Timestamp) -> Self {
        Self { connection, circle, now, held: BTreeMap::new() }
    }

    fn hold(&mut self, record: RecordId, kind: KindNumber) -> Result<&mut Held, BakenError> {
        if self.held.len() >= MAX_HELD && !self.held.contains_key(&(record, kind)) {
            self.write()?;
        }
        match self.held.entry((record, kind)) {
            std::collections::btree_map::Entry::Occupied(held) => Ok(held.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => {
                let found = fields(self.connection, self.circle.row(), record, kind)?;
                let (row, fields) = found.map_or((None, Vec::new()), |(row, fields)| (Some(row), fields));
                Ok(place.insert(Held { row, fields, replaced: Vec::new(), passed: Passed::default() }))
            }
        }
    }

    /// Puts a field.
    pub(crate) fn put(
        &mut self,
        record: RecordId,
        kind: KindNumber,
        field: FieldNumber,
        put: StandingPut,
        seen: &SeenBy,
    ) -> Result<(), BakenError> {
        let held = self.hold(record, kind)?;
        held.passed.put(field, &put);
        let replaced = register::put(&mut held.fields, field, put, seen);
        held.replaced.extend(replaced.into_iter().map(|put| (field, put)));
        Ok(())
    }

    /// Brings a record together with what stands in it elsewhere.
    pub(crate) fn merge(
        &mut self,
        record: RecordId,
        kind: KindNumber,
        seen: &SeenBy,
        others: &[FieldState],
        seen_by_other: &SeenBy,
    ) -> Result<(), BakenError> {
        let held = self.hold(record, kind)?;
        held.passed.is_old = true;
        let replaced = register::merge(&mut held.fields, seen, others, seen_by_other);
        held.replaced.extend(replaced);
        Ok(())
    }

    /// Writes back what changed.
    pub(crate) fn write(&mut self) -> Result<(), BakenError> {
        let mut deleters = BTreeSet::new();
        for ((record, kind), held) in std::mem::take(&mut self.held) {
            let body = cbor::to_vec(&held.fields);
            let conflict = held.fields.iter().any(register::is_in_conflict);
            let row = match held.row {
                Some(row) => {
                    self.connection
                        .prepare_cached("UPDATE record SET body = ?2, conflict = ?3 WHERE id = ?1")?
                        .execute((row.0, body, conflict))?;
                    row
                }
                None => {
                    self.connection
                        .prepare_cached(
                            "INSERT INTO record (circle, record, kind, body, conflict) VALUES (?1, ?2, ?3, ?4, ?5)",
                        )?
                        .execute((self.circle.row().0, record.0, kind, body, conflict))?;
                    RecordRow(self.connection.last_insert_rowid())
                }
            };
            let place = (row, kind);
            let noted = deletion::note(self.connection, self.circle, place, &held.fields, &held.passed, self.now)?;
            deleters.extend(noted);
            for (field, put) in held.replaced {
                self.connection
                    .prepare_cached("INSERT INTO replaced (record, field, put) VALUES (?1, ?2, ?3)")?
                    .execute((row.0, field, cbor::to_vec(&put)))?;
            }
        }
        for slot in deleters {
            deletion::hold_burst(self.connection, self.circle.row(), slot, self.now)?;
        }
        Ok(())
    }
}

/// Merges the changes of one entry at once, behind what waits.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn merge_at_once(
    connection: &Connection,
    circle: &Circle,
    (slot, counter): (u16, u64),
    hlc: u64,
    seen: &SeenBy,
    changes: Vec<Change>,
    now: Timestamp,
) -> Result<(), BakenError> {
    merge_fresh(connection, circle, now)?;
    let mut records = Records::of(connection, circle, now);
    for Change { record, kind, field, value } in changes {
        records.put(record, kind, field, StandingPut { slot, counter, hlc, value }, seen)?;
    }
    records.write()
}

/// Keeps the changes of an entry until the next look, and what they are about.
pub(crate) fn insert_fresh(
    connection: &Connection,
    circle: CircleRow,
    (slot, counter): (u16, u64),
    hlc: u64,
    schema: u16,
    seen: &SeenBy,
    (changes, about): (&[u8], About),
) -> Result<(), BakenError> {
    let before = unmerged(connection, circle)?;
    if !before.holds(about) {
        setting::write_of(connection, circle, UNMERGED, &before.and(about).0)?;
    }
    connection
        .prepare_cached(
            "INSERT INTO fresh (circle, slot, counter, hlc, schema, seen, changes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((circle.0, slot, signed(counter), signed(hlc), schema, cbor::to_vec(&seen.to_vec()), changes))?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Which kinds of record changes are about, and whether a deletion is among them. What the sync itself has to know of
/// is merged at once; everything else waits for the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About(u64);

impl About {
    /// A record is deleted or restored.
    pub(crate) const DELETIONS: Self = Self(1 << 63);
    /// Every kind that has no bit of its own.
    const OTHER_KINDS: u32 = 62;

    /// Records of these kinds.
    pub(crate) fn kinds(kinds: impl IntoIterator<Item = KindNumber>) -> Self {
        let bit = |kind: KindNumber| 1 << u32::from(kind).min(Self::OTHER_KINDS);
        Self(kinds.into_iter().fold(0, |bits, kind| bits | bit(kind)))
    }

    /// What these changes are about.
    pub(crate) fn changes(changes: &[Change]) -> Self {
        let kinds = Self::kinds(changes.iter().map(|change| change.kind));
        let is_deletion = changes.iter().any(|change| change.field == DELETED);
        if is_deletion { kinds.and(Self::DELETIONS) } else { kinds }
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What the changes are about that wait for the next look. Of those that an older version took in nothing is known: they
/// may be about anything.
fn unmerged(connection: &Connection, circle: CircleRow) -> Result<About, BakenError> {
    if let Some(about) = setting::read_of(connection, circle, UNMERGED)? {
        return Ok(About(about));
    }
    let waits = connection.prepare_cached("SELECT 1 FROM fresh WHERE circle = ?1 LIMIT 1")?.exists([circle.0])?;
    Ok(About(if waits { u64::MAX } else { 0 }))
}

struct Fresh {
    id: i64,
    slot: u16,
    counter: u64,
    hlc: u64,
    schema: u16,
    seen: Vec<Seen>,
    changes: Vec<u8>,
}

fn fresh(connection: &Connection, circle: CircleRow) -> Result<Vec<Fresh>, BakenError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, slot, counter, hlc, schema, seen, changes FROM fresh WHERE circle = ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query((circle.0, i64::try_from(MAX_FRESH).unwrap_or(i64::MAX)))?;
    let mut fresh = Vec::new();
    while let Some(row) = rows.next()? {
        fresh.push(Fresh {
            id: row.get(0)?,
            slot: row.get(1)?,
            counter: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            hlc: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            schema: row.get(4)?,
            seen: kept(row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?)?,
            changes: row.get(6)?,
        });
    }
    Ok(fresh)
}

/// Merges what was taken in into the records, in the order it came, and brings up to date since when what is deleted.
/// A caller that is in a transaction goes on in it.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn settle(connection: &Connection, circle: &Circle, now: Timestamp) -> Result<(), BakenError> {
    merge_fresh(connection, circle, now)?;
    let_go(connection, circle, now)
}

fn merge_fresh(connection: &Connection, circle: &Circle, now: Timestamp) -> Result<(), BakenError> {
    loop {
        let batch = fresh(connection, circle.row())?;
        let Some(last) = batch.last().map(|fresh| fresh.id) else { return Ok(()) };
        in_transaction(connection, || merge_batch(connection, circle, now, batch, last))?;
    }
}

/// Brings up to date since when what is deleted.
fn let_go(connection: &Connection, circle: &Circle, now: Timestamp) -> Result<(), BakenError> {
    if deletion::is_up_to_date(connection, circle.row(), now)? {
        return Ok(());
    }
    in_transaction(connection, || deletion::bring_up_to_date(connection, circle, now))
}

/// As [`settle`], but merges only when something of that kind waits.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn settle_about(
    connection: &Connection,
    circle: &Circle,
    about: About,
    now: Timestamp,
) -> Result<(), BakenError> {
    if unmerged(connection, circle.row())?.meets(about) {
        merge_fresh(connection, circle, now)?;
    }
    let_go(connection, circle, now)
}

fn in_transaction(connection: &Connection, work: impl FnOnce() -> Result<(), BakenError>) -> Result<(), BakenError> {
    let own = connection.is_autocommit();
    if own {
        connection.execute_batch("BEGIN IMMEDIATE")?;
    }
    let done = work();
    if own {
        connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    }
    done
}

fn merge_batch(
    connection: &Connection,
    circle: &Circle,
    now: Timestamp,
    batch: Vec<Fresh>,
    last: i64,
) -> Result<(), BakenError> {
    let mut records = Records::of(connection, circle, now);
    let is_all = batch.len() < MAX_FRESH;
    for entry in batch {
        let Fresh { slot, counter, hlc, schema, seen, changes, .. } = entry;
        // They were decoded once when they were taken in.
        for Change { record, kind, field, value } in decode_changes(schema, &changes)? {
            records.put(record, kind, field, StandingPut { slot, counter, hlc, value }, &seen)?;
        }
    }
    records.write()?;
    connection.prepare_cached("DELETE FROM fresh WHERE circle = ?1 AND id <= ?2")?.execute((circle.row().0, last))?;
    if is_all { setting::write_of(connection, circle.row(), UNMERGED, &0_u64) } else { Ok(()) }
}

/// The edits that the next entry will hold, oldest first.
pub(crate) fn pending(connection: &Connection, circle: CircleRow) -> Result<Vec<Change>, BakenError> {
    let mut statement =
        connection.prepare_cached("SELECT record, kind, field, value FROM pending WHERE circle = ?1 ORDER BY id")?;
    let mut rows = statement.query([circle.0])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        let record = record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let value = kept(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)?;
        pending.push(Change { record, kind: row.get(1)?, field: row.get(2)?, value });
    }
    Ok(pending)
}

/// How many edits the next entry will hold, and about how many bytes.
pub(crate) fn pending_size(connection: &Connection, circle: CircleRow) -> Result<(usize, usize), BakenError> {
    if let Some((count, bytes)) = setting::read_of::<(u64, u64)>(connection, circle, PENDING_SIZE)? {
        return Ok((usize::try_from(count).unwrap_or(usize::MAX), usize::try_from(bytes).unwrap_or(usize::MAX)));
    }
    let (count, bytes): (i64, i64) = connection
        .prepare_cached("SELECT count(*), coalesce(sum(length(value)), 0) FROM pending WHERE circle = ?1")?
        .query_row([circle.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((usize::try_from(count).unwrap_or(usize::MAX), usize::try_from(bytes).unwrap_or(usize::MAX)))
}

/// Adds an edit to those that the next entry will hold.
pub(crate) fn insert_pending(connection: &Connection, circle: CircleRow, change: &Change) -> Result<(), BakenError> {
    let (count, bytes) = pending_size(connection, circle)?;
    let value = cbor::to_vec(&change.value);
    let after = ((count as u64).saturating_add(1), (bytes as u64).saturating_add(value.len() as u64));
    setting::write_of(connection, circle, PENDING_SIZE, &after)?;
    connection
        .prepare_cached("INSERT INTO pending (circle, record, kind, field, value) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((circle.0, change.record.0, change.kind, change.field, value))?;
    Ok(())
}

/// Forgets pending edits: an entry holds them now.
pub(crate) fn pending_sealed(connection: &Connection, circle: CircleRow) -> Result<(), BakenError> {
    connection.prepare_cached("DELETE FROM pending WHERE circle = ?1")?.execute([circle.0])?;
    setting::remove_of(connection, circle, PENDING_SIZE)
}
