//! What this device has seen of deletions: since when it knows of each, and which of them it holds.
//!
//! Deleting is a put, and merges like any other. That a record is shown as deleted, though, waits where one device
//! deletes many at once: a phone in the wrong hands, or a program gone wrong, must not empty everybody's dossier. Such
//! a burst is held for a day, or until another owner's device deletes the same record too. The state that devices
//! agree on is not touched by that; each counts the day, and the thirty days until a deleted record is erased
//! ([`super::erase`]), from when it saw the deletion itself, as it does for members (docs/adr/0007).
//!
//! A burst is what the author's clock or this device's puts within one hour, whichever is more. What a device reads
//! when it first catches up with a circle, or out of a checkpoint, came to it all at once and says nothing by that:
//! there only the author's clock counts, and only for the last day.

use baken_schemas::checkpoint::{FieldState, StandingPut};
use baken_schemas::record::{DELETED, FieldNumber, Keeping, KindNumber, Value, kind_numbered};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use crate::BakenError;
use crate::circle::{Circle, CircleRow};
use crate::record::register::kept;
use crate::record::store::RecordRow;
use crate::record::time::moment;
use crate::sharing::mark::is_label;
use crate::vault::setting;

/// How many records one device may delete within [`BURST_MS`] before they are held.
pub(crate) const MAX_AT_ONCE: usize = 20;
/// How far apart deletions of one burst lie at most, in milliseconds.
const BURST_MS: i64 = 60 * 60 * 1000;
/// How long a held deletion waits for another device's word, in milliseconds.
pub(crate) const HELD_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a deleted record can be restored, and how long the history of an erased one is kept, in milliseconds.
pub(crate) const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// The deletions that were there before this device kept account of them are accounted for.
const KNOWN: &str = "deletions_known";
/// This device has once taken in all that there was of the circle.
const CAUGHT_UP: &str = "caught_up";

// The column `state`, as schema_3.sql says it.
const IN_EFFECT: u8 = 0;
pub(super) const HELD: u8 = 1;
const CONFIRMED: u8 = 2;

/// A deletion that is held: whose it is, and since when this device knows of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) slot: u16,
    pub(super) seen_at: Timestamp,
}

/// What went over a record's deletion while it was merged, so that what was replaced meanwhile still counts.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Who deleted it, and when by their clock: since it was last restored, in the order taken in.
    deleters: Vec<(u16, u64)>,
    restored: bool,
    /// Brought together with a checkpoint, or there before this device kept account.
    pub(super) is_old: bool,
}

impl Passed {
    /// A put to any field.
    pub(super) fn put(&mut self, field: FieldNumber, put: &StandingPut) {
        match put.value {
            _ if field != DELETED => {}
            Value::Bool(true) => self.deleters.push((put.slot, put.hlc)),
            _ => {
                self.deleters.clear();
                self.restored = true;
            }
        }
    }
}

/// Whether a record is deleted: while one says so and another does not, it is there.
pub(crate) fn is_deleted(fields: &[FieldState]) -> bool {
    // Fields come in order of number, and this is number 0.
    let state = fields.first().filter(|state| state.field == DELETED);
    state.is_some_and(|state| state.puts.iter().all(|put| put.value == Value::Bool(true)))
}

/// Whether a record is deleted and nothing stands in it any more but how secret it was.
pub(super) fn is_erased(kind: KindNumber, fields: &[FieldState]) -> bool {
    let is_empty = |state: &FieldState| state.puts.iter().all(|put| put.value == Value::Empty);
    let mut told = fields.iter().filter(|state| state.field != DELETED && !is_label(kind, state.field));
    is_deleted(fields) && told.all(is_empty)
}

/// Whether records of this kind stay for good: no deletion of one counts, and nothing is erased of it.
pub(crate) fn is_own(kind: KindNumber) -> bool {
    kind_numbered(kind).is_some_and(|kind| kind.keeping == Keeping::ForGood)
}

/// What this device knows of a deletion that stands: a row of the table.
struct Known {
    slot: u16,
    deleted_at: i64,
    seen_at: i64,
    news: bool,
    state: u8,
    erased_at: Option<i64>,
}

