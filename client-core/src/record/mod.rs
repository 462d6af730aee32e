//! Records: what an office-holder writes down. Kinds and fields are declared in `baken_schemas::record`; here they are
//! put, read, merged and shown.
//!
//! An edit is one transaction of state and outbox, durable when the method returns. Conflicts are kept until somebody
//! resolves them: [`Baken::put`] refuses a field in conflict, so none is settled by accident.

pub(crate) mod deletion;
mod deletions;
pub(crate) mod erase;
pub(crate) mod register;
mod search;
pub(crate) mod store;
pub(crate) mod time;
mod view;

use std::sync::atomic::Ordering;

use baken_schemas::cbor;
use baken_schemas::checkpoint::{FieldState, Seen, StandingPut};
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{
    self as schema, Change, DELETED, FieldNumber, FieldSpec, FieldType, KindNumber, KindSpec, MAX_VALUE_BYTES, Value,
};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

pub use deletions::{DeletionView, HeldDeletionsView};
pub use search::RecordHit;
pub(crate) use search::RecordWords;
pub use view::{ConflictView, DeletionHeldView, FieldView, HistoryView, RecordView, ValueView};

use crate::baken::UnlockedVault;
use crate::circle::{Circle, CircleRow};
use crate::sharing::{Consent, mark};
use crate::sync::rows;
use crate::sync::seal::Author;
use crate::{Baken, BakenError};
use store::{RecordRow, Records};

/// Whether a value is of a field's type. Emptying fits every field.
pub(crate) fn fits(holds: FieldType, value: &Value) -> bool {
    matches!(
        (holds, value),
        (_, Value::Empty)
            | (FieldType::Text, Value::Text(_))
            | (FieldType::Bool, Value::Bool(_))
            | (FieldType::Int | FieldType::Time, Value::Int(_))
            | (FieldType::Bytes, Value::Bytes(_))
    )
}

/// Whether this version may write a value.
fn check(field: &FieldSpec, value: &Value) -> Result<(), BakenError> {
    if !fits(field.holds, value) || cbor::to_vec(value).len() > MAX_VALUE_BYTES {
        return Err(BakenError::ValueRefused);
    }
    if field.takes(value) { Ok(()) } else { Err(BakenError::UnknownWord { field: field.name, words: field.words }) }
}

fn checked_field(kind: &KindSpec, name: &str, value: &Value) -> Result<FieldNumber, BakenError> {
    let field = kind.field_named(name).ok_or(BakenError::UnknownField)?;
    check(field, value)?;
    Ok(field.number)
}

/// A kind and its fields by their names, as numbers.
pub(crate) fn checked_fields(
    kind: &str,
    fields: Vec<(String, Value)>,
) -> Result<(KindNumber, Vec<(FieldNumber, Value)>), BakenError> {
    let kind = schema::kind_named(kind).ok_or(BakenError::UnknownKind)?;
    if fields.is_empty() {
        return Err(BakenError::ValueRefused);
    }
    let checked = fields.into_iter().map(|(name, value)| Ok((checked_field(kind, &name, &value)?, value)));
    Ok((kind.number, checked.collect::<Result<_, BakenError>>()?))
}

/// Where a record is: its circle, row and kind.
struct Found {
    circle: CircleId,
    row: RecordRow,
    kind: KindNumber,
    fields: Vec<FieldState>,
}

