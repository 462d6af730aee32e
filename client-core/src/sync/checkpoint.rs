//! Checkpoints: an owner's device writes the whole state into the stream, so that old entries can go; a device that is
//! new, or was away for longer than the relay keeps entries, starts from it and keeps what it had not sent.
//!
//! A device that has all that a checkpoint covers takes its parts for what they are: entries without news. One that
//! has not keeps them until all are here, and then brings both states together in one transaction: a put that one side
//! has and the other has taken in but not kept was replaced there, all others stand.

use baken_schemas::cbor;
use baken_schemas::checkpoint::{CheckpointPart, RecordState, Seen, WriterState};
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, EntryKind};
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::BakenError;
use crate::circle::{Circle, CircleRow};
use crate::record::register::{kept, seen_of};
use crate::record::store::{self, Records, record_id};
use crate::record::time;
use crate::sync::engine::Verdict;
use crate::sync::rows::{self, Place, QuarantineReason, WaitReason};
use crate::sync::seal::Author;
use crate::vault::setting;

/// About how many bytes of records one part holds.
const PART_BYTES: usize = 512 * 1024;
/// A checkpoint is due when this many entries came since the last.
const DUE_ENTRIES: u64 = 2_000;
/// What the newest checkpoint taken in covers: slot and counter.
const COVERED: &str = "checkpoint_covers";
/// A checkpoint is due whatever the number of entries.
const DUE_NOW: &str = "checkpoint_due";
/// The counter of the last part of the newest checkpoint that this device wrote.
const WRITTEN: &str = "checkpoint_written";
/// How many entries there were, of all writers, at the last checkpoint.
const AT_LAST: &str = "entries_at_checkpoint";

/// Whether a checkpoint that this device started from covers an entry, which it then need not have.
pub(super) fn covers(connection: &Connection, circle: CircleRow, place: Place) -> Result<bool, BakenError> {
    let covered: Option<Vec<Seen>> = setting::read_of(connection, circle, COVERED)?;
    Ok(covered.is_some_and(|covered| seen_of(&covered, place.slot) >= place.counter))
}

/// Whether this device lacks something that the checkpoint of this part covers.
pub(super) fn is_needed(
    connection: &Connection,
    circle: &Circle,
    entry: &Entry,
    body: &EntryBody,
) -> Result<bool, BakenError> {
    let EntryKind::Checkpoint { part, .. } = entry.header().kind else { return Ok(false) };
    let row = circle.row();
    if part > 0 {
        // The first part has decided it for all.
        return Ok(parts(connection, row, entry.header().slot)? == Some(part));
    }
    let Ok(first) = CheckpointPart::from_bytes(&body.changes) else { return Ok(false) };
    for writer in &first.writers {
        if rows::head(connection, row, writer.slot)?.is_none_or(|head| head.counter < writer.counter) {
            return Ok(true);
        }
    }
    // Its author's own entries right before it are covered too.
    let head = rows::head(connection, row, entry.header().slot)?;
    Ok(head.map_or(0, |head| head.counter).saturating_add(1) < entry.header().counter)
}

/// How many parts of a writer's checkpoint lie here, all from the first on.
fn parts(connection: &Connection, circle: CircleRow, slot: u16) -> Result<Option<u16>, BakenError> {
    let count: u16 = connection
        .prepare_cached("SELECT count(*) FROM checkpoint_part WHERE circle = ?1 AND slot = ?2")?
        .query_row((circle.0, slot), |row| row.get(0))?;
    Ok((count > 0).then_some(count))
}