fn known(connection: &Connection, record: RecordRow) -> Result<Option<Known>, BakenError> {
    Ok(connection
        .prepare_cached("SELECT slot, deleted_at, seen_at, news, state, erased_at FROM deletion WHERE record = ?1")?
        .query_row([record.0], |row| {
            Ok(Known {
                slot: row.get(0)?,
                deleted_at: row.get(1)?,
                seen_at: row.get(2)?,
                news: row.get(3)?,
                state: row.get(4)?,
                erased_at: row.get(5)?,
            })
        })
        .optional()?)
}

/// Keeps account of a record that was written: that it is deleted, or is not. Says whose deletion it is where
/// [`hold_burst`] has to look for others of the same device.
///
/// # Errors
/// [`BakenError::Database`].
pub(super) fn note(
    connection: &Connection,
    circle: &Circle,
    (record, kind): (RecordRow, KindNumber),
    fields: &[FieldState],
    passed: &Passed,
    now: Timestamp,
) -> Result<Option<u16>, BakenError> {
    let Some(standing) = fields.first().filter(|state| state.field == DELETED && !is_own(kind)) else {
        return Ok(None);
    };
    if !is_deleted(fields) {
        connection.prepare_cached("DELETE FROM deletion WHERE record = ?1")?.execute([record.0])?;
        return Ok(None);
    }
    let before = known(connection, record)?.filter(|_| !passed.restored);
    let by = || standing.puts.iter().map(|put| (put.slot, put.hlc));
    let is_new = before.is_none();
    let mut row = match before {
        Some(known) => known,
        None => {
            let first = passed.deleters.first().copied().or_else(|| by().min_by_key(|(slot, hlc)| (*hlc, *slot)));
            let Some((slot, hlc)) = first else { return Ok(None) };
            let news = !passed.is_old && setting::read_of(connection, circle.row(), CAUGHT_UP)?.unwrap_or(false);
            let (deleted_at, seen_at) = (moment(hlc).0, now.0);
            Known { slot, deleted_at, seen_at, news, state: IN_EFFECT, erased_at: None }
        }
    };
    let is_owner = |slot: u16| circle.device(slot).is_some_and(|device| circle.membership().is_owner(device));
    if passed.deleters.iter().copied().chain(by()).any(|(slot, _)| slot != row.slot && is_owner(slot)) {
        row.state = CONFIRMED;
    }
    match (is_erased(kind, fields), row.erased_at) {
        // Nothing is left that holding it back would show.
        (true, None) => (row.erased_at, row.state) = (Some(now.0), if is_new { CONFIRMED } else { row.state }),
        // Somebody wrote to it after all: it has its thirty days again.
        (false, Some(_)) => (row.erased_at, row.seen_at) = (None, now.0),
        // Deleted once more, by somebody who saw what was written to it since.
        (false, None) if !passed.deleters.is_empty() => row.seen_at = now.0,
        _ => {}
    }
    connection
        .prepare_cached(
            "INSERT INTO deletion (record, circle, slot, deleted_at, seen_at, news, state, erased_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET slot = ?3, deleted_at = ?4, seen_at = ?5, news = ?6, state = ?7, erased_at = ?8",
        )?
        .execute((
            record.0,
            circle.row().0,
            row.slot,
            row.deleted_at,
            row.seen_at,
            row.news,
            row.state,
            row.erased_at,
        ))?;
    Ok((is_new && row.state == IN_EFFECT).then_some(row.slot))
}

/// Holds what one device deleted in a burst.
///
/// # Errors
/// [`BakenError::Database`].
pub(super) fn hold_burst(
    connection: &Connection,
    circle: CircleRow,
    slot: u16,
    now: Timestamp,
) -> Result<(), BakenError> {
    let (mut by_author, mut by_this) = (Vec::new(), Vec::new());
    let mut statement = connection.prepare_cached(
        "SELECT record, deleted_at, seen_at, news FROM deletion
         WHERE circle = ?1 AND slot = ?2 AND erased_at IS NULL",
    )?;
    let mut rows = statement.query((circle.0, slot))?;
    while let Some(row) = rows.next()? {
        let (record, deleted_at, seen_at): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_news: bool = row.get(3)?;
        if is_news {
            by_this.push((seen_at, record));
        }
        if is_news || now.0.saturating_sub(deleted_at) < HELD_MS {
            by_author.push((deleted_at, record));
        }
    }
    for record in burst(by_author).into_iter().chain(burst(by_this)) {
        connection
            .prepare_cached("UPDATE deletion SET state = ?3 WHERE record = ?1 AND state = ?4 AND seen_at > ?2")?
            .execute((record, now.plus_ms(-HELD_MS).0, HELD, IN_EFFECT))?;
    }
    Ok(())
}

