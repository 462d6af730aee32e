//! Heads of the relay's audit: about once an hour the relay is asked for its newest, signed, with the proof that it goes on
//! from the one held here. One that does not is kept beside that one: both are the relay's own word, so that together they
//! prove to anybody that its history was written anew. A relay that was restored from a backup looks the same, and has to
//! say so.

use baken_schemas::api;
use baken_schemas::audit::{AuditAnswer, AuditHead, check_goes_on};
use baken_schemas::crypto::Hash;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use http::Method;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;

use crate::alarm::AlarmOutbox;
use crate::alarm::outbox::phone;
use crate::alarm::receipts::keep_evidence;
use crate::client::SignedClient;
use crate::{Baken, BakenError, Context};

/// How often the relay is asked, in milliseconds.
const ASK_EVERY_MS: i64 = 60 * 60 * 1000;
/// The most heads that are kept: four days of them.
const MAX_HEADS: i64 = 100;
/// The most contradictions that are kept; the first tell the story.
const MAX_REWRITTEN: i64 = 16;

/// How far this phone knows the relay's audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditView {
    /// How many rows it has had.
    pub size: u64,
    /// The root of the tree over them: `baken-server verify` shows that of the relay's own file.
    pub root: Hash,
    /// When the relay signed that, by its clock.
    pub at: Timestamp,
    /// When it was here, by this phone's clock.
    pub arrived_at: Timestamp,
    /// The relay has written its history anew, or was restored from a backup.
    pub rewritten: Option<RewrittenView>,
}

/// A history that was written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RewrittenView {
    /// When that was found, by this phone's clock.
    pub found_at: Timestamp,
    /// How many rows the head held here has.
    pub held_size: u64,
    /// How many the one has that does not go on from it.
    pub told_size: u64,
}

impl Baken {
    /// How far this phone knows the relay's audit; `None` before the first head.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], and those of the disk.
    pub fn audit(&self) -> Result<Option<AuditView>, BakenError> {
        self.alarm_outbox()?.audit()
    }
}

impl AlarmOutbox {
    /// See [`Baken::audit`].
    ///
    /// # Errors
    /// Those of the disk.
    pub fn audit(&self) -> Result<Option<AuditView>, BakenError> {
        self.read(|db| {
            let Some((head, arrived_at)) = newest(db)? else { return Ok(None) };
            let found = db
                .query_row("SELECT older, newer, found_at FROM audit_rewritten ORDER BY seq LIMIT 1", [], |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
                })
                .optional()?;
            let rewritten = match found {
                Some((older, newer, found_at)) => Some(RewrittenView {
                    found_at: Timestamp(found_at),
                    held_size: head_of(&older)?.size,
                    told_size: head_of(&newer)?.size,
                }),
                None => None,
            };
            let AuditHead { size, root, at, .. } = head;
            Ok(Some(AuditView { size, root, at, arrived_at, rewritten }))
        })
    }

    /// Asks the relay for its newest head when the last was a while ago. Whatever becomes of that fails nothing else: a
    /// head that does not come shows by its age.
    pub(super) async fn ask_audit(&self, client: &SignedClient<'_>, context: &Context) -> Result<(), BakenError> {
        let now = context.now();
        let (asked_at, from) = self.read(|db| {
            let asked_at: i64 = db.query_row("SELECT audit_asked_at FROM phone", [], |row| row.get(0))?;
            Ok((Timestamp(asked_at), start(db)?.map_or(0, |held| held.size)))
        })?;
        // A clock that went back tells nothing about how long it has been.
        if (0..ASK_EVERY_MS).contains(&now.since_ms(asked_at)) {
            return Ok(());
        }
        let path = format!("{}?after={from}", api::AUDIT);
        let key = context.with_rng(|rng| IdempotencyKey::make(rng));
        let answer: Result<AuditAnswer, BakenError> =
            client.ask(Method::GET, &path, Vec::new(), key, "an audit's head").await;
        self.write(|tx| {
            tx.execute("UPDATE phone SET audit_asked_at = ?1", [now.0])?;
            match &answer {
                Ok(answer) => take(tx, from, answer, now),
                Err(_) => Ok(()),
            }
        })
    }
}

/// A head out of its envelope, which was checked when it came in.
fn head_of(document: &[u8]) -> Result<AuditHead, BakenError> {
    Ok(*Unverified::<AuditHead>::parse(document)?.claims())
}

fn newest(db: &Connection) -> Result<Option<(AuditHead, Timestamp)>, BakenError> {
    let sql = "SELECT document, arrived_at FROM audit_head ORDER BY seq DESC LIMIT 1";
    let row = db.query_row(sql, [], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?))).optional()?;
    row.map(|(document, arrived_at)| Ok((head_of(&document)?, Timestamp(arrived_at)))).transpose()
}

/// The head from which the next is to go on: the newest, unless it is of another relay.
fn start(db: &Connection) -> Result<Option<AuditHead>, BakenError> {
    let relay = phone(db)?.directory.relay.relay;
    Ok(newest(db)?.map(|(head, _)| head).filter(|head| head.relay == relay))
}

/// Judges and keeps an answer to the question what goes on from a head of size `from`.
fn take(tx: &Transaction<'_>, from: u64, answer: &AuditAnswer, now: Timestamp) -> Result<(), BakenError> {
    let relay = phone(tx)?.directory.relay;
    let checked = Unverified::<AuditHead>::parse(&answer.head).and_then(|head| head.verify(&relay.sig));
    let Some(head) = checked.ok().filter(|head: &Signed<AuditHead>| head.value().relay == relay.relay) else {
        keep_evidence(tx, None, "audit_forged", &answer.head, now)?;
        return Ok(());
    };
    let held = start(tx)?;
    if held.map_or(0, |held| held.size) != from {
        // Another process has asked meanwhile.
        return Ok(());
    }
    let of = |head: &AuditHead| (head.size, head.root);
    let older = held.as_ref().map_or((0, Hash::ZERO), of);
    if check_goes_on(older, of(head.value()), &answer.path).is_err() {
        tx.execute(
            "INSERT OR IGNORE INTO audit_rewritten (older, newer, found_at)
             SELECT document, ?1, ?2 FROM audit_head
             WHERE (SELECT count(*) FROM audit_rewritten) < ?3 ORDER BY seq DESC LIMIT 1",
            params![head.bytes(), now.0, MAX_REWRITTEN],
        )?;
        return Ok(());
    }
    tx.execute(
        "INSERT INTO audit_head (size, root, document, arrived_at) VALUES (?1, ?2, ?3, ?4)",
        params![head.value().size.cast_signed(), head.value().root.0, head.bytes(), now.0],
    )?;
    tx.execute("DELETE FROM audit_head WHERE seq <= (SELECT max(seq) FROM audit_head) - ?1", [MAX_HEADS])?;
    Ok(())
}
