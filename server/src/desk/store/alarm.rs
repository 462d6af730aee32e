//! Alarms, and the updates and notes that follow them.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::sealed::{self, Text};

/// The most open alarms that a list shows; beyond them the list says that there are more.
pub(in crate::desk) const MAX_LISTED: usize = 500;
/// The most notes of one device, and updates of one alarm that say nothing but where its sender is, that are kept: the
/// oldest go. What says more is kept, up to what the relay takes of one alarm.
const MAX_FOLLOWING: i64 = 2_000;
/// Of one device's notes about one alarm, the most that are read from the first on, and again from the last back.
const MAX_ENDS: usize = 50;

/// What a row of the table `alarm` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum Form {
    /// An alarm.
    Alarm = 0,
    /// Bytes that were handed over as an alarm and are none.
    Damaged = 1,
    /// A note that says duress, without an alarm that it belongs to.
    DuressNote = 2,
    /// The timers of a check-in that was due and not handed over.
    NotHandedOver = 3,
    /// An alarm that came as a text message: written as an alarm, with a word beside it.
    Sms = 4,
}

/// A row of the table `alarm`.
#[derive(Debug, Clone)]
pub(in crate::desk) struct AlarmRow {
    pub alarm: AlarmId,
    pub hash: Hash,
    pub form: Form,
    pub device: DeviceId,
    pub document: Vec<u8>,
    pub received_at: Timestamp,
    pub state: ReceiptState,
    /// It came as a text message, or also as one.
    pub by_text: bool,
    /// It is shown behind another of its device.
    pub folded: bool,
}

/// A new one.
#[derive(Debug, Clone)]
pub(in crate::desk) struct NewAlarm {
    pub alarm: AlarmId,
    pub hash: Hash,
    pub form: Form,
    pub device: DeviceId,
    pub document: Vec<u8>,
    pub received_at: Timestamp,
    pub brings_key: bool,
}

pub(super) fn state_of(number: i64) -> Option<ReceiptState> {
    use ReceiptState as S;
    [S::Stored, S::Received, S::Exhausted, S::Seen, S::Verified, S::Underway, S::Closed, S::Reopened]
        .into_iter()
        .find(|state| *state as i64 == number)
}

pub(super) fn state_column(row: &Row<'_>, name: &str) -> rusqlite::Result<ReceiptState> {
    state_of(row.get(name)?).ok_or_else(|| rusqlite::types::FromSqlError::InvalidType.into())
}

fn read_alarm(row: &Row<'_>) -> rusqlite::Result<AlarmRow> {
    let by_text: bool = row.get("by_text")?;
    let form = match row.get::<_, i64>("form")? {
        0 if by_text => Form::Sms,
        0 => Form::Alarm,
        2 => Form::DuressNote,
        3 => Form::NotHandedOver,
        _ => Form::Damaged,
    };
    let text_joined: bool = row.get("text_joined")?;
    Ok(AlarmRow {
        alarm: AlarmId(row.get("alarm")?),
        hash: Hash(row.get("hash")?),
        form,
        device: DeviceId(row.get("device")?),
        document: row.get("document")?,
        received_at: Timestamp(row.get("received_at")?),
        state: state_column(row, "state")?,
        by_text: by_text || text_joined,
        folded: row.get("is_folded")?,
    })
}

/// A row whose document is open.
fn opened(db: &Connection, row: AlarmRow) -> rusqlite::Result<AlarmRow> {
    let document = sealed::get(db, row.alarm, &Text::Document(row.hash), row.document)?;
    Ok(AlarmRow { document, ..row })
}

const COLUMNS: &str = "alarm, hash, form, device, document, received_at, state, by_text, folded <> x'' AS is_folded,
    EXISTS (SELECT 1 FROM alarm AS other WHERE other.joined = alarm.hash AND other.by_text = 1) AS text_joined";