/// Of moments and what happened then, what lies in an hour that holds too many.
fn burst(mut all: Vec<(i64, i64)>) -> Vec<i64> {
    all.sort_unstable();
    let (mut first, mut marked, mut found) = (0, 0, Vec::new());
    for (last, (at, _)) in all.iter().enumerate() {
        while all.get(first).is_some_and(|(start, _)| at.saturating_sub(*start) >= BURST_MS) {
            first += 1;
        }
        if last + 1 - first > MAX_AT_ONCE {
            let from = first.max(marked);
            found.extend(all.iter().take(last + 1).skip(from).map(|(_, record)| *record));
            marked = last + 1;
        }
    }
    found
}

/// Whether nothing is to be done by [`bring_up_to_date`].
///
/// # Errors
/// [`BakenError::Database`].
pub(super) fn is_up_to_date(connection: &Connection, circle: CircleRow, now: Timestamp) -> Result<bool, BakenError> {
    // `state = 1` is `HELD`, written out: SQLite uses the index of held ones only for the very condition that it has.
    let is_over = connection
        .prepare_cached("SELECT 1 FROM deletion WHERE circle = ?1 AND state = 1 AND seen_at <= ?2 LIMIT 1")?
        .exists((circle.0, now.plus_ms(-HELD_MS).0))?;
    Ok(!is_over && setting::read_of(connection, circle, KNOWN)?.unwrap_or(false))
}

/// Accounts, once, for deletions from before this device kept account, and lets go what was held for a day.
///
/// # Errors
/// [`BakenError::Database`].
pub(super) fn bring_up_to_date(connection: &Connection, circle: &Circle, now: Timestamp) -> Result<(), BakenError> {
    let row = circle.row();
    connection
        .prepare_cached("UPDATE deletion SET state = ?3 WHERE circle = ?1 AND state = 1 AND seen_at <= ?2")?
        .execute((row.0, now.plus_ms(-HELD_MS).0, IN_EFFECT))?;
    if setting::read_of(connection, row, KNOWN)?.unwrap_or(false) {
        return Ok(());
    }
    let passed = Passed { is_old: true, ..Passed::default() };
    let mut statement = connection.prepare_cached("SELECT id, kind, body FROM record WHERE circle = ?1")?;
    let mut rows = statement.query([row.0])?;
    while let Some(found) = rows.next()? {
        let fields: Vec<FieldState> = kept(found.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
        note(connection, circle, (RecordRow(found.get(0)?), found.get(1)?), &fields, &passed, now)?;
    }
    setting::write_of(connection, row, KNOWN, &true)
}

/// Notes that this device has all there was of a circle: what comes from now on is news.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn caught_up(connection: &Connection, circle: CircleRow) -> Result<(), BakenError> {
    if setting::read_of(connection, circle, CAUGHT_UP)?.unwrap_or(false) {
        return Ok(());
    }
    setting::write_of(connection, circle, CAUGHT_UP, &true)
}

/// The hold on a record's deletion.
///
/// # Errors
/// [`BakenError::Database`].
pub(super) fn held(connection: &Connection, record: RecordRow) -> Result<Option<Held>, BakenError> {
    let known = known(connection, record)?.filter(|known| known.state == HELD);
    Ok(known.map(|known| Held { slot: known.slot, seen_at: Timestamp(known.seen_at) }))
}

/// Until when the history of an erased record is kept here.
///
/// # Errors
/// [`BakenError::Database`].
pub(super) fn values_until(connection: &Connection, record: RecordRow) -> Result<Option<Timestamp>, BakenError> {
    let erased_at = known(connection, record)?.and_then(|known| known.erased_at);
    Ok(erased_at.map(|at| Timestamp(at).plus_ms(KEPT_MS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_in_an_hour_are_no_burst_and_the_next_makes_all_of_them_one() {
        let minute = |count: i64| (0..count).map(|at| (at * 60_000, at)).collect::<Vec<_>>();
        assert!(burst(minute(20)).is_empty());
        assert_eq!(burst(minute(21)), (0..21).collect::<Vec<_>>());
        assert_eq!(burst(minute(200)), (0..200).collect::<Vec<_>>());
        // One every four minutes: never more than fifteen in an hour.
        assert!(burst((0..100).map(|at| (at * 240_000, at)).collect()).is_empty());
    }
}
