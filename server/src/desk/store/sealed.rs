//! Sealing what is kept of an alarm under a key of its own, so that all of it goes with that key.
//!
//! The key lies in the clear beside what it seals, since that is sealed to the desk's keys inside: it keeps nobody out, it
//! is there to be destroyed. An alarm without a key has its rows as they came; once it has one, all of them are sealed.

use baken_schemas::crypto::{Hash, SymmetricKey, open_once, seal_once, transcript};
use baken_schemas::id::AlarmId;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

const LABEL: &str = "baken/desk-kept/v0";

/// Which text of an alarm: one key never seals two, since each is named by what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// A document, by its hash: of the alarm, an update or a note.
    Document(Hash),
    /// What an officer said with a receipt, by that one's hash.
    Detail(Hash),
    /// What went out, by channel, recipient, alarm, event and occasion.
    Content(&'a str, &'a [u8], Hash, i64, i64),
    /// Why it is kept longer, said then.
    Reason(i64),
}

impl Text<'_> {
    fn name(&self) -> Vec<u8> {
        match self {
            Self::Document(hash) => transcript("document", &[&hash.0]),
            Self::Detail(hash) => transcript("detail", &[&hash.0]),
            // Written before there were occasions: the first is named without.
            Self::Content(channel, recipient, hash, event, 0) => {
                transcript("content", &[channel.as_bytes(), recipient, &hash.0, &event.to_be_bytes()])
            }
            Self::Content(channel, recipient, hash, event, occasion) => transcript(
                "content",
                &[channel.as_bytes(), recipient, &hash.0, &event.to_be_bytes(), &occasion.to_be_bytes()],
            ),
            Self::Reason(at) => transcript("reason", &[&at.to_be_bytes()]),
        }
    }
}

fn key_of(db: &Connection, alarm: AlarmId) -> rusqlite::Result<Option<SymmetricKey>> {
    let key: Option<Vec<u8>> = db
        .prepare_cached("SELECT key FROM alarm_key WHERE alarm = ?1")?
        .query_row([alarm.0], |row| row.get(0))
        .optional()?;
    Ok(key.as_deref().and_then(SymmetricKey::from_slice))
}

fn of_text(key: &SymmetricKey, text: &Text<'_>) -> SymmetricKey {
    key.derive(LABEL, &[&text.name()])
}

/// A text as it is to lie in its row. What is empty stays so.
pub(super) fn put(db: &Connection, alarm: AlarmId, text: &Text<'_>, plain: &[u8]) -> rusqlite::Result<Vec<u8>> {
    Ok(match key_of(db, alarm)? {
        Some(key) if !plain.is_empty() => seal_once(&of_text(&key, text), LABEL, &alarm.0, plain),
        _ => plain.to_vec(),
    })
}

/// A text out of its row. What does not open is shown as it lies: it then is a damaged document, and is told as one.
pub(super) fn get(db: &Connection, alarm: AlarmId, text: &Text<'_>, stored: Vec<u8>) -> rusqlite::Result<Vec<u8>> {
    if stored.is_empty() {
        return Ok(stored);
    }
    let Some(key) = key_of(db, alarm)? else { return Ok(stored) };
    let opened = open_once(&of_text(&key, text), LABEL, &alarm.0, &stored, LABEL);
    Ok(opened.map_or(stored, |plain| plain.to_vec()))
}

/// Gives an alarm its key, unless it has one, and seals what lies there of it already.
pub(in crate::desk) fn give_key(db: &Connection, alarm: AlarmId, fresh: &SymmetricKey) -> rusqlite::Result<()> {
    let given = db
        .prepare_cached("INSERT INTO alarm_key (alarm, key) VALUES (?1, ?2) ON CONFLICT (alarm) DO NOTHING")?
        .execute(params![alarm.0, fresh.as_bytes()])?;
    if given == 0 {
        return Ok(());
    }
    for (table, column) in
        [("alarm", "document"), ("alarm_update", "document"), ("note", "document"), ("receipt", "detail")]
    {
        let by_hash = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, Hash(row.get(2)?)));
        let mut rows = db.prepare(&format!("SELECT rowid, {column}, hash FROM {table} WHERE alarm = ?1"))?;
        let rows: Vec<(i64, Vec<u8>, Hash)> = rows.query_map([alarm.0], by_hash)?.collect::<Result<_, _>>()?;
        for (row, plain, hash) in rows {
            let text = if column == "detail" { Text::Detail(hash) } else { Text::Document(hash) };
            let sealed = put(db, alarm, &text, &plain)?;
            db.execute(&format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1"), params![row, sealed])?;
        }
    }
    let mut rows =
        db.prepare("SELECT number, content, channel, recipient, hash, event, occasion FROM delivery WHERE alarm = ?1")?;
    let sealed = |row: &Row<'_>| {
        let (channel, recipient): (String, Vec<u8>) = (row.get("channel")?, row.get("recipient")?);
        let text = Text::Content(&channel, &recipient, Hash(row.get("hash")?), row.get("event")?, row.get("occasion")?);
        let plain: Vec<u8> = row.get("content")?;
        Ok((row.get("number")?, put(db, alarm, &text, &plain)?))
    };
    let rows: Vec<(i64, Vec<u8>)> = rows.query_map([alarm.0], sealed)?.collect::<Result<_, _>>()?;
    for (number, sealed) in rows {
        db.execute("UPDATE delivery SET content = ?2 WHERE number = ?1", params![number, sealed])?;
    }
    Ok(())
}
