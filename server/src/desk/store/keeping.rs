//! How long alarms are kept: which are over, which an officer keeps, and destroying the rest.

use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::sealed::{self, Text};
use crate::audit;
use crate::desk::officers::OfficerId;
use crate::store::StoreError;

/// The most alarms looked at in one step.
const STEP: u32 = 32;

/// Why an officer keeps an alarm longer, as it was sealed, and since when.
#[derive(Debug, Clone)]
pub(in crate::desk) struct HoldRow {
    pub reason: Vec<u8>,
    pub at: Timestamp,
}

/// When an alarm was closed, who keeps it longer, and when and after how many days its content was destroyed.
#[derive(Debug, Clone, Default)]
pub(in crate::desk) struct KeptRow {
    pub closed_at: Option<Timestamp>,
    pub hold: Option<HoldRow>,
    pub shredded: Option<(Timestamp, u32)>,
}

/// How long an alarm is kept.
pub(in crate::desk) fn of_alarm(db: &Connection, alarm: AlarmId) -> rusqlite::Result<KeptRow> {
    let closed_at: i64 = db.query_row(
        "SELECT coalesce(max(closed_at), 0) FROM alarm WHERE alarm = ?1 AND superseded = 0",
        [alarm.0],
        |row| row.get(0),
    )?;
    let hold = db
        .query_row("SELECT reason, at FROM hold WHERE alarm = ?1", [alarm.0], |row| {
            Ok(HoldRow { reason: row.get(0)?, at: Timestamp(row.get(1)?) })
        })
        .optional()?;
    let hold = match hold {
        Some(hold) => Some(HoldRow { reason: sealed::get(db, alarm, &Text::Reason(hold.at.0), hold.reason)?, ..hold }),
        None => None,
    };
    Ok(KeptRow { closed_at: (closed_at > 0).then_some(Timestamp(closed_at)), hold, shredded: shredded(db, alarm)? })
}

/// When an alarm's content was destroyed, and after how many days.
pub(in crate::desk) fn shredded(db: &Connection, alarm: AlarmId) -> rusqlite::Result<Option<(Timestamp, u32)>> {
    db.prepare_cached("SELECT at, days FROM shredded WHERE alarm = ?1")?
        .query_row([alarm.0], |row| Ok((Timestamp(row.get(0)?), row.get(1)?)))
        .optional()
}

/// Keeps an alarm until it is released; `false` when somebody keeps it already.
pub(in crate::desk) fn hold(
    db: &Connection,
    alarm: AlarmId,
    (officer, reason): (OfficerId, &[u8]),
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let reason = sealed::put(db, alarm, &Text::Reason(now.0), reason)?;
    let sql = "INSERT INTO hold (alarm, officer, reason, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (alarm) DO NOTHING";
    Ok(db.execute(sql, params![alarm.0, officer.0, reason, now.0])? > 0)
}

/// Keeps it no longer than others; `false` when nobody did.
pub(in crate::desk) fn release(db: &Connection, alarm: AlarmId) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM hold WHERE alarm = ?1", [alarm.0])? > 0)
}

/// Alarms that have no key yet, since they came before there were any; the newest first.
pub(in crate::desk) fn without_key(db: &Connection) -> rusqlite::Result<Vec<AlarmId>> {
    let sql = "SELECT DISTINCT alarm FROM alarm WHERE document <> x''
                 AND NOT EXISTS (SELECT 1 FROM alarm_key WHERE alarm_key.alarm = alarm.alarm) LIMIT ?1";
    db.prepare_cached(sql)?.query_map([STEP], |row| row.get(0).map(AlarmId))?.collect()
}

/// Alarms that were closed by `then`, and what rang and gave way to something else by then, unless an officer keeps them.
pub(in crate::desk) fn over(db: &Connection, then: Timestamp) -> rusqlite::Result<Vec<AlarmId>> {
    let kept = "EXISTS (SELECT 1 FROM hold WHERE hold.alarm = alarm.alarm)";
    let sql = format!(
        "SELECT alarm FROM alarm WHERE superseded = 0 AND closed_at > 0 AND closed_at <= ?1 AND NOT {kept}
           AND EXISTS (SELECT 1 FROM alarm AS form WHERE form.alarm = alarm.alarm AND form.document <> x'')
         UNION
         SELECT alarm FROM alarm WHERE superseded = 1 AND received_at <= ?1 AND document <> x'' AND NOT {kept}
           AND NOT EXISTS (SELECT 1 FROM alarm AS shown WHERE shown.alarm = alarm.alarm AND shown.superseded = 0)
         LIMIT ?2"
    );
    db.prepare_cached(&sql)?.query_map(params![then.0, STEP], |row| row.get(0).map(AlarmId))?.collect()
}

/// Notes of before `then` of which no alarm is kept: of unlockings and settled check-ins, and of what was destroyed.
pub(in crate::desk) fn forget_notes(db: &Connection, then: Timestamp) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM note WHERE received_at <= ?1 AND NOT EXISTS
                 (SELECT 1 FROM alarm WHERE alarm.alarm = note.alarm AND alarm.document <> x'')";
    db.prepare_cached(sql)?.execute([then.0])
}

/// Destroys an alarm's key and everything of it but that it was there: id, hash, receipts and what is counted.
pub(in crate::desk) fn shred(db: &Connection, alarm: AlarmId, days: u32, now: Timestamp) -> Result<(), StoreError> {
    let mut hashes = db.prepare_cached("SELECT hash, device FROM alarm WHERE alarm = ?1")?;
    let rows: Vec<(Hash, [u8; 16])> =
        hashes.query_map([alarm.0], |row| Ok((Hash(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
    for sql in [
        "DELETE FROM alarm_key WHERE alarm = ?1",
        "DELETE FROM alarm_update WHERE alarm = ?1",
        "DELETE FROM attachment_chunk WHERE alarm = ?1",
        // An alarm handed on brings its key along; what waits to be sent goes once it is.
        "DELETE FROM outgoing_order WHERE sending <> 1 AND hash IN
           (SELECT hash FROM passed_on WHERE alarm_hash IN (SELECT hash FROM alarm WHERE alarm = ?1))",
        "DELETE FROM passed_on WHERE alarm_hash IN (SELECT hash FROM alarm WHERE alarm = ?1)",
        "DELETE FROM note WHERE alarm = ?1",
        "UPDATE alarm SET document = x'', device = zeroblob(16), brings_key = 0 WHERE alarm = ?1",
        "UPDATE receipt SET detail = x'' WHERE alarm = ?1",
        "UPDATE delivery SET content = x'', outcome = '' WHERE alarm = ?1",
    ] {
        db.prepare_cached(sql)?.execute([alarm.0])?;
    }
    for (hash, device) in rows {
        super::figure::let_go(db, hash)?;
        // A card is opened by an alarm's key: without any it is of no use to anybody here.
        db.prepare_cached(
            "DELETE FROM card WHERE device = ?1 AND NOT EXISTS (SELECT 1 FROM alarm WHERE alarm.device = ?1)",
        )?
        .execute([device])?;
    }
    db.prepare_cached("INSERT OR REPLACE INTO shredded (alarm, at, days) VALUES (?1, ?2, ?3)")?
        .execute(params![alarm.0, now.0, days])?;
    let subject = alarm.to_string();
    audit::append(
        db,
        &audit::Event { at: now, actor: "desk", act: "alarm_shredded", subject: &subject, result: "ok" },
    )?;
    Ok(())
}
