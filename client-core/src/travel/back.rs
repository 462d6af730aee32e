//! Coming back: the phone pairs again, as a new device with new keys, and goes on with the small vault until another
//! device has let it in. Then, in one transaction, the small vault becomes a device's of the dossier.
//!
//! What was changed on the way is put into the dossier before anything of it is read: so it has seen nothing, and
//! stands beside what others wrote. Where nobody else changed a field, the two values are what it was and what it is
//! now, and that is settled at once; where somebody did, the person chooses, as with any conflict.

use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::org::Directory;
use baken_schemas::pairing::Grant;
use baken_schemas::record::{FieldNumber, KindNumber, Value};
use baken_schemas::signed::Signed;
use rusqlite::Connection;

use super::{Changed, changes};
use crate::activation::{Stage, save_setup};
use crate::client::SignedClient;
use crate::device::{self, Device};
use crate::pairing::join_circle;
use crate::record::store;
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError, circle};

/// The grant of a phone that is paired again and not let in yet.
const GRANT: &str = "travel_grant";
/// What such a phone will be called.
const NAME: &str = "travel_name";
/// What was changed on the way, until it is in the dossier: [`Changed`].
const CHANGED: &str = "travel_changed";
/// The alarm outbox still speaks for the device that this phone was before.
const OUTBOX_MOVES: &str = "outbox_moves";
/// Every table of a circle, those that point to others first.
const CIRCLE_TABLES: [&str; 14] = [
    "circle_setting",
    "log_record",
    "epoch_key",
    "observed",
    "deletion",
    "record",
    "pending",
    "entry",
    "writer",
    "fresh",
    "checkpoint_part",
    "waiting",
    "quarantine",
    "finding",
];

/// What one record is put to.
type Edits = Vec<(FieldNumber, Value)>;

pub(super) fn is_returning(connection: &Connection) -> Result<bool, BakenError> {
    Ok(setting::read::<Grant>(connection, GRANT)?.is_some())
}

impl Baken {
    /// Keeps what this phone needs to come back, once it is paired.
    ///
    /// # Errors
    /// [`BakenError::NotOwner`] for a guest's grant, [`BakenError::OtherDossier`].
    pub(crate) fn keep_return(&self, grant: &Grant, keys: &DeviceKeys, name: &str) -> Result<(), BakenError> {
        let account = grant.account.ok_or(BakenError::NotOwner)?;
        let home = self.with_vault(|open| Ok(open.travel.as_ref().map(|travel| travel.home)))?;
        if home != Some(grant.circle) {
            return Err(BakenError::OtherDossier);
        }
        let device =
            self.context.with_rng(|rng| Device::make(account, grant.org, grant.circle, None, keys.clone(), rng));
        self.with_vault(|open| {
            let tx = open.vault.connection.transaction()?;
            device::save_returning(&tx, &device)?;
            setting::write(&tx, GRANT, grant)?;
            setting::write(&tx, NAME, &name.to_owned())?;
            tx.commit()?;
            Ok(())
        })
    }

    /// Comes back, if another device has let this one in.
    ///
    /// # Errors
    /// [`BakenError::Travelling`] when it has not, or this phone is not paired; [`BakenError::NotTrustworthy`] when the
    /// relay's log is not the one granted, and those of the network.
    pub(crate) async fn come_back(&self, transport: &dyn Transport) -> Result<(), BakenError> {
        let waiting = self.with_vault(|open| {
            let connection = &open.vault.connection;
            let Some(grant) = setting::read::<Grant>(connection, GRANT)? else { return Ok(None) };
            Ok(Some((grant, setting::required::<String>(connection, NAME)?, device::load_returning(connection)?)))
        })?;
        let (grant, name, device) = waiting.ok_or(BakenError::Travelling)?;
        let directory = self.newest_directory(transport, &grant).await?;
        let client = SignedClient::of_device(transport, &device.keys);
        let log = self.fetch_log(&client, grant.circle).await?;
        if self.unpack(&grant, &device, (&directory, &name), &log)? { Ok(()) } else { Err(BakenError::Travelling) }
    }

