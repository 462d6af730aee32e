//! What a new decoy holds: a device of the same name at the same organisation, a circle of its own, and a few records
//! for its owner to replace. No key in it is one of the truth's.

use baken_schemas::circle::CircleKind;
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{Value, kind_named};
use minicbor::bytes::ByteVec;
use rusqlite::Connection;

use crate::activation::{ACTIVATED_AT, DIRECTORY, NAME, STAGE, Stage};
use crate::circle::{Circle, Circles, Founding};
use crate::device::{self, Device};
use crate::sync::seal::Author;
use crate::vault::setting;
use crate::{BakenError, Context, record};

/// Records that nobody would wonder at. Being on every device, they convince nobody who knows Baken: the command line
/// tells the owner to change them.
const RECORDS: &[(&str, &[(&str, &str)])] = &[
    ("contact", &[("name", "Politie, geen spoed"), ("phone", "0900-8844")]),
    ("contact", &[("name", "Receptie gemeentehuis"), ("relation", "werk")]),
    ("note", &[("title", "Dinsdag"), ("text", "19.30 uur raadsvergadering, stukken meenemen")]),
];

/// Fills the decoy, once, after the truth.
///
/// # Errors
/// [`BakenError::Database`], [`BakenError::VaultDamaged`].
pub(crate) fn fill(decoy: &mut Connection, truth: &Connection, context: &Context) -> Result<(), BakenError> {
    if setting::read::<String>(decoy, FILLED)?.is_some() {
        return Ok(());
    }
    let name: String = setting::required(truth, NAME)?;
    if setting::read::<Stage>(decoy, STAGE)?.is_none() {
        let (real, directory) = (device::load(truth)?, setting::read::<ByteVec>(truth, DIRECTORY)?);
        found(decoy, Apart { real: &real, name: &name, directory }, context)?;
    }
    let device = device::load(decoy)?;
    let circles = Circles::load(decoy, device.circle, &device.keys)?;
    let author = Author { circle: circles.home(), keys: &device.keys, context };
    let own: &[(&str, &str)] = &[("name", &name)];
    add(decoy, author, RecordId(device.keys.device.0), "device", own)?;
    for (kind, fields) in RECORDS {
        let id = context.with_rng(|rng| RecordId::make(rng));
        add(decoy, author, id, kind, fields)?;
    }
    setting::write(decoy, FILLED, &String::new())
}

/// What a vault whose circle is never sent takes over from the true one.
pub(crate) struct Apart<'a> {
    pub(crate) real: &'a Device,
    pub(crate) name: &'a str,
    pub(crate) directory: Option<ByteVec>,
}

/// Makes the device and circle of a vault that stands by itself, all or nothing.
pub(crate) fn found(connection: &mut Connection, apart: Apart<'_>, context: &Context) -> Result<(), BakenError> {
    let Apart { real, name, directory } = apart;
    let tx = connection.transaction()?;
    let device = context.with_rng(|rng| {
        // The device's id stands in every alarm, so this one shows the same.
        let keys = DeviceKeys { device: real.keys.device, ..DeviceKeys::make(rng) };
        let root = SigningKey::make(rng);
        let desk_key = SymmetricKey::make(rng);
        let device = Device::make(real.account, real.org, CircleId::make(rng), Some(desk_key), keys, rng);
        let founding = Founding {
            circle: device.circle,
            kind: CircleKind::Dossier,
            root: root.verify_key(),
            signer: &root,
            recovery: None,
        };
        Circle::found(&tx, founding, &device.keys, rng)?;
        Ok::<_, BakenError>(device)
    })?;
    device::save(&tx, &device)?;
    setting::write(&tx, STAGE, &Stage::Done)?;
    setting::write(&tx, NAME, &name.to_owned())?;
    if let Some(directory) = directory {
        setting::write(&tx, DIRECTORY, &directory)?;
    }
    setting::write(&tx, ACTIVATED_AT, &context.now())?;
    tx.commit()?;
    Ok(())
}

/// Set once the decoy is filled. After a crash before that, it is filled again.
const FILLED: &str = "filled";

/// Adds a record to such a vault.
pub(crate) fn add(
    connection: &mut Connection,
    author: Author<'_>,
    id: RecordId,
    kind: &str,
    fields: &[(&str, &str)],
) -> Result<(), BakenError> {
    let kind = kind_named(kind).ok_or(BakenError::UnknownKind)?;
    let edits = fields
        .iter()
        .map(|(name, text)| {
            let field = kind.field_named(name).ok_or(BakenError::UnknownField)?;
            Ok((field.number, Value::Text((*text).to_owned())))
        })
        .collect::<Result<_, BakenError>>()?;
    record::edit_all(connection, author, id, kind.number, edits)
}