fn find(open: &UnlockedVault, record: RecordId) -> Result<Found, BakenError> {
    let found: Option<(i64, i64, KindNumber, Vec<u8>)> = open
        .vault
        .connection
        .prepare_cached("SELECT circle, id, kind, body FROM record WHERE record = ?1 ORDER BY circle, kind LIMIT 1")?
        .query_row([record.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let (circle, row, kind, body) = found.ok_or(BakenError::NoSuchRecord)?;
    let circle = open.circles.at(CircleRow(circle))?.id();
    Ok(Found { circle, row: RecordRow(row), kind, fields: register::kept(&body)? })
}

/// Edits one record in one transaction: see [`edit`].
pub(crate) fn edit_all(
    connection: &mut Connection,
    author: Author<'_>,
    record: RecordId,
    kind: KindNumber,
    edits: Vec<(FieldNumber, Value)>,
) -> Result<(), BakenError> {
    let tx = connection.transaction()?;
    edit(&tx, author, record, kind, edits, Sealing::Later)?;
    tx.commit()?;
    Ok(())
}

/// When an edit becomes an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sealing {
    /// With what else is written until the next sync.
    Later,
    /// Now, since it is sent at once: one write to the disk instead of two.
    AtOnce,
}

/// Edits one record. What others wrote is merged before: an edit covers all there is.
fn edit(
    tx: &Connection,
    author: Author<'_>,
    record: RecordId,
    kind: KindNumber,
    edits: Vec<(FieldNumber, Value)>,
    sealing: Sealing,
) -> Result<(), BakenError> {
    let (row, now) = (author.circle.row(), author.context.now());
    store::settle(tx, author.circle, now)?;
    let seen: Vec<Seen> =
        rows::heads(tx, row)?.into_iter().map(|(slot, head)| Seen { slot, counter: head.counter }).collect();
    let changes: Vec<Change> = edits.into_iter().map(|(field, value)| Change { record, kind, field, value }).collect();
    let sealed = if sealing == Sealing::AtOnce { author.seal_at_once(tx, &changes)? } else { None };
    let mut records = Records::of(tx, author.circle, now);
    for change in changes {
        let (slot, counter, hlc) = match sealed {
            Some(sealed) => sealed,
            None => author.add(tx, &change)?,
        };
        let Change { field, value, .. } = change;
        records.put(record, kind, field, StandingPut { slot, counter, hlc, value }, &seen)?;
    }
    records.write()?;
    if sealing == Sealing::AtOnce && sealed.is_none() { author.seal_pending(tx) } else { Ok(()) }
}

/// What is put to one record of a circle.
pub(crate) struct Edits {
    pub(crate) circle: CircleId,
    pub(crate) record: RecordId,
    pub(crate) kind: KindNumber,
    pub(crate) puts: Vec<(FieldNumber, Value)>,
}

impl Baken {
    /// Makes a record of a kind (by name) with these fields (by name), and says its id.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::UnknownKind`], [`BakenError::UnknownField`], [`BakenError::ValueRefused`].
    pub fn create(&self, kind: &str, fields: Vec<(String, Value)>) -> Result<RecordId, BakenError> {
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        self.create_in(home, kind, fields)
    }

    /// As [`Self::create`], in another circle than this device's own.
    ///
    /// # Errors
    /// As [`Self::create`], [`BakenError::NoSuchCircle`], and [`BakenError::NotShared`] when such records are not for
    /// this kind of circle.
    pub fn create_in(
        &self,
        circle: CircleId,
        kind: &str,
        fields: Vec<(String, Value)>,
    ) -> Result<RecordId, BakenError> {
        let (kind, edits) = checked_fields(kind, fields)?;
        let record = self.context.with_rng(|rng| RecordId::make(rng));
        self.edit(circle, record, kind, edits)?;
        Ok(record)
    }

    /// Edits a record of a circle, as the kinds of circle allow.
    pub(crate) fn edit(
        &self,
        circle: CircleId,
        record: RecordId,
        kind: KindNumber,
        puts: Vec<(FieldNumber, Value)>,
    ) -> Result<(), BakenError> {
        self.edit_together(vec![Edits { circle, record, kind, puts }], Consent::NotAsked)
    }

    /// Edits records of several circles, all or none. What is confidential leaves this person's devices only as
    /// `consent` says.
    pub(crate) fn edit_together(&self, all: Vec<Edits>, consent: Consent) -> Result<(), BakenError> {
        self.with_vault(|open| {
            for edits in &all {
                let circle = open.circles.get(edits.circle)?;
                let kinds = schema::kind_numbered(edits.kind);
                let shared = kinds.is_none_or(|spec| spec.circles.contains(&circle.membership().kind()));
                // What came along from other circles goes back there.
                let came_along = open.travel.as_ref().is_some_and(|travel| travel.has(edits.record));
                if !shared && !came_along {
                    return Err(BakenError::NotShared);
                }
                mark::check_edits(open, edits, consent, self.context.now())?;
            }
            let sealing = if self.is_live.load(Ordering::Relaxed) { Sealing::AtOnce } else { Sealing::Later };
            let tx = open.vault.connection.transaction()?;
            for Edits { circle, record, kind, puts } in all {
                let circle = open.circles.get(circle)?;
                let author = Author { circle, keys: &open.keys, context: &self.context };
                edit(&tx, author, record, kind, puts, sealing)?;
            }
            tx.commit()?;
            Ok(())
        })?;
        self.edited.notify_one();
        Ok(())
    }

    /// Puts fields (by name) of a record, all or none.
    ///
    /// # Errors
    /// As [`Self::create`], [`BakenError::NoSuchRecord`], and [`BakenError::InConflict`] for a field in conflict.
    pub fn put(&self, record: RecordId, fields: Vec<(String, Value)>) -> Result<(), BakenError> {
        let (circle, kind, edits) = self.with_settled(|open| {
            let found = find(open, record)?;
            let kind = schema::kind_numbered(found.kind).ok_or(BakenError::UnknownKind)?;
            let mut edits = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                let field = checked_field(kind, &name, &value)?;
                if found.fields.iter().any(|state| state.field == field && register::is_in_conflict(state)) {
                    return Err(BakenError::InConflict);
                }
                edits.push((field, value));
            }
            Ok((found.circle, found.kind, edits))
        })?;
        self.edit(circle, record, kind, edits)?;
        if mark::leads_to_labels(kind) { self.labels_follow() } else { Ok(()) }
    }

    /// Deletes a record. It can be restored for thirty days.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn delete(&self, record: RecordId) -> Result<(), BakenError> {
        self.put_deleted(record, true)
    }

    /// Restores a deleted record.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`]; [`BakenError::Erased`] when nothing is left of it but its
    /// history.
    pub fn restore(&self, record: RecordId) -> Result<(), BakenError> {
        self.with_settled(|open| {
            let Found { row, kind, fields, .. } = find(open, record)?;
            match deletion::values_until(&open.vault.connection, row)? {
                Some(values_until) if deletion::is_erased(kind, &fields) => Err(BakenError::Erased { values_until }),
                _ => Ok(()),
            }
        })?;
        self.put_deleted(record, false)
    }

    fn put_deleted(&self, record: RecordId, deleted: bool) -> Result<(), BakenError> {
        let found = self.with_settled(|open| find(open, record))?;
        self.edit(found.circle, record, found.kind, vec![(DELETED, Value::Bool(deleted))])
    }

    /// Settles a conflict: the field gets this value, and both old ones stay in the history.
    ///
    /// # Errors
    /// [`BakenError::NoConflict`] when the field has none, and as [`Self::put`].
    pub fn resolve(&self, record: RecordId, field: FieldNumber, value: Value) -> Result<(), BakenError> {
        let found = self.with_settled(|open| {
            let found = find(open, record)?;
            let state =
                found.fields.iter().find(|state| state.field == field).filter(|state| register::is_in_conflict(state));
            let state = state.ok_or(BakenError::NoConflict)?;
            // One of the values that stand is always right, also of a field that only a newer version knows.
            if !state.puts.iter().any(|put| put.value == value) {
                let spec = schema::kind_numbered(found.kind).ok_or(BakenError::UnknownKind)?;
                let spec = spec.field_numbered(field).ok_or(BakenError::UnknownField)?;
                check(spec, &value)?;
            }
            Ok(found)
        })?;
        self.edit(found.circle, record, found.kind, vec![(field, value)])?;
        if mark::leads_to_labels(found.kind) { self.labels_follow() } else { Ok(()) }
    }

    /// One record, deleted or not.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn record(&self, record: RecordId) -> Result<RecordView, BakenError> {
        self.with_settled(|open| {
            let Found { circle, row, kind, fields } = find(open, record)?;
            let held = deletion::held(&open.vault.connection, row)?;
            Ok(view::record_view(open.circles.get(circle)?, record, kind, &fields, held))
        })
    }

    /// Every record of a kind (by name), or of all kinds, in all circles, oldest first; deleted ones too, marked.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::UnknownKind`].
    pub fn records(&self, kind: Option<&str>) -> Result<Vec<RecordView>, BakenError> {
        let kind = kind.map(|name| schema::kind_named(name).ok_or(BakenError::UnknownKind)).transpose()?;
        self.with_settled(|open| {
            let mut views = Vec::new();
            for circle in open.circles.all() {
                views.extend(all_views(&open.vault.connection, circle, kind.map(|kind| kind.number))?);
            }
            Ok(views)
        })
    }

    /// Everything that was ever put to a record: who, when, what, and whether it still stands.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn history(&self, record: RecordId) -> Result<Vec<HistoryView>, BakenError> {
        self.with_settled(|open| {
            let Found { circle, row, kind, fields } = find(open, record)?;
            view::history(&open.vault.connection, open.circles.get(circle)?, row, kind, &fields)
        })
    }

    /// Every field with more than one value, in all circles.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn conflicts(&self) -> Result<Vec<ConflictView>, BakenError> {
        self.with_settled(|open| {
            let mut conflicts = Vec::new();
            for circle in open.circles.all() {
                conflicts.extend(view::conflicts(&open.vault.connection, circle)?);
            }
            Ok(conflicts)
        })
    }
}

