//! Going: everything is sent, the circle is left, and a small vault takes the place of the full one.

use baken_schemas::circle::CircleKind;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{self as schema, DELETED, KindNumber, KindSpec};
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;
use rusqlite::Connection;

use super::{Kept, KeptField, TRAVEL, Travel, fits};
use crate::activation::{DIRECTORY, NAME};
use crate::baken::UnlockedVault;
use crate::circle::Circles;
use crate::client::SignedClient;
use crate::decoy::{self, Apart};
use crate::device::{self, Device};
use crate::record::deletion::{is_deleted, is_own};
use crate::record::{self, store};
use crate::sync::seal::Author;
use crate::transport::Transport;
use crate::vault::{Vault, setting};
use crate::{Baken, BakenError, Context};

/// This device is about to leave its dossier, or has left it, to travel.
const LEAVING: &str = "travel_leaving";

/// All that the small vault is made of.
struct Luggage {
    device: Device,
    name: String,
    directory: Option<ByteVec>,
    travel: Travel,
}

impl Baken {
    /// Takes the dossier off this phone, but for copies of the records of these kinds (by name). Another device of the
    /// person has it, and brings it back. Interrupted anywhere, the same call goes on.
    ///
    /// # Errors
    /// [`BakenError::LastDevice`] when no other device has the dossier, [`BakenError::NoRecoveryCode`] when the account's
    /// root would be lost, [`BakenError::NotAllSent`] when something was written here meanwhile,
    /// [`BakenError::UnknownKind`], [`BakenError::ValueRefused`] when too much would come along,
    /// [`BakenError::NotOwner`] on a guest's device, [`BakenError::Travelling`], those of the PIN and of [`Baken::sync`].
    /// Nothing is off the phone then.
    pub async fn travel(&self, transport: &dyn Transport, pin: &str, keep: &[&str]) -> Result<(), BakenError> {
        let kinds = keep.iter().map(|name| kind_to_keep(name)).collect::<Result<Vec<_>, _>>()?;
        self.check_pin(pin)?;
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        let home = self.with_vault(own_dossier)?;
        let now = self.context.now();
        // What cannot come along is told while this device is still in.
        self.with_settled(|open| luggage(open, &kinds, now))?;
        if !self.with_vault(|open| Ok(setting::read(&open.vault.connection, LEAVING)?.unwrap_or(false)))? {
            self.sync(transport).await?;
            self.with_vault(has_another_device)?;
            self.with_vault(has_no_root)?;
            self.with_vault(|open| setting::write(&open.vault.connection, LEAVING, &true))?;
        }
        let left = self.leave_when_all_is_sent(&client, home).await;
        if !matches!(left, Ok(()) | Err(BakenError::NotReached)) {
            // The relay answered, and took nothing.
            self.with_vault(|open| setting::remove(&open.vault.connection, LEAVING))?;
        }
        left?;
        self.pack(pin, &kinds)
    }

    /// Puts the small vault in place of the full one. Asks nobody.
    pub(crate) fn pack(&self, pin: &str, kinds: &[&KindSpec]) -> Result<(), BakenError> {
        let now = self.context.now();
        let luggage = self.lock_after(|open| {
            let has_left = !open.circles.home().membership().is_active(open.keys.device);
            for circle in open.circles.all() {
                store::settle(&open.vault.connection, circle, now)?;
                // Written since this device left: it would go with the vault.
                if has_left && store::pending_size(&open.vault.connection, circle.row())?.0 > 0 {
                    return Err(BakenError::NotAllSent);
                }
            }
            luggage(open, kinds, now)
        })?;
        let vault =
            Vault::replace(&self.home, &self.context, pin, |connection| fill(connection, luggage, &self.context))?;
        self.set_vault(UnlockedVault::load(vault)?);
        // The small vault names none of the dossier's attachments. What a power loss leaves goes at the next unlocking.
        let _ = self.free_orphans();
        Ok(())
    }
}