/// Keeps a part; with the last, brings the states together.
pub(super) fn take(
    tx: &Transaction<'_>,
    circle: &Circle,
    entry: &Entry,
    body: EntryBody,
    now: Timestamp,
) -> Result<Verdict, BakenError> {
    let (row, header) = (circle.row(), entry.header());
    let EntryKind::Checkpoint { part, of } = header.kind else {
        return Ok(Verdict::Refused(QuarantineReason::Rules));
    };
    let by = body.device;
    if CheckpointPart::from_bytes(&body.changes).is_err() {
        return Ok(Verdict::Refused(QuarantineReason::Rules));
    }
    if part == 0 {
        tx.prepare_cached("DELETE FROM checkpoint_part WHERE circle = ?1 AND slot = ?2")?
            .execute((row.0, header.slot))?;
    } else {
        let before: Vec<u8> = tx
            .prepare_cached("SELECT bytes FROM checkpoint_part WHERE circle = ?1 AND slot = ?2 AND part = ?3")?
            .query_row((row.0, header.slot, part.saturating_sub(1)), |row| row.get(0))?;
        let before: KeptPart = kept(&before)?;
        if header.counter != before.counter.saturating_add(1) || header.prev != before.hash {
            return Ok(Verdict::Refused(QuarantineReason::Fork));
        }
    }
    tx.prepare_cached("INSERT INTO checkpoint_part (circle, slot, part, bytes) VALUES (?1, ?2, ?3, ?4)")?.execute((
        row.0,
        header.slot,
        part,
        cbor::to_vec(&KeptPart { counter: header.counter, hash: entry.hash(), bytes: body.changes.into() }),
    ))?;
    if part.saturating_add(1) < of {
        return Ok(Verdict::Kept);
    }
    start_from(tx, circle, entry, now)?;
    Ok(Verdict::Applied { by, changes: 0 })
}

/// A part as it lies in the vault until all are here.
#[derive(Encode, Decode)]
struct KeptPart {
    #[n(0)]
    counter: u64,
    #[n(1)]
    hash: Hash,
    #[n(2)]
    bytes: ByteVec,
}

/// Brings this device's state and a checkpoint together.
fn start_from(tx: &Transaction<'_>, circle: &Circle, last: &Entry, now: Timestamp) -> Result<(), BakenError> {
    let (row, author) = (circle.row(), last.header().slot);
    store::settle(tx, circle, now)?;
    let parts: Vec<KeptPart> = tx
        .prepare_cached("SELECT bytes FROM checkpoint_part WHERE circle = ?1 AND slot = ?2 ORDER BY part")?
        .query_map((row.0, author), |row| row.get::<_, Vec<u8>>(0))?
        .map(|bytes| kept(&bytes?))
        .collect::<Result<_, BakenError>>()?;
    tx.prepare_cached("DELETE FROM checkpoint_part WHERE circle = ?1 AND slot = ?2")?.execute((row.0, author))?;
    let mut own: Vec<Seen> =
        rows::heads(tx, row)?.into_iter().map(|(slot, head)| Seen { slot, counter: head.counter }).collect();
    own.sort_by_key(|seen| seen.slot);
    let mut writers: Vec<WriterState> = Vec::new();
    let mut covered: Vec<Seen> = Vec::new();
    let mut records = Records::of(tx, circle, now);
    for (index, part) in parts.iter().enumerate() {
        let part = CheckpointPart::from_bytes(&part.bytes)?;
        if index == 0 {
            writers = part.writers;
            covered = writers.iter().map(|writer| Seen { slot: writer.slot, counter: writer.counter }).collect();
        }
        for RecordState { record, kind, fields } in &part.records {
            records.merge(*record, *kind, &own, fields, &covered)?;
        }
    }
    // What the checkpoint does not name at all, and covers, was never there: nothing is ever removed from a record.
    records.write()?;
    for writer in &writers {
        let here = rows::head(tx, row, writer.slot)?;
        if here.is_none_or(|head| head.counter < writer.counter) {
            rows::insert_head(tx, row, writer)?;
            rows::write_seen(tx, row, writer.slot, &writer.seen)?;
        }
    }
    // The parts themselves: their author's chain goes on behind the last.
    rows::insert_applied(tx, row, last, false)?;
    let mut seen: Vec<Seen> = covered.iter().filter(|seen| seen.slot != author).copied().collect();
    seen.sort_by_key(|seen| seen.slot);
    rows::write_seen(tx, row, author, &seen)?;
    let mut all = covered;
    let through = Seen { slot: author, counter: last.header().counter };
    match all.binary_search_by_key(&author, |seen| seen.slot) {
        Ok(index) => all.splice(index..=index, [through]).for_each(drop),
        Err(index) => all.insert(index, through),
    }
    setting::write_of(tx, row, COVERED, &all)
}