/// What [`view_of_row`] reads: a record, and the hold on its deletion where there is one.
const SELECT_VIEWS: &str = "SELECT r.record, r.kind, r.body, d.slot, d.seen_at
     FROM record AS r LEFT JOIN deletion AS d ON d.record = r.id AND d.state = 1";

/// Every record of a circle as a view, in the order it came to this device.
pub(crate) fn all_views(
    connection: &Connection,
    circle: &Circle,
    kind: Option<KindNumber>,
) -> Result<Vec<RecordView>, BakenError> {
    let which = if kind.is_some() { "r.kind = ?2" } else { "?2 IS NULL" };
    let mut statement =
        connection.prepare_cached(&format!("{SELECT_VIEWS} WHERE r.circle = ?1 AND {which} ORDER BY r.id"))?;
    let mut rows = statement.query((circle.row().0, kind))?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        views.push(view_of_row(circle, row)?);
    }
    Ok(views)
}

/// The first records of a kind that `keep` wants, at most `limit`, in an order that is the same on every device. No
/// more are read than it takes.
pub(crate) fn first_views(
    connection: &Connection,
    circle: &Circle,
    kind: KindNumber,
    limit: usize,
    keep: impl Fn(&RecordView) -> bool,
) -> Result<Vec<RecordView>, BakenError> {
    let mut statement =
        connection.prepare_cached(&format!("{SELECT_VIEWS} WHERE r.circle = ?1 AND r.kind = ?2 ORDER BY r.record"))?;
    let mut rows = statement.query((circle.row().0, kind))?;
    let mut views = Vec::with_capacity(limit);
    while views.len() < limit
        && let Some(row) = rows.next()?
    {
        views.extend(Some(view_of_row(circle, row)?).filter(&keep));
    }
    Ok(views)
}