/// Adds a row; `false` when these very bytes are there already. `fresh` is the alarm's key, unless it has one.
pub(in crate::desk) fn add(db: &Connection, new: &NewAlarm, fresh: &SymmetricKey) -> rusqlite::Result<bool> {
    if db.prepare_cached("SELECT 1 FROM alarm WHERE hash = ?1")?.exists([new.hash.0])? {
        return Ok(false);
    }
    sealed::give_key(db, new.alarm, fresh)?;
    let document = sealed::put(db, new.alarm, &Text::Document(new.hash), &new.document)?;
    let added = db.execute(
        "INSERT INTO alarm (alarm, hash, form, device, document, received_at, state, brings_key, by_text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (hash) DO NOTHING",
        params![
            new.alarm.0,
            new.hash.0,
            if new.form == Form::Sms { Form::Alarm } else { new.form } as i64,
            new.device.0,
            document,
            new.received_at.0,
            ReceiptState::Received as i64,
            new.brings_key,
            new.form == Form::Sms
        ],
    )?;
    Ok(added == 1)
}

/// The row shown under an id.
pub(in crate::desk) fn find(db: &Connection, alarm: AlarmId) -> rusqlite::Result<Option<AlarmRow>> {
    let sql = format!("SELECT {COLUMNS} FROM alarm WHERE alarm = ?1 AND superseded = 0 ORDER BY number LIMIT 1");
    let row = db.prepare_cached(&sql)?.query_row(params![alarm.0], read_alarm).optional()?;
    row.map(|row| opened(db, row)).transpose()
}

/// The row of these very bytes.
pub(in crate::desk) fn find_hash(db: &Connection, hash: Hash) -> rusqlite::Result<Option<AlarmRow>> {
    let sql = format!("SELECT {COLUMNS} FROM alarm WHERE hash = ?1");
    let row = db.prepare_cached(&sql)?.query_row(params![hash.0], read_alarm).optional()?;
    row.map(|row| opened(db, row)).transpose()
}

/// Hides a row behind another of the same id; its bytes stay for the audit.
pub(in crate::desk) fn supersede(db: &Connection, hash: Hash) -> rusqlite::Result<()> {
    db.execute("UPDATE alarm SET superseded = 1 WHERE hash = ?1", params![hash.0]).map(drop)
}

/// Hides a row behind another form of the same alarm: what was said of the one was said of the other.
pub(in crate::desk) fn join(db: &Connection, hash: Hash, shown: Hash) -> rusqlite::Result<()> {
    db.execute("UPDATE alarm SET superseded = 1, joined = ?2 WHERE hash = ?1", params![hash.0, shown.0])?;
    // What must follow on the one, must follow on the other.
    let sql = "UPDATE alarm SET follow_by = (SELECT follow_by FROM alarm WHERE hash = ?1) WHERE hash = ?2 AND follow_by IS NULL";
    db.execute(sql, params![hash.0, shown.0]).map(drop)
}

/// The other forms of the alarm that is shown by these bytes.
pub(in crate::desk) fn joined(db: &Connection, shown: Hash) -> rusqlite::Result<Vec<AlarmRow>> {
    let sql = format!("SELECT {COLUMNS} FROM alarm WHERE joined = ?1 ORDER BY number LIMIT 8");
    db.prepare_cached(&sql)?.query_map(params![shown.0], read_alarm)?.map(|row| opened(db, row?)).collect()
}

/// The condition that an alarm is shown by itself: not folded, or its entry is not open any more and would hide it.
const BY_ITSELF: &str = "(folded = x'' OR NOT EXISTS
    (SELECT 1 FROM alarm AS entry WHERE entry.alarm = alarm.folded AND entry.superseded = 0 AND entry.state <> 6))";

