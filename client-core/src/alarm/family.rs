//! Whom of the family this phone's alarms are sealed to, so that a press needs no PIN: what the vault last knew. Each alarm
//! keeps this phone's own signed word for whom it was sealed to, and a receipt of anybody else does not count.

use baken_schemas::alarm::{Alarm, AlarmFamily, ContentKey, FamilyKey, FamilyResponder};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::Unverified;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::BakenError;
use crate::alarm::AlarmOutbox;

/// A family responder as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) name: String,
    pub(crate) keys: FamilyResponder,
}

impl AlarmOutbox {
    /// Whom alarms are sealed to beside desks from now on. Open check-ins are sealed anew at the next contact, so that
    /// who was taken out cannot open what is raised later.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_family(&self, family: &[Called]) -> Result<(), BakenError> {
        let changed = self.write(|tx| {
            if called(tx)? == family {
                return Ok(false);
            }
            replace(tx, family)?;
            tx.execute(
                "UPDATE check_in SET fresh = 1, form = x'' WHERE settled = 0 AND raised = 0 AND called = x''",
                [],
            )?;
            Ok(true)
        })?;
        if changed {
            self.hurry();
        }
        Ok(())
    }

    /// Open check-ins of which the relay may still have a form that this device can open.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn check_ins_sealed_to(&self, device: DeviceId) -> Result<Vec<AlarmId>, BakenError> {
        self.read(|db| {
            let mut statement = db.prepare(
                "SELECT f.deposit, f.family FROM check_in_form f JOIN check_in c ON c.deposit = f.deposit
                 WHERE c.settled = 0 AND c.raised = 0 AND c.called = x'' AND f.family <> x'' ORDER BY c.seq",
            )?;
            let rows = statement.query_map([], |row| Ok((AlarmId(row.get(0)?), row.get::<_, Vec<u8>>(1)?)))?;
            let mut found = Vec::new();
            for row in rows {
                let (deposit, family) = row?;
                if !found.contains(&deposit) && keys_in(&family).iter().any(|key| key.device == device) {
                    found.push(deposit);
                }
            }
            Ok(found)
        })
    }
}

fn replace(tx: &Transaction<'_>, family: &[Called]) -> Result<(), BakenError> {
    tx.execute("DELETE FROM family", [])?;
    for Called { name, keys } in family {
        tx.execute(
            "INSERT INTO family (device, name, keys) VALUES (?1, ?2, ?3)",
            params![keys.device.0, name, cbor::to_vec(keys)],
        )?;
    }
    Ok(())
}

/// Whom alarms are sealed to beside desks.
pub(super) fn called(db: &Connection) -> Result<Vec<Called>, BakenError> {
    let mut statement = db.prepare_cached("SELECT name, keys FROM family ORDER BY place")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let mut family = Vec::new();
    for row in rows {
        let (name, keys) = row?;
        family.push(Called { name, keys: cbor::from_slice(&keys, "a family responder's keys")? });
    }
    Ok(family)
}

/// What a family responder is called here; empty when it is called no more.
pub(super) fn name_of(db: &Connection, device: DeviceId) -> Result<String, BakenError> {
    let name = db.query_row("SELECT name FROM family WHERE device = ?1", [device.0], |row| row.get(0)).optional()?;
    Ok(name.unwrap_or_default())
}

/// Whose receipts count for an alarm of this phone, or for a form of a check-in, beside desks'.
pub(super) fn of_alarm(db: &Connection, alarm: AlarmId, form: Hash) -> Result<Vec<FamilyKey>, BakenError> {
    let family: Option<Vec<u8>> =
        db.query_row("SELECT family FROM alarm WHERE alarm = ?1", [alarm.0], |row| row.get(0)).optional()?;
    let family = match family {
        Some(family) => family,
        None => of_form(db, alarm, form)?,
    };
    Ok(keys_in(&family))
}

/// The word for whom a form of a check-in was sealed to.
pub(crate) fn of_form(db: &Connection, deposit: AlarmId, form: Hash) -> Result<Vec<u8>, BakenError> {
    let sql = "SELECT family FROM check_in_form WHERE deposit = ?1 AND hash = ?2";
    Ok(db.query_row(sql, params![deposit.0, form.0], |row| row.get(0)).optional()?.unwrap_or_default())
}

/// The word that sealing has put into an alarm; empty when it is for desks only.
pub(crate) fn word_in(alarm: &Alarm, content: &ContentKey) -> Result<Vec<u8>, BakenError> {
    Ok(alarm.open_with(content)?.family.map(Vec::from).unwrap_or_default())
}

/// What this phone signed itself, and has kept since.
fn keys_in(family: &[u8]) -> Vec<FamilyKey> {
    let family = Unverified::<AlarmFamily>::parse(family);
    family.map(|family| family.claims().responders.clone()).unwrap_or_default()
}