/// What comes along of these kinds.
fn luggage(open: &UnlockedVault, kinds: &[&KindSpec], since: Timestamp) -> Result<Luggage, BakenError> {
    let connection = &open.vault.connection;
    let mut kept = Vec::new();
    for circle in open.circles.all() {
        kept.extend(records_to_keep(connection, (circle.row(), circle.id()), kinds)?);
    }
    let travel = Travel { since, kept, home: open.circles.home().id() };
    if !fits(&travel) {
        return Err(BakenError::ValueRefused);
    }
    let (name, directory) = (setting::required(connection, NAME)?, setting::read(connection, DIRECTORY)?);
    Ok(Luggage { device: device::load(connection)?, name, directory, travel })
}

/// A kind that can come along: none of Baken's own, and no attachments, whose content does not.
fn kind_to_keep(name: &str) -> Result<&'static KindSpec, BakenError> {
    let kind = schema::kind_named(name).filter(|kind| kind.name != "attachment" && !is_own(kind.number));
    kind.ok_or(BakenError::UnknownKind)
}

fn own_dossier(open: &mut UnlockedVault) -> Result<CircleId, BakenError> {
    let home = open.circles.home();
    if open.account().is_none() || home.membership().kind() != CircleKind::Dossier {
        return Err(BakenError::NotOwner);
    }
    Ok(home.id())
}

fn has_another_device(open: &mut UnlockedVault) -> Result<(), BakenError> {
    let membership = open.circles.home().membership();
    let is_other = |device: DeviceId| device != open.keys.device && membership.is_owner(device);
    if membership.members().any(|(member, _)| is_other(member.device)) { Ok(()) } else { Err(BakenError::LastDevice) }
}

/// Nothing else has the root until the recovery code is printed.
fn has_no_root(open: &mut UnlockedVault) -> Result<(), BakenError> {
    match device::load(&open.vault.connection)?.root {
        Some(_) => Err(BakenError::NoRecoveryCode),
        None => Ok(()),
    }
}

/// The records of these kinds that are there, as plain values. Of several that stand the newest comes along; all stay in
/// the dossier.
fn records_to_keep(
    connection: &Connection,
    (row, circle): (crate::circle::CircleRow, CircleId),
    kinds: &[&KindSpec],
) -> Result<Vec<Kept>, BakenError> {
    let is_wanted = |kind: KindNumber| kinds.iter().any(|wanted| wanted.number == kind);
    let mut all = Vec::new();
    for (record, kind, fields) in store::all_fields(connection, row)? {
        if !is_wanted(kind) || is_deleted(&fields) {
            continue;
        }
        let newest = fields.iter().filter(|state| state.field != DELETED).filter_map(|state| {
            let put = state.puts.iter().max_by_key(|put| (put.hlc, put.slot))?;
            Some(KeptField { field: state.field, value: put.value.clone() })
        });
        all.push(Kept { circle, record, kind, fields: newest.collect() });
    }
    Ok(all)
}

/// Fills the small vault: a device and a circle of its own, and what comes along. No key in it is one of the dossier's.
fn fill(connection: &mut Connection, luggage: Luggage, context: &Context) -> Result<(), BakenError> {
    let Luggage { device: real, name, directory, travel } = luggage;
    decoy::found(connection, Apart { real: &real, name: &name, directory }, context)?;
    setting::write(connection, TRAVEL, &travel)?;
    let device = device::load(connection)?;
    let circles = Circles::load(connection, device.circle, &device.keys)?;
    let author = Author { circle: circles.home(), keys: &device.keys, context };
    decoy::add(connection, author, RecordId(device.keys.device.0), "device", &[("name", name.as_str())])?;
    for kept in travel.kept {
        let edits = kept.fields.into_iter().map(|field| (field.field, field.value)).collect();
        record::edit_all(connection, author, kept.record, kept.kind, edits)?;
    }
    Ok(())
}