/// Open alarms, those that nobody has first, then by age, at most [`MAX_LISTED`]; or closed ones, the newest first.
pub(in crate::desk) fn list(db: &Connection, open: bool) -> rusqlite::Result<Vec<AlarmRow>> {
    let (seen, closed) = (ReceiptState::Seen as i64, ReceiptState::Closed as i64);
    let filter = if open {
        format!(
            "state <> {closed} AND superseded = 0 AND {BY_ITSELF}
             ORDER BY state BETWEEN {seen} AND {closed}, received_at, number"
        )
    } else {
        format!("state = {closed} AND superseded = 0 AND folded = x'' ORDER BY received_at DESC, number DESC")
    };
    let sql = format!("SELECT {COLUMNS} FROM alarm WHERE {filter} LIMIT {MAX_LISTED}");
    db.prepare_cached(&sql)?.query_map([], read_alarm)?.map(|row| opened(db, row?)).collect()
}

/// Alarms that are open or were closed since then, folded ones too, the newest first, at most [`MAX_LISTED`].
pub(in crate::desk) fn recent(db: &Connection, since: Timestamp) -> rusqlite::Result<Vec<AlarmRow>> {
    let closed = ReceiptState::Closed as i64;
    let sql = format!(
        "SELECT {COLUMNS} FROM alarm WHERE superseded = 0 AND (state <> {closed} OR closed_at > ?1) AND document <> x''
         ORDER BY number DESC LIMIT {MAX_LISTED}"
    );
    db.prepare_cached(&sql)?.query_map([since.0], read_alarm)?.map(|row| opened(db, row?)).collect()
}

/// Open alarms that bring a card's key, and whose card was not fetched since they came, at most [`MAX_LISTED`].
pub(in crate::desk) fn cards_wanted(db: &Connection) -> rusqlite::Result<Vec<(Hash, DeviceId)>> {
    let closed = ReceiptState::Closed as i64;
    let sql = format!(
        "SELECT hash, device FROM alarm WHERE state <> {closed} AND superseded = 0 AND brings_key = 1
           AND NOT EXISTS (SELECT 1 FROM card WHERE card.device = alarm.device AND card.fetched_at >= alarm.received_at)
         ORDER BY received_at, number LIMIT {MAX_LISTED}"
    );
    db.prepare_cached(&sql)?.query_map([], |row| Ok((Hash(row.get(0)?), DeviceId(row.get(1)?))))?.collect()
}

/// It holds the key of its sender's card after all.
pub(in crate::desk) fn brings_key(db: &Connection, hash: Hash) -> rusqlite::Result<()> {
    db.execute("UPDATE alarm SET brings_key = 1 WHERE hash = ?1", params![hash.0]).map(drop)
}

/// How many alarms are open.
pub(in crate::desk) fn count_open(db: &Connection) -> rusqlite::Result<usize> {
    let closed = ReceiptState::Closed as i64;
    let sql = format!("SELECT count(*) FROM alarm WHERE state <> {closed} AND superseded = 0 AND {BY_ITSELF}");
    db.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|count| usize::try_from(count).unwrap_or_default())
}

/// Notes how far the alarm of these very bytes stands by its receipts, and says it. By its id alone, what is said of a copy that a relay
/// made would be said of the alarm. What is said of one form of it counts for the form that is shown.
pub(in crate::desk) fn stand(db: &Connection, hash: Hash, now: Timestamp) -> rusqlite::Result<Option<ReceiptState>> {
    let joined = "SELECT joined FROM alarm WHERE hash = ?1 AND joined <> x''";
    let joined = db.query_row(joined, params![hash.0], |row| row.get(0).map(Hash)).optional()?;
    let shown = joined.unwrap_or(hash);
    let Some(state) = super::receipt::standing_of(db, shown)? else { return Ok(None) };
    // Since when it is closed; what is open again is kept again.
    let sql = "UPDATE alarm SET state = ?3,
                   closed_at = CASE WHEN ?4 = 0 THEN 0 WHEN closed_at = 0 THEN ?4 ELSE closed_at END
               WHERE hash IN (?1, ?2)";
    let closed_at = if state == ReceiptState::Closed { now.0 } else { 0 };
    db.execute(sql, params![hash.0, shown.0, state as i64, closed_at])?;
    Ok(Some(state))
}

