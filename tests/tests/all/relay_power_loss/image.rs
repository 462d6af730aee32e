//! What a cut left, looked at through the real store: opened as a restarted relay opens it, then held against what
//! was promised and against what belongs together.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use baken_schemas::alarm::{Receipt, ReceiptState};
use baken_schemas::circle::{LogHead, Membership};
use baken_schemas::crypto::Hash;
use baken_schemas::entry::Entry;
use baken_schemas::id::CircleId;
use baken_schemas::signed::Unverified;
use baken_server::audit;
use baken_server::relay::Relay;
use baken_server::store::{Disk, StoreError, StoreOptions};
use baken_tests::sim::clock::SimClock;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::load::{Cast, Promise};

/// What a cut did to a relay's database.
#[derive(Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing.
    None,
    /// It is whole and lacks what was promised.
    Lost(String),
    /// It holds something without what belongs to it.
    Half(String),
    /// It cannot be opened, or SQLite finds it damaged.
    Corrupt(String),
}

/// Rows that belong together, each as a query that finds the subjects that lack something. `?1` is the relay's id.
const WHOLES: [(&str, &str); 12] = [
    (
        "a deposit without its bytes",
        "SELECT hex(deposit) FROM deposit WHERE document NOT IN (SELECT document FROM document WHERE lasts = 1)",
    ),
    (
        "a deposit that is raised and no alarm, or the other way round",
        "SELECT hex(deposit) FROM deposit WHERE (state = 2) <> (deposit IN (SELECT alarm FROM alarm))",
    ),
    (
        "an alarm without its bytes",
        "SELECT hex(alarm) FROM alarm WHERE document NOT IN (SELECT document FROM document WHERE lasts = 1)",
    ),
    (
        "an alarm that the desk of its first rung was not handed",
        "SELECT hex(alarm) FROM alarm WHERE alarm NOT IN (SELECT alarm FROM handed WHERE rung = 0)",
    ),
    (
        "a hand-over without mail",
        "SELECT hex(h.alarm) FROM handed h JOIN alarm a ON a.alarm = h.alarm
         WHERE (h.responder, a.document) NOT IN (SELECT recipient, document FROM mail WHERE kind = 0)",
    ),
    (
        "an alarm without its ladder",
        "SELECT hex(alarm) FROM alarm a
         WHERE (SELECT count(*) FROM ladder_rung r WHERE r.alarm = a.alarm) <> 2",
    ),
    (
        "an alarm without the relay's receipt",
        "SELECT hex(alarm) FROM alarm WHERE alarm NOT IN (SELECT alarm FROM receipt WHERE signer = ?1)",
    ),
    (
        "an alarm whose answer a repeat would not get",
        "SELECT hex(alarm) FROM alarm WHERE (device, alarm) NOT IN (SELECT device, key FROM idempotency)
           AND alarm NOT IN (SELECT deposit FROM deposit)",
    ),
    (
        "an alarm that is not in the audit",
        "SELECT hex(alarm) FROM alarm
         WHERE lower(hex(alarm)) NOT IN (SELECT subject FROM audit WHERE act IN ('alarm_stored', 'deposit_raised'))",
    ),
    (
        "a climb that is not in the audit, or the audit's without the climb",
        "SELECT hex(alarm) FROM alarm
         WHERE (alarm IN (SELECT alarm FROM handed WHERE rung = 1))
            <> (lower(hex(alarm)) IN (SELECT subject FROM audit WHERE act = 'ladder_climbed'))",
    ),
    ("mail without its document", "SELECT cursor FROM mail WHERE document NOT IN (SELECT document FROM document)"),
    (
        "a document that nothing leads to",
        "SELECT document FROM document WHERE document NOT IN (SELECT document FROM alarm
         UNION SELECT document FROM deposit UNION SELECT document FROM receipt UNION SELECT document FROM mail)",
    ),
];

/// Opens the image as a relay would after the cut, and compares it with what was promised before.
pub async fn damage(folder: &Path, cast: &Cast, promises: &[&Promise]) -> Damage {
    let opened = Relay::open(
        &Disk::new(folder),
        StoreOptions { inline: true, ..StoreOptions::default() },
        cast.relay.clone(),
        Arc::new(SimClock::at(cast.now)),
        &mut ChaCha20Rng::seed_from_u64(1),
        Cast::options(),
    )
    .await;
    let relay = match opened {
        Ok(relay) => relay,
        Err(error) => return Damage::Corrupt(format!("it does not open: {error:?}")),
    };
    let looked = relay.store().read(|db| Ok::<_, StoreError>(look(db, cast, promises)));
    relay.close();
    match looked {
        Ok(damage) => damage,
        Err(error) => Damage::Corrupt(format!("it cannot be read: {error:?}")),
    }
}