/// Every record of a circle, in the order it came to this device.
pub(crate) fn ids(connection: &Connection, circle: &Circle) -> Result<Vec<(RecordId, KindNumber)>, BakenError> {
    let mut statement = connection.prepare_cached("SELECT record, kind FROM record WHERE circle = ?1 ORDER BY id")?;
    let mut rows = statement.query([circle.row().0])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push((store::record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?, row.get(1)?));
    }
    Ok(ids)
}

/// One record of a circle; `None` when it is not here.
pub(crate) fn view_in(
    connection: &Connection,
    circle: &Circle,
    record: RecordId,
    kind: KindNumber,
) -> Result<Option<RecordView>, BakenError> {
    let Some((row, fields)) = store::fields(connection, circle.row(), record, kind)? else { return Ok(None) };
    Ok(Some(view::record_view(circle, record, kind, &fields, deletion::held(connection, row)?)))
}

/// One record of a circle, and everything that was ever put to it.
pub(crate) fn with_history(
    connection: &Connection,
    circle: &Circle,
    record: RecordId,
    kind: KindNumber,
) -> Result<(RecordView, Vec<HistoryView>), BakenError> {
    let (row, fields) = store::fields(connection, circle.row(), record, kind)?.ok_or(BakenError::NoSuchRecord)?;
    let history = view::history(connection, circle, row, kind, &fields)?;
    Ok((view::record_view(circle, record, kind, &fields, deletion::held(connection, row)?), history))
}

/// What a circle has under an id: a record, or several when devices gave it different kinds.
pub(crate) fn views_of(
    connection: &Connection,
    circle: &Circle,
    record: RecordId,
) -> Result<Vec<RecordView>, BakenError> {
    // With `+` no index by circle is taken: few records have an id, many are in a circle.
    let mut statement =
        connection.prepare_cached(&format!("{SELECT_VIEWS} WHERE r.record = ?1 AND +r.circle = ?2 ORDER BY r.id"))?;
    let mut rows = statement.query((record.0, circle.row().0))?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        views.push(view_of_row(circle, row)?);
    }
    Ok(views)
}

fn view_of_row(circle: &Circle, row: &rusqlite::Row<'_>) -> Result<RecordView, BakenError> {
    let record = store::record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
    let fields: Vec<FieldState> = register::kept(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
    let held = match row.get::<_, Option<u16>>(3)? {
        Some(slot) => Some(deletion::Held { slot, seen_at: Timestamp(row.get(4)?) }),
        None => None,
    };
    Ok(view::record_view(circle, record, row.get(1)?, &fields, held))
}
