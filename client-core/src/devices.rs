//! The devices of this account's dossier, by the membership log and the names they gave themselves.

use baken_schemas::id::{DeviceId, RecordId};
use baken_schemas::record::{Value, kind_named};
use serde::Serialize;

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
}

impl Baken {
    /// Every device of the circle, in the order they joined.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn devices(&self) -> Result<Vec<DeviceView>, BakenError> {
        self.with_vault(|open| {
            let kind = kind_named("device").map(|kind| kind.number);
            let records = all_views(&open.vault.connection, &open.circle, kind)?;
            let members = open.circle.membership().members().iter();
            Ok(members
                .map(|member| DeviceView {
                    device: member.device,
                    // A device's record has the device's id.
                    name: records.iter().find(|record| record.record == RecordId(member.device.0)).and_then(name_of),
                    this: member.device == open.keys.device,
                })
                .collect())
        })
    }
}

fn name_of(record: &RecordView) -> Option<String> {
    let field = record.fields.iter().find(|field| field.name == Some("name"))?;
    field.values.iter().find_map(|view| match &view.value {
        Value::Text(name) => Some(name.clone()),
        _ => None,
    })
}