fn look(db: &Connection, cast: &Cast, promises: &[&Promise]) -> Damage {
    if let Err(error) = is_sound(db) {
        return Damage::Corrupt(format!("{error:#}"));
    }
    if let Err(error) = is_whole(db, cast) {
        return Damage::Half(format!("{error:#}"));
    }
    let missing: Vec<String> = promises
        .iter()
        .filter_map(|promise| is_kept(db, cast, promise).err())
        .map(|error| format!("{error:#}"))
        .collect();
    if missing.is_empty() { Damage::None } else { Damage::Lost(missing.join("; ")) }
}

/// SQLite and the audit find nothing wrong.
fn is_sound(db: &Connection) -> Result<()> {
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "integrity_check says {verdict}");
    let dangling = db.query_row("PRAGMA foreign_key_check", [], |row| row.get::<_, String>(0)).optional()?;
    ensure!(dangling.is_none(), "a row of {dangling:?} refers to nothing");
    audit::verify(db)?;
    Ok(())
}

/// Whatever is there is there with all that belongs to it.
fn is_whole(db: &Connection, cast: &Cast) -> Result<()> {
    for (what, sql) in WHOLES {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = if statement.parameter_count() == 0 {
            statement.query([])?
        } else {
            statement.query([cast.relay.device.0])?
        };
        ensure!(rows.next()?.is_none(), "there is {what}");
    }
    ladders_are_whole(db)?;
    circles_are_whole(db)
}

/// A ladder that has ended ended for a reason: a human's receipt, or that it ran out. One that goes on has neither.
fn ladders_are_whole(db: &Connection) -> Result<()> {
    let mut ended: HashSet<[u8; 16]> = HashSet::new();
    let mut statement =
        db.prepare_cached("SELECT r.alarm, d.bytes FROM receipt r JOIN document d ON d.document = r.document")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(1)?;
        let state = Unverified::<Receipt>::parse(&bytes)?.claims().state;
        if state.is_by_human() || state == ReceiptState::Exhausted {
            ended.insert(row.get(0)?);
        }
    }
    let mut statement = db.prepare_cached("SELECT alarm, alarm IN (SELECT alarm FROM ladder_run) FROM alarm")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (alarm, climbs): ([u8; 16], bool) = (row.get(0)?, row.get(1)?);
        ensure!(climbs != ended.contains(&alarm), "there is an alarm whose ladder and receipts do not agree");
    }
    Ok(())
}

/// Logs replay to where their circle stands, and writers' entries follow on each other.
fn circles_are_whole(db: &Connection) -> Result<()> {
    let mut logs: HashMap<[u8; 16], Membership> = HashMap::new();
    let mut statement = db.prepare_cached("SELECT circle, bytes FROM log_record ORDER BY circle, seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (circle, bytes): ([u8; 16], Vec<u8>) = (row.get(0)?, row.get(1)?);
        match logs.get_mut(&circle) {
            Some(log) => drop(log.apply(&bytes)?),
            None => drop(logs.insert(circle, Membership::start(CircleId(circle), &bytes)?)),
        }
    }
    let mut statement = db.prepare_cached(
        "SELECT circle, seq, head, (SELECT count(*) FROM member m WHERE m.circle = c.circle) FROM circle c",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (circle, head, members): ([u8; 16], LogHead, usize) =
            (row.get(0)?, LogHead { seq: row.get(1)?, hash: Hash(row.get(2)?) }, row.get(3)?);
        let log = logs.get(&circle).context("there is a circle without a log")?;
        ensure!(log.head() == head && log.members().len() == members, "there is a circle that its log does not make");
    }
    let mut last: HashMap<([u8; 16], u16), (u64, Hash)> = HashMap::new();
    let mut statement = db.prepare_cached("SELECT bytes FROM entry ORDER BY circle, slot, counter")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let entry = Entry::parse(&row.get::<_, Vec<u8>>(0)?)?;
        let header = entry.header();
        let (counter, prev) =
            last.insert((header.circle.0, header.slot), (header.counter, entry.hash())).unwrap_or((0, Hash::ZERO));
        ensure!(header.counter == counter + 1 && header.prev == prev, "there is an entry without the one before");
    }
    Ok(())
}

/// The one value of a row, if there is the row.
fn found<T: rusqlite::types::FromSql>(db: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Option<T>> {
    Ok(db.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?)
}

fn is_mailed(db: &Connection, to: [u8; 16], bytes: &[u8]) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM mail m JOIN document d ON d.document = m.document
               WHERE m.recipient = ?1 AND d.bytes = ?2)";
    Ok(found(db, sql, params![to, bytes])?.unwrap_or(false))
}