    /// Makes the small vault a device's of the dossier. Whether it did: only once the device is in and has a key.
    fn unpack(
        &self,
        grant: &Grant,
        device: &Device,
        (directory, name): (&Signed<Directory>, &str),
        log: &[Vec<u8>],
    ) -> Result<bool, BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let Some(travel) = open.travel.clone() else { return Ok(false) };
            let changed = changes(open, &travel, now)?;
            let tx = open.vault.connection.transaction()?;
            forget_circles(&tx)?;
            let circle = join_circle(&tx, grant, log, &device.keys)?;
            if !circle.membership().is_active(device.keys.device) || circle.current_epoch().is_none() {
                return Ok(false);
            }
            circle::observe(&tx, &circle, now)?;
            // Nothing of the travel is left but what was changed: settings are of this device alone.
            tx.execute("DELETE FROM setting WHERE name <> 'hlc'", [])?;
            device::save(&tx, device)?;
            save_setup(&tx, Stage::Paired, directory, name)?;
            setting::write(&tx, CHANGED, &changed)?;
            setting::write(&tx, OUTBOX_MOVES, &true)?;
            tx.commit()?;
            open.reload()?;
            Ok(true)
        })
    }

    /// Puts into a circle what was changed on the way, before anything of it is read.
    pub(crate) fn put_changed(&self, circle: CircleId) -> Result<(), BakenError> {
        let (mut all, home) = self.with_vault(|open| Ok((read(&open.vault.connection)?, open.circles.home().id())))?;
        if !all.iter().any(|changed| is_of(changed, circle, home) && !changed.put) || !self.may_write_in(circle)? {
            return Ok(());
        }
        let mut records: Vec<(RecordId, KindNumber, Edits)> = Vec::new();
        for changed in all.iter_mut().filter(|changed| is_of(changed, circle, home) && !changed.put) {
            changed.put = true;
            let edit = (changed.field, changed.now.clone());
            match records.iter_mut().find(|(record, ..)| *record == changed.record) {
                Some((_, _, edits)) => edits.push(edit),
                None => records.push((changed.record, changed.kind, vec![edit])),
            }
        }
        for (record, kind, edits) in records {
            self.edit(circle, record, kind, edits)?;
        }
        self.with_vault(|open| setting::write(&open.vault.connection, CHANGED, &all))
    }

    /// Settles what nobody else changed, once all of the circle is here.
    pub(crate) fn settle_changed(&self, circle: CircleId) -> Result<(), BakenError> {
        let (mut all, home) = self.with_vault(|open| Ok((read(&open.vault.connection)?, open.circles.home().id())))?;
        let (done, rest) = all.drain(..).partition::<Vec<_>, _>(|changed| is_of(changed, circle, home) && changed.put);
        if done.is_empty() {
            return Ok(());
        }
        for changed in done {
            let settles = self.with_settled(|open| {
                let row = open.circles.get(circle)?.row();
                let fields = store::fields(&open.vault.connection, row, changed.record, changed.kind)?;
                let fields = fields.map(|(_, fields)| fields).unwrap_or_default();
                let Some(state) = fields.iter().find(|state| state.field == changed.field) else { return Ok(false) };
                let mut others = state.puts.iter().filter(|put| put.value != changed.now).peekable();
                Ok(others.peek().is_some() && others.all(|put| put.value == changed.before))
            })?;
            if settles {
                self.edit(circle, changed.record, changed.kind, vec![(changed.field, changed.now)])?;
            }
        }
        self.with_vault(|open| setting::write(&open.vault.connection, CHANGED, &rest))
    }

    /// Lets the alarm outbox speak for the device that this phone is now, once no alarm of the old one is open.
    pub(crate) fn move_outbox(&self) -> Result<(), BakenError> {
        if !self.with_vault(|open| Ok(setting::read(&open.vault.connection, OUTBOX_MOVES)?.unwrap_or(false)))? {
            return Ok(());
        }
        let setup = self.alarm_setup()?;
        if self.alarm_outbox()?.move_to(&setup, self.context.now())? {
            self.with_vault(|open| setting::remove(&open.vault.connection, OUTBOX_MOVES))?;
        }
        Ok(())
    }
}

fn read(connection: &Connection) -> Result<Vec<Changed>, BakenError> {
    Ok(setting::read(connection, CHANGED)?.unwrap_or_default())
}

/// How many fields were changed on the way and are in no circle yet.
pub(crate) fn waiting(connection: &Connection) -> Result<u64, BakenError> {
    Ok(read(connection)?.iter().filter(|changed| !changed.put).count() as u64)
}

fn is_of(changed: &Changed, circle: CircleId, home: CircleId) -> bool {
    changed.circle.unwrap_or(home) == circle
}

/// Forgets the circle that was never sent.
fn forget_circles(connection: &Connection) -> Result<(), BakenError> {
    connection.execute("DELETE FROM replaced", [])?;
    for table in CIRCLE_TABLES {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    connection.execute("DELETE FROM circle", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::vault::{SCHEMA, database};

    /// A table that a later version adds must not survive the return from a journey.
    #[test]
    fn every_table_of_a_circle_is_forgotten() {
        let connection = database::open_in_memory(SCHEMA).unwrap();
        let mut statement = connection
            .prepare(
                "SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
                 WHERE t.type = 'table' AND c.name = 'circle' AND t.name <> 'circle' ORDER BY t.name",
            )
            .unwrap();
        let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let mut known = CIRCLE_TABLES;
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
