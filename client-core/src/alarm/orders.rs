//! Orders as the outbox knows them: whose count, what came in, and what is still to be carried out. All of it works
//! with the vault locked, since that is how a lost phone lies somewhere.
//!
//! An order is judged in the transaction that keeps it, by the keys that this device noted when its vault was last open.
//! An order to lock or wipe is then due until it is carried out ([`crate::Baken::send_alarms`]), whatever crashes.

use baken_schemas::crypto::VerifyKey;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::BakenError;
use crate::alarm::AlarmOutbox;
use crate::alarm::receipts::{Verdict, keep_evidence};

/// What the outbox is told at every sync, with the vault open.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderKeys {
    /// The dossier; `None` on a device that takes no orders: a guest's, and one that waits to be let in.
    pub(crate) dossier: Option<CircleId>,
    /// Its other owners, by their ids.
    pub(crate) authors: Vec<OrderAuthor>,
    /// The order by which this device freezes itself, as signed; empty without one.
    pub(crate) freeze: Vec<u8>,
}

/// Another owner of the dossier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderAuthor {
    pub(crate) device: DeviceId,
    pub(crate) sig: VerifyKey,
    /// It may lock and wipe this device, and settle its check-ins.
    pub(crate) active: bool,
    /// What the person called it; empty until that is known.
    pub(crate) name: String,
}

/// What was ordered and is still to be carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OrdersDue {
    pub(crate) lock: bool,
    pub(crate) wipe: bool,
}

impl AlarmOutbox {
    /// What the outbox was told last.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn order_keys(&self) -> Result<OrderKeys, BakenError> {
        self.read(|db| {
            let (dossier, freeze): (Vec<u8>, Vec<u8>) =
                db.query_row("SELECT dossier, freeze FROM phone", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut statement =
                db.prepare_cached("SELECT device, sig, active, name FROM order_author ORDER BY device")?;
            let authors = statement.query_map([], |row| {
                let (device, sig) = (DeviceId(row.get(0)?), VerifyKey(row.get(1)?));
                Ok(OrderAuthor { device, sig, active: row.get(2)?, name: row.get(3)? })
            })?;
            let authors = authors.collect::<Result<_, _>>()?;
            Ok(OrderKeys { dossier: CircleId::from_slice(&dossier), authors, freeze })
        })
    }

    /// Whose orders count from now on, and which order this device has prepared.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_order_keys(&self, keys: &OrderKeys) -> Result<(), BakenError> {
        let dossier = keys.dossier.map(|circle| circle.0.to_vec()).unwrap_or_default();
        self.write(|tx| {
            tx.execute("UPDATE phone SET dossier = ?1, freeze = ?2", params![dossier, keys.freeze])?;
            tx.execute("DELETE FROM order_author", [])?;
            for author in &keys.authors {
                tx.execute(
                    "INSERT INTO order_author (device, sig, active, name) VALUES (?1, ?2, ?3, ?4)",
                    params![author.device.0, author.sig.0, author.active, author.name],
                )?;
            }
            Ok(())
        })
    }

    /// What is still to be carried out.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn orders_due(&self) -> Result<OrdersDue, BakenError> {
        self.read(|db| {
            let due = db.query_row("SELECT lock_due, wipe_due FROM phone", [], |row| {
                Ok(OrdersDue { lock: row.get(0)?, wipe: row.get(1)? })
            })?;
            Ok(due)
        })
    }

    /// The PIN was typed: an order to lock has served.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn lift_lock(&self) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("UPDATE phone SET lock_due = 0", [])?;
            Ok(())
        })
    }

    /// The orders by which other devices froze themselves, each with when it came.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn freezes_heard(&self) -> Result<Vec<(Unverified<Order>, Timestamp)>, BakenError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT document, heard_at FROM freeze_heard ORDER BY device")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, Timestamp(row.get(1)?))))?;
            let mut heard = Vec::new();
            for row in rows {
                let (document, heard_at) = row?;
                heard.push((Unverified::parse(&document)?, heard_at));
            }
            Ok(heard)
        })
    }

    /// The log has overtaken a device's order.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn forget_freeze(&self, device: DeviceId) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("DELETE FROM freeze_heard WHERE device = ?1", [device.0])?;
            Ok(())
        })
    }
}

/// The key of another device of this person that is in the dossier, as the vault last knew it.
pub(crate) fn active_key(db: &Connection, device: DeviceId) -> Result<Option<VerifyKey>, BakenError> {
    let sql = "SELECT sig FROM order_author WHERE device = ?1 AND active = 1";
    Ok(db.query_row(sql, [device.0], |row| row.get(0).map(VerifyKey)).optional()?)
}

/// Judges and keeps one order.
pub(super) fn take_order(tx: &Transaction<'_>, bytes: &[u8], now: Timestamp) -> Result<Verdict, BakenError> {
    let Ok(unverified) = Unverified::<Order>::parse(bytes) else {
        return keep_evidence(tx, None, "malformed", bytes, now);
    };
    let order = *unverified.claims();
    let (own, dossier): ([u8; 16], Vec<u8>) =
        tx.query_row("SELECT device, dossier FROM phone", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let author: Option<([u8; 32], bool)> = tx
        .query_row("SELECT sig, active FROM order_author WHERE device = ?1", [order.author.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((sig, active)) = author.filter(|_| dossier == order.circle.0) else {
        return keep_evidence(tx, None, "unknown_author", bytes, now);
    };
    if unverified.verify(&VerifyKey(sig)).is_err() {
        return keep_evidence(tx, None, "order_forged", bytes, now);
    }
    let is_new = match order.kind {
        OrderKind::Freeze => keep_freeze(tx, &order, bytes, now)?,
        OrderKind::Lock | OrderKind::Wipe if order.device.0 != own || !active => {
            return keep_evidence(tx, None, "not_entitled", bytes, now);
        }
        OrderKind::Lock => make_due(tx, &order, "UPDATE phone SET lock_due = 1")?,
        OrderKind::Wipe => make_due(tx, &order, "UPDATE phone SET wipe_due = 1")?,
    };
    Ok(if is_new { Verdict::Ordered { kind: order.kind } } else { Verdict::Known })
}

/// Whether the order is newer than all that were taken of its author; then it is due.
fn make_due(tx: &Transaction<'_>, order: &Order, due: &str) -> Result<bool, BakenError> {
    let taken = tx.execute(
        "INSERT INTO order_taken (author, number) VALUES (?1, ?2)
         ON CONFLICT (author) DO UPDATE SET number = excluded.number WHERE excluded.number > number",
        params![order.author.0, order.number.cast_signed()],
    )?;
    if taken == 0 {
        return Ok(false);
    }
    tx.execute(due, [])?;
    Ok(true)
}

/// Keeps the newest order of each device about itself; whether this one is.
fn keep_freeze(db: &Connection, order: &Order, bytes: &[u8], now: Timestamp) -> Result<bool, BakenError> {
    let known: Option<Vec<u8>> = db
        .query_row("SELECT document FROM freeze_heard WHERE device = ?1", [order.device.0], |row| row.get(0))
        .optional()?;
    let known = known.map(|known| Unverified::<Order>::parse(&known)).transpose()?;
    if known.is_some_and(|known| known.claims().number >= order.number) {
        return Ok(false);
    }
    db.execute(
        "INSERT OR REPLACE INTO freeze_heard (device, document, heard_at) VALUES (?1, ?2, ?3)",
        params![order.device.0, bytes, now.0],
    )?;
    Ok(true)
}