fn is_kept(db: &Connection, cast: &Cast, promise: &Promise) -> Result<()> {
    match promise {
        Promise::Device { device } => {
            let there: Option<bool> = found(db, "SELECT 1 FROM device WHERE device = ?1", [device.0])?;
            ensure!(there.is_some(), "{device:?} was told that it is enrolled");
        }
        Promise::Alarm { alarm, bytes, stored } => {
            let sql = "SELECT d.bytes FROM alarm a JOIN document d ON d.document = a.document WHERE a.alarm = ?1";
            let there: Option<Vec<u8>> = found(db, sql, [alarm.0])?;
            ensure!(there.as_deref() == Some(&bytes[..]), "I1: {alarm:?} was answered, and its bytes are not there");
            let [desk, _] = cast.desks;
            ensure!(is_mailed(db, desk.0, bytes)?, "I1: {alarm:?} was answered, and is not in the desk's mail");
            let sql = "SELECT count(*) FROM ladder_rung WHERE alarm = ?1";
            ensure!(found(db, sql, [alarm.0])? == Some(2), "I1: {alarm:?} was answered, and has no ladder");
            let sql = "SELECT body FROM idempotency WHERE key = ?1";
            let answer: Option<Vec<u8>> = found(db, sql, [alarm.0])?;
            ensure!(answer.as_deref() == Some(&stored[..]), "I1: {alarm:?} was answered otherwise");
        }
        Promise::Deposit { deposit, bytes } => {
            let sql = "SELECT d.bytes FROM deposit p JOIN document d ON d.document = p.document WHERE p.deposit = ?1";
            let there: Option<Vec<u8>> = found(db, sql, [deposit.0])?;
            ensure!(there.as_deref() == Some(&bytes[..]), "I1: {deposit:?} was handed in, and its bytes are not there");
        }
        Promise::Raised { deposit } => {
            let [desk, _] = cast.desks;
            let sql = "SELECT d.bytes FROM alarm a JOIN document d ON d.document = a.document WHERE a.alarm = ?1";
            let Some(bytes) = found::<Vec<u8>>(db, sql, [deposit.0])? else { bail!("I1: {deposit:?} is not raised") };
            ensure!(is_mailed(db, desk.0, &bytes)?, "I1: {deposit:?} was raised, and is not in the desk's mail");
        }
        Promise::Receipt { alarm, phone, bytes, by_human } => {
            ensure!(is_mailed(db, phone.0, bytes)?, "a receipt for {alarm:?} is not in the phone's mail");
            let climbs: Option<bool> = found(db, "SELECT 1 FROM ladder_run WHERE alarm = ?1", [alarm.0])?;
            ensure!(!by_human || climbs.is_none(), "{alarm:?} was seen, and its ladder climbs on");
        }
        Promise::Climbed { alarm } => {
            let [_, desk] = cast.desks;
            let sql = "SELECT d.bytes FROM alarm a JOIN document d ON d.document = a.document WHERE a.alarm = ?1";
            let Some(bytes) = found::<Vec<u8>>(db, sql, [alarm.0])? else { bail!("{alarm:?} climbed, and is gone") };
            ensure!(is_mailed(db, desk.0, &bytes)?, "{alarm:?} climbed, and is not in the second desk's mail");
        }
        Promise::Record { circle, seq, bytes } => {
            let sql = "SELECT bytes FROM log_record WHERE circle = ?1 AND seq = ?2";
            let there: Option<Vec<u8>> = found(db, sql, params![circle.0, seq])?;
            ensure!(there.as_deref() == Some(&bytes[..]), "record {seq} of the log was answered");
        }
        Promise::Entry { circle, counter, bytes } => {
            let sql = "SELECT bytes FROM entry WHERE circle = ?1 AND slot = 0 AND counter = ?2";
            let there: Option<Vec<u8>> = found(db, sql, params![circle.0, counter])?;
            ensure!(there.as_deref() == Some(&bytes[..]), "entry {counter} was answered");
        }
        Promise::Card { device, version, bytes } => {
            let there: Option<i64> = found(db, "SELECT version FROM card WHERE device = ?1", [device.0])?;
            ensure!(there >= Some(*version), "card {version} was answered");
            if there == Some(*version) {
                let kept: Option<Vec<u8>> = found(db, "SELECT bytes FROM card WHERE device = ?1", [device.0])?;
                ensure!(kept.as_deref() == Some(&bytes[..]), "card {version} has other bytes");
            }
        }
    }
    Ok(())
}
