//! The devices of this account's dossier, by the membership log and the names they gave themselves.

use baken_schemas::circle::MemberState;
use baken_schemas::id::{DeviceId, RecordId};
use baken_schemas::record::{Value, kind_named};
use rusqlite::Connection;
use serde::Serialize;

use crate::circle::Circle;
use crate::record::{RecordView, all_views};
use crate::{Baken, BakenError};

/// A device of the circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceView {
    /// The device.
    pub device: DeviceId,
    /// What its owner called it; `None` until its record has come.
    pub name: Option<String>,
    /// It is this one.
    pub this: bool,
    /// How it stands in the circle.
    pub state: MemberState,
}

impl Baken {
    /// Every device of the circle, in the order they joined.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn devices(&self) -> Result<Vec<DeviceView>, BakenError> {
        let mut devices = self.known_devices()?;
        devices.retain(|device| !matches!(device.state, MemberState::Gone { .. }));
        Ok(devices)
    }

    /// Every device that ever was in the circle, in the order they joined: what is lost may have been taken out.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn known_devices(&self) -> Result<Vec<DeviceView>, BakenError> {
        self.with_settled(|open| {
            let home = open.circles.home();
            let names = DeviceNames::read(&open.vault.connection, home)?;
            let members = home.membership().members();
            Ok(members
                .map(|(member, state)| DeviceView {
                    device: member.device,
                    name: names.of(member.device),
                    this: member.device == open.keys.device,
                    state,
                })
                .collect())
        })
    }
}

/// What the devices of a circle are called.
pub(crate) struct DeviceNames(Vec<RecordView>);

impl DeviceNames {
    /// Reads the names. What was taken in must have been merged.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn read(connection: &Connection, circle: &Circle) -> Result<Self, BakenError> {
        let kind = kind_named("device").map(|kind| kind.number);
        Ok(Self(all_views(connection, circle, kind)?))
    }

    /// A device's name; `None` until its record has come.
    pub(crate) fn of(&self, device: DeviceId) -> Option<String> {
        // A device's record has the device's id.
        self.0.iter().find(|record| record.record == RecordId(device.0)).and_then(name_of)
    }
}

fn name_of(record: &RecordView) -> Option<String> {
    let field = record.fields.iter().find(|field| field.name == Some("name"))?;
    field.values.iter().find_map(|view| match &view.value {
        Value::Text(name) => Some(name.clone()),
        _ => None,
    })
}
