//! Deletions as people see them, and their word on those that are held.

use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{DELETED, KindNumber, Value, kind_numbered};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::circle::Circle;
use crate::devices::DeviceNames;
use crate::record::deletion::{HELD, HELD_MS, KEPT_MS};
use crate::record::store::record_id;
use crate::{Baken, BakenError};

/// A deletion that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeletionView {
    /// The record.
    pub record: RecordId,
    /// The circle that shares it.
    pub circle: CircleId,
    /// Its kind's number.
    pub kind: KindNumber,
    /// Its kind's name; `None` when a newer version made it.
    pub kind_name: Option<&'static str>,
    /// Which device deleted it first.
    pub by: Option<DeviceId>,
    /// What that device is called, where that is known.
    pub name: Option<String>,
    /// When, by that device's clock.
    pub at: Timestamp,
    /// It is held, and the record still shown, until then by this device's clock; `None` when it is not held.
    pub held_until: Option<Timestamp>,
    /// Until when it can be restored, by this device's clock; `None` once it is erased.
    pub restorable_until: Option<Timestamp>,
    /// It is erased, and its history is kept until then by this device's clock.
    pub values_until: Option<Timestamp>,
}

/// What one device deleted in a burst, and waits for another device's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldDeletionsView {
    /// The circle.
    pub circle: CircleId,
    /// The device that deleted them.
    pub by: Option<DeviceId>,
    /// What it is called, where that is known.
    pub name: Option<String>,
    /// How many records.
    pub count: usize,
    /// When the first of them takes effect by itself, by this device's clock.
    pub until: Timestamp,
    /// It is this very device, which cannot confirm them.
    pub this: bool,
}

impl Baken {
    /// Every deletion that stands, in all circles, in the order the records came.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn deletions(&self) -> Result<Vec<DeletionView>, BakenError> {
        self.with_settled(|open| {
            let mut views = Vec::new();
            for circle in open.circles.all() {
                views.extend(views_of(&open.vault.connection, circle)?);
            }
            Ok(views)
        })
    }

    /// Deletions that wait for another device's word, by circle and device.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn held_deletions(&self) -> Result<Vec<HeldDeletionsView>, BakenError> {
        let own = self.with_vault(|open| Ok(open.keys.device))?;
        let mut all: Vec<HeldDeletionsView> = Vec::new();
        for view in self.deletions()? {
            let Some(until) = view.held_until else { continue };
            match all.iter_mut().find(|held| (held.circle, held.by) == (view.circle, view.by)) {
                Some(held) => {
                    held.count = held.count.saturating_add(1);
                    held.until = held.until.min(until);
                }
                None => {
                    let DeletionView { circle, by, name, .. } = view;
                    all.push(HeldDeletionsView { circle, by, name, count: 1, until, this: by == Some(own) });
                }
            }
        }
        Ok(all)
    }

    /// Says of what a device deleted in a burst that it is right: deletes the same records from this one. Says how many.
    ///
    /// # Errors
    /// [`BakenError::OwnDeletions`] for this very device, whose word they are already; [`BakenError::NotOwner`] on a
    /// guest's device, [`BakenError::Locked`].
    pub fn confirm_deletions(&self, by: DeviceId) -> Result<usize, BakenError> {
        self.with_vault(|open| if open.keys.device == by { Err(BakenError::OwnDeletions) } else { Ok(()) })?;
        let held = self.held_by(by)?;
        self.with_vault(|open| {
            let is_owner =
                |circle| Ok::<_, BakenError>(open.circles.get(circle)?.membership().is_owner(open.keys.device));
            for view in &held {
                if !is_owner(view.circle)? {
                    return Err(BakenError::NotOwner);
                }
            }
            Ok(())
        })?;
        self.put_all_deleted(&held, true)
    }

    /// Takes back what a device deleted in a burst: restores the records. Says how many.
    ///
    /// # Errors
    /// [`BakenError::MayNotWrite`], [`BakenError::Locked`].
    pub fn undo_deletions(&self, by: DeviceId) -> Result<usize, BakenError> {
        self.put_all_deleted(&self.held_by(by)?, false)
    }

    fn held_by(&self, by: DeviceId) -> Result<Vec<DeletionView>, BakenError> {
        let mut held = self.deletions()?;
        held.retain(|view| view.held_until.is_some() && view.by == Some(by));
        Ok(held)
    }

    /// Ended half-way, the same call goes on: what is done is not held any more.
    fn put_all_deleted(&self, held: &[DeletionView], deleted: bool) -> Result<usize, BakenError> {
        for view in held {
            self.edit(view.circle, view.record, view.kind, vec![(DELETED, Value::Bool(deleted))])?;
        }
        Ok(held.len())
    }
}

fn views_of(connection: &Connection, circle: &Circle) -> Result<Vec<DeletionView>, BakenError> {
    let names = DeviceNames::read(connection, circle)?;
    let mut statement = connection.prepare_cached(
        "SELECT r.record, r.kind, d.slot, d.deleted_at, d.seen_at, d.state, d.erased_at
         FROM deletion AS d JOIN record AS r ON r.id = d.record WHERE d.circle = ?1 ORDER BY d.record",
    )?;
    let mut rows = statement.query([circle.row().0])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, slot): (KindNumber, u16) = (row.get(1)?, row.get(2)?);
        let (seen_at, state): (i64, u8) = (row.get(4)?, row.get(5)?);
        let erased_at: Option<i64> = row.get(6)?;
        let by = circle.device(slot);
        let after = |ms| Timestamp(seen_at).plus_ms(ms);
        views.push(DeletionView {
            record: record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?,
            circle: circle.id(),
            kind,
            kind_name: kind_numbered(kind).map(|kind| kind.name),
            by,
            name: by.and_then(|by| names.of(by)),
            at: Timestamp(row.get(3)?),
            held_until: (state == HELD).then(|| after(HELD_MS)),
            restorable_until: erased_at.is_none().then(|| after(KEPT_MS)),
            values_until: erased_at.map(|at| Timestamp(at).plus_ms(KEPT_MS)),
        });
    }
    Ok(views)
}