/// Whether this device is to write a checkpoint now: it is an owner's, it lacks nothing, and many entries came.
pub(super) fn is_due(connection: &Connection, circle: &Circle, keys: &DeviceKeys) -> Result<bool, BakenError> {
    let row = circle.row();
    if !circle.membership().is_owner(keys.device)
        || rows::count_waiting(connection, row, Some(WaitReason::Entry))? > 0
        || rows::count_waiting(connection, row, Some(WaitReason::NewerVersion))? > 0
    {
        return Ok(false);
    }
    if setting::read_of(connection, row, DUE_NOW)?.unwrap_or(false) {
        return Ok(true);
    }
    let now = entries(connection, row)?;
    let at_last: u64 = setting::read_of(connection, row, AT_LAST)?.unwrap_or(0);
    Ok(now.saturating_sub(at_last) >= DUE_ENTRIES)
}

fn entries(connection: &Connection, circle: CircleRow) -> Result<u64, BakenError> {
    Ok(rows::heads(connection, circle)?.iter().map(|(_, head)| head.counter).sum())
}

/// Makes the next look find a checkpoint due.
pub(super) fn make_due(connection: &Connection, circle: CircleRow) -> Result<(), BakenError> {
    setting::write_of(connection, circle, DUE_NOW, &true)
}

/// Notes that a checkpoint of somebody has come, so that not every device writes one.
pub(super) fn note(connection: &Connection, circle: CircleRow) -> Result<(), BakenError> {
    setting::remove_of(connection, circle, DUE_NOW)?;
    setting::write_of(connection, circle, AT_LAST, &entries(connection, circle)?)
}

/// Writes a checkpoint into this device's chain, to be sent like any entry.
///
/// # Errors
/// As [`Author::seal`].
pub(crate) fn make(tx: &Transaction<'_>, author: Author<'_>) -> Result<(), BakenError> {
    let row = author.circle.row();
    author.seal_pending(tx)?;
    store::settle(tx, author.circle, author.context.now())?;
    let mut writers = Vec::new();
    for (slot, head) in rows::heads(tx, row)? {
        let seen = rows::seen(tx, row, slot)?;
        writers.push(WriterState { slot, counter: head.counter, hash: head.hash, epoch: head.epoch, seen });
    }
    let mut parts = vec![CheckpointPart { writers, records: Vec::new() }];
    let mut size = 0_usize;
    let mut statement = tx.prepare_cached("SELECT record, kind, body FROM record WHERE circle = ?1 ORDER BY id")?;
    let mut found = statement.query([row.0])?;
    while let Some(row) = found.next()? {
        let body = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        if size > 0 && size.saturating_add(body.len()) > PART_BYTES {
            parts.push(CheckpointPart { writers: Vec::new(), records: Vec::new() });
            size = 0;
        }
        size = size.saturating_add(body.len()).saturating_add(32);
        let record = record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let state = RecordState { record, kind: row.get(1)?, fields: kept(body)? };
        if let Some(part) = parts.last_mut() {
            part.records.push(state);
        }
    }
    drop(found);
    drop(statement);
    let hlc = time::next(tx, author.context.now())?;
    let of = u16::try_from(parts.len()).map_err(|_| BakenError::ValueRefused)?;
    for (part, content) in (0_u16..).zip(&parts) {
        let entry = author.seal(tx, EntryKind::Checkpoint { part, of }, hlc, content.to_bytes())?;
        setting::write_of(tx, row, WRITTEN, &entry.header().counter)?;
    }
    note(tx, row)
}

/// Whether the relay has not acknowledged all of a checkpoint that this device wrote. Until then nothing more may be
/// read: what a device asks to go on from the relay takes for read, and a checkpoint for holding all that its author
/// had read when it came.
pub(super) fn is_unsent(connection: &Connection, circle: CircleRow, stored: u64) -> Result<bool, BakenError> {
    Ok(setting::read_of::<u64>(connection, circle, WRITTEN)?.is_some_and(|last| last > stored))
}

/// Whether a checkpoint's first parts lie here without its last.
pub(super) fn is_incomplete(connection: &Connection, circle: CircleRow) -> Result<bool, BakenError> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM checkpoint_part WHERE circle = ?1 LIMIT 1")?
        .query_row([circle.0], |_| Ok(()))
        .optional()?
        .is_some())
}