/// Writes down until when something must follow; `None`: nothing is waited for.
pub(in crate::desk) fn follow_by(db: &Connection, hash: Hash, by: Option<Timestamp>) -> rusqlite::Result<()> {
    let sql = "UPDATE alarm SET follow_by = ?2 WHERE hash = ?1 OR hash = (SELECT joined FROM alarm WHERE hash = ?1)";
    db.execute(sql, params![hash.0, by.map(|by| by.0)]).map(drop)
}

/// The condition that something should have followed by `?1`. Only what is still `seen` waits for it.
const UNFOLLOWED: &str = "follow_by <= ?1 AND superseded = 0 AND state = 3";

/// Alarms on which nothing has followed in time, at most [`MAX_LISTED`].
pub(in crate::desk) fn unfollowed(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<AlarmRow>> {
    let sql = format!("SELECT {COLUMNS} FROM alarm WHERE {UNFOLLOWED} ORDER BY follow_by LIMIT {MAX_LISTED}");
    db.prepare_cached(&sql)?.query_map(params![now.0], read_alarm)?.map(|row| opened(db, row?)).collect()
}

/// Whether it is one of them.
pub(in crate::desk) fn is_unfollowed(db: &Connection, hash: Hash, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM alarm WHERE {UNFOLLOWED} AND hash = ?2)");
    db.query_row(&sql, params![now.0, hash.0], |row| row.get(0))
}

/// When the next is due.
pub(in crate::desk) fn next_follow_up(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(follow_by) FROM alarm WHERE follow_by IS NOT NULL AND superseded = 0 AND state = 3";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}

/// Whether any is due later than that.
pub(in crate::desk) fn follows_after(db: &Connection, latest: Timestamp) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM alarm WHERE follow_by > ?1)";
    db.query_row(sql, params![latest.0], |row| row.get(0))
}

/// Makes none due later than that.
pub(in crate::desk) fn bound_follow_ups(db: &Connection, latest: Timestamp) -> rusqlite::Result<()> {
    db.execute("UPDATE alarm SET follow_by = ?1 WHERE follow_by > ?1", params![latest.0]).map(drop)
}

/// The condition that a column is the hash `?1`, or that of another form of the alarm shown under it.
pub(super) fn is_of(column: &str) -> String {
    format!("({column} = ?1 OR {column} IN (SELECT hash FROM alarm WHERE joined = ?1))")
}

/// An update as it came.
#[derive(Debug, Clone)]
pub(in crate::desk) struct UpdateRow {
    pub hash: Hash,
    pub alarm: AlarmId,
    pub device: DeviceId,
    pub sequence: u64,
    pub document: Vec<u8>,
    pub received_at: Timestamp,
    /// It says more than where its sender is, or may.
    pub says: bool,
}

/// Keeps an update; one that is there already stays as it is.
pub(in crate::desk) fn add_update(db: &Connection, new: &UpdateRow) -> rusqlite::Result<()> {
    let document = sealed::put(db, new.alarm, &Text::Document(new.hash), &new.document)?;
    db.execute(
        "INSERT INTO alarm_update (hash, alarm, device, sequence, document, received_at, says)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (hash) DO NOTHING",
        params![
            new.hash.0,
            new.alarm.0,
            new.device.0,
            i64::try_from(new.sequence).unwrap_or(i64::MAX),
            document,
            new.received_at.0,
            new.says
        ],
    )?;
    db.execute(
        "DELETE FROM alarm_update WHERE hash IN
           (SELECT hash FROM alarm_update WHERE alarm = ?1 AND says = 0 ORDER BY sequence DESC LIMIT -1 OFFSET ?2)",
        params![new.alarm.0, MAX_FOLLOWING],
    )
    .map(drop)
}

/// An alarm's updates, the newest first, at most `limit`.
pub(in crate::desk) fn updates(db: &Connection, alarm: AlarmId, limit: usize) -> rusqlite::Result<Vec<UpdateRow>> {
    updates_where(db, "alarm = ?1", alarm, limit)
}

