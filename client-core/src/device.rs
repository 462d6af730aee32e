//! What a device is: its keys, account, circle and the secrets it got once. Kept in the vault from before the first
//! request, so that a crash at any point of an activation can be gone on from.

use baken_schemas::crypto::{KemSecret, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::org::OrgId;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use rusqlite::Connection;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::BakenError;
use crate::vault::setting;

const DEVICE: &str = "device";
const RETURNING: &str = "travel_device";
/// Stands for the account on a guest's device, which has none.
pub(crate) const GUEST: AccountId = AccountId([0; 16]);

/// Secret keys as they lie in the vault. Wiped when dropped.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
struct Secrets {
    #[cbor(n(0), with = "minicbor::bytes")]
    sig: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    alarm: [u8; 32],
    #[cbor(n(2), with = "minicbor::bytes")]
    kem: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    card: [u8; 32],
    /// Empty until the account's other devices have told it.
    #[cbor(n(4), with = "minicbor::bytes")]
    desk: Vec<u8>,
    /// The account's root on the device that founded it, else empty.
    #[cbor(n(5), with = "minicbor::bytes")]
    root: Vec<u8>,
}

#[derive(Encode, Decode)]
struct Row {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    account: AccountId,
    #[n(2)]
    org: OrgId,
    #[n(3)]
    circle: CircleId,
    #[n(4)]
    secrets: Secrets,
}

/// What a device is.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) keys: DeviceKeys,
    pub(crate) account: AccountId,
    pub(crate) org: OrgId,
    pub(crate) circle: CircleId,
    /// Seals this device's card.
    pub(crate) card_key: SymmetricKey,
    /// Proves the account to desks; `None` until the account's other devices have told it.
    pub(crate) desk_key: Option<SymmetricKey>,
    /// The account's root key, on the device that founded it and until the recovery code is printed.
    pub(crate) root: Option<SigningKey>,
}

impl Device {
    /// A new device with keys of its own.
    pub(crate) fn make(
        account: AccountId,
        org: OrgId,
        circle: CircleId,
        desk_key: Option<SymmetricKey>,
        keys: DeviceKeys,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self { keys, account, org, circle, card_key: SymmetricKey::make(rng), desk_key, root: None }
    }
}

/// Writes the device into its vault.
pub(crate) fn save(connection: &Connection, device: &Device) -> Result<(), BakenError> {
    save_as(connection, DEVICE, device)
}

/// Writes the device that a phone which travels will be once it is back.
pub(crate) fn save_returning(connection: &Connection, device: &Device) -> Result<(), BakenError> {
    save_as(connection, RETURNING, device)
}

fn save_as(connection: &Connection, name: &'static str, device: &Device) -> Result<(), BakenError> {
    let row = Row {
        device: device.keys.device,
        account: device.account,
        org: device.org,
        circle: device.circle,
        secrets: Secrets {
            sig: *device.keys.sig.to_bytes(),
            alarm: *device.keys.alarm.to_bytes(),
            kem: *device.keys.kem.as_bytes(),
            card: *device.card_key.as_bytes(),
            desk: device.desk_key.as_ref().map(|key| key.as_bytes().to_vec()).unwrap_or_default(),
            root: device.root.as_ref().map(|root| root.to_bytes().to_vec()).unwrap_or_default(),
        },
    };
    setting::write(connection, name, &row)
}

/// Reads the device out of its vault.
pub(crate) fn load(connection: &Connection) -> Result<Device, BakenError> {
    load_as(connection, DEVICE)
}

/// Reads what [`save_returning`] wrote.
pub(crate) fn load_returning(connection: &Connection) -> Result<Device, BakenError> {
    load_as(connection, RETURNING)
}

fn load_as(connection: &Connection, name: &'static str) -> Result<Device, BakenError> {
    let damaged = || BakenError::VaultDamaged { part: "its keys" };
    let row: Row = setting::required(connection, name)?;
    let secrets = &row.secrets;
    Ok(Device {
        keys: DeviceKeys {
            device: row.device,
            sig: SigningKey::from_bytes(&secrets.sig),
            alarm: SigningKey::from_bytes(&secrets.alarm),
            kem: KemSecret::from_slice(&secrets.kem).ok_or_else(damaged)?,
        },
        account: row.account,
        org: row.org,
        circle: row.circle,
        card_key: SymmetricKey::from_slice(&secrets.card).ok_or_else(damaged)?,
        desk_key: SymmetricKey::from_slice(&secrets.desk),
        root: secrets.root.first_chunk().map(SigningKey::from_bytes),
    })
}
