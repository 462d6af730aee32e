//! What is done at sync about records that were deleted a while ago.
//!
//! Thirty days after this device saw a record deleted, an owner's device erases it: empties every field and deletes it
//! once more, as one edit. Only how secret a measure was stays, for its history and for what names it. Who had restored
//! it meanwhile, without a connection, is then in conflict with that, and the history still has all values. Another thirty days later each device drops the history of what was erased. Sealed
//! entries with the old values stay until a checkpoint lets the relay drop them, and on the device that wrote them.

use baken_schemas::checkpoint::FieldState;
use baken_schemas::id::RecordId;
use baken_schemas::record::{DELETED, FieldNumber, KindNumber, Value, kind_numbered};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;

use crate::BakenError;
use crate::attachment::duties;
use crate::circle::{Circle, CircleRow};
use crate::record::deletion::{self, HELD, KEPT_MS};
use crate::record::register::{self, kept};
use crate::record::store::{self, About, record_id};
use crate::record::{edit_all, view};
use crate::sharing::mark::is_label;
use crate::sync::seal::Author;

/// The most records erased in one sync. What is left follows in the next.
const MAX_ERASED: usize = 64;

/// Erases what was deleted thirty days ago, and forgets what was erased thirty days ago.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn tidy(connection: &mut Connection, author: Author<'_>) -> Result<(), BakenError> {
    let (circle, now) = (author.circle, author.context.now());
    store::settle_about(connection, circle, About::DELETIONS, now)?;
    if is_any_due(connection, circle.row(), now)? {
        // It may have been written to meanwhile.
        store::settle(connection, circle, now)?;
    }
    deletion::caught_up(connection, circle.row())?;
    let membership = circle.membership();
    let device = author.keys.device;
    if membership.is_owner(device) && membership.may_write(device) && circle.current_epoch().is_some() {
        for (record, kind, fields) in due(connection, circle, now)? {
            let filled = |state: &&FieldState| state.puts.iter().any(|put| put.value != Value::Empty);
            let emptied = fields.iter().filter(|state| state.field != DELETED && !is_label(kind, state.field));
            let emptied = emptied.filter(filled);
            let mut edits: Vec<(FieldNumber, Value)> = emptied.map(|state| (state.field, Value::Empty)).collect();
            edits.push((DELETED, Value::Bool(true)));
            edit_all(connection, author, record, kind, edits)?;
        }
    }
    connection
        .prepare_cached(
            "DELETE FROM replaced
             WHERE record IN (SELECT record FROM deletion WHERE circle = ?1 AND erased_at <= ?2)",
        )?
        .execute((circle.row().0, now.plus_ms(-KEPT_MS).0))?;
    Ok(())
}

type Due = (RecordId, KindNumber, Vec<FieldState>);

/// Whether a record that is deleted, and not held, was so for thirty days.
fn is_any_due(connection: &Connection, circle: CircleRow, now: Timestamp) -> Result<bool, BakenError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM deletion WHERE circle = ?1 AND erased_at IS NULL AND state <> ?3 AND seen_at <= ?2 LIMIT 1",
    )?;
    Ok(statement.exists((circle.0, now.plus_ms(-KEPT_MS).0, HELD))?)
}

/// The first records to erase. One that is in conflict, or was written to since it was deleted, waits for somebody's
/// word; one of a newer kind for a device that knows what it is; an attachment until its file is freed, which by then
/// nothing but the record names.
fn due(connection: &Connection, circle: &Circle, now: Timestamp) -> Result<Vec<Due>, BakenError> {
    let mut statement = connection.prepare_cached(
        "SELECT r.record, r.kind, r.body FROM deletion AS d JOIN record AS r ON r.id = d.record
         WHERE d.circle = ?1 AND d.erased_at IS NULL AND d.state <> ?3 AND d.seen_at <= ?2 ORDER BY d.record",
    )?;
    let mut rows = statement.query((circle.row().0, now.plus_ms(-KEPT_MS).0, HELD))?;
    let files = duties::Known::read(connection, circle.row())?;
    let mut due = Vec::new();
    while due.len() < MAX_ERASED
        && let Some(row) = rows.next()?
    {
        let record = record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let kind: KindNumber = row.get(1)?;
        let fields: Vec<FieldState> = kept(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let view = view::record_view(circle, record, kind, &fields, None);
        let waits = view.edited_since_deleted || fields.iter().any(register::is_in_conflict);
        let names_file = duties::is_attachment(kind) && !files.is_freed(record);
        if !waits && !names_file && kind_numbered(kind).is_some() {
            due.push((record, kind, fields));
        }
    }
    Ok(due)
}