/// Those of an alarm's updates that say more than where its sender is, the newest first, at most `limit`.
pub(in crate::desk) fn saying(db: &Connection, alarm: AlarmId, limit: usize) -> rusqlite::Result<Vec<UpdateRow>> {
    updates_where(db, "alarm = ?1 AND says = 1", alarm, limit)
}

fn updates_where(db: &Connection, condition: &str, alarm: AlarmId, limit: usize) -> rusqlite::Result<Vec<UpdateRow>> {
    let mut sql = db.prepare_cached(&format!(
        "SELECT hash, alarm, device, sequence, document, received_at, says FROM alarm_update WHERE {condition}
         ORDER BY sequence DESC LIMIT ?2"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sql.query_map(params![alarm.0, limit], |row| {
        Ok(UpdateRow {
            hash: Hash(row.get("hash")?),
            alarm: AlarmId(row.get("alarm")?),
            device: DeviceId(row.get("device")?),
            sequence: u64::try_from(row.get::<_, i64>("sequence")?).unwrap_or_default(),
            document: row.get("document")?,
            received_at: Timestamp(row.get("received_at")?),
            says: row.get("says")?,
        })
    })?
    .map(|row| {
        let row: UpdateRow = row?;
        let document = sealed::get(db, row.alarm, &Text::Document(row.hash), row.document)?;
        Ok(UpdateRow { document, ..row })
    })
    .collect()
}

/// A note as it came.
#[derive(Debug, Clone)]
pub(in crate::desk) struct NoteRow {
    pub hash: Hash,
    pub alarm: Option<AlarmId>,
    pub device: DeviceId,
    pub document: Vec<u8>,
    pub received_at: Timestamp,
}

/// Keeps a note; `false` when it is there already.
pub(in crate::desk) fn add_note(db: &Connection, new: &NoteRow) -> rusqlite::Result<bool> {
    let document = match new.alarm {
        Some(alarm) => sealed::put(db, alarm, &Text::Document(new.hash), &new.document)?,
        None => new.document.clone(),
    };
    let alarm = new.alarm.map(|alarm| alarm.0.to_vec()).unwrap_or_default();
    let added = db.execute(
        "INSERT INTO note (hash, alarm, device, document, received_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (hash) DO NOTHING",
        params![new.hash.0, alarm, new.device.0, document, new.received_at.0],
    )?;
    db.execute(
        "DELETE FROM note WHERE hash IN
           (SELECT hash FROM note WHERE device = ?1 ORDER BY received_at DESC LIMIT -1 OFFSET ?2)",
        params![new.device.0, MAX_FOLLOWING],
    )?;
    Ok(added == 1)
}

/// The notes about an alarm, in order; whose they are is for the reader to ask. Of each device its first and its last: who
/// writes a thousand hides nothing that another device said.
pub(in crate::desk) fn notes(db: &Connection, alarm: AlarmId) -> rusqlite::Result<Vec<NoteRow>> {
    let mut sql = db.prepare_cached(&format!(
        "SELECT note.hash, alarm, device, document, received_at FROM note JOIN (
             SELECT hash, row_number() OVER (PARTITION BY device ORDER BY received_at, rowid) AS from_first,
                    row_number() OVER (PARTITION BY device ORDER BY received_at DESC, rowid DESC) AS from_last
             FROM note WHERE alarm = ?1
         ) AS ranked ON ranked.hash = note.hash
         WHERE from_first <= {MAX_ENDS} OR from_last <= {MAX_ENDS} ORDER BY received_at, note.rowid"
    ))?;
    sql.query_map([alarm.0], |row| {
        Ok(NoteRow {
            hash: Hash(row.get("hash")?),
            alarm: AlarmId::from_slice(&row.get::<_, Vec<u8>>("alarm")?),
            device: DeviceId(row.get("device")?),
            document: row.get("document")?,
            received_at: Timestamp(row.get("received_at")?),
        })
    })?
    .map(|row| {
        let row: NoteRow = row?;
        let document = sealed::get(db, alarm, &Text::Document(row.hash), row.document)?;
        Ok(NoteRow { document, ..row })
    })
    .collect()
}
