//! Activation: from an invite on paper to a device with an account, a circle and an alarm button.
//!
//! Everything that makes the device itself (keys, circle, first log records) is on disk before the relay hears of it,
//! and every request carries an idempotency key made of its content. So a crash, a lost answer or a dead battery at any
//! point is gone on from: by activating again, or by the next [`Baken::sync`].
//!
//! Trust starts with the invite alone: it names the hash of the organisation's root, which must have signed the
//! directory and the invite itself, and the hash of the relay's TLS root, which the directory must name too.

use baken_schemas::api::{self, Activated, Activation};
use baken_schemas::cbor;
use baken_schemas::circle::CircleKind;
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, DeviceId, InviteId, RecordId};
use baken_schemas::org::{Directory, Enrolment, Invite, InviteRole};
use baken_schemas::record::{Value, kind_named};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use http::Method;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::baken::UnlockedVault;
use crate::circle::{self, Circle, Founding};
use crate::client::{SignedClient, idempotency_of, path_with, send_unsigned};
use crate::device::{self, Device};
use crate::record::all_views;
use crate::record::store::About;
use crate::transport::Transport;
use crate::vault::{KdfCost, Vault, setting};
use crate::{AlarmSetup, Baken, BakenError};

pub(crate) const STAGE: &str = "stage";
const INVITE: &str = "invite";
/// The directory as it was signed when this device was set up.
pub(crate) const DIRECTORY: &str = "directory";
pub(crate) const NAME: &str = "device_name";
pub(crate) const ACTIVATED_AT: &str = "activated_at";
const ENROLLED: &str = "enrolled_desks";
/// The longest name of a device, in characters.
const MAX_NAME_CHARS: usize = 64;

/// How far setting up has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Stage {
    /// Keys and circle are on disk; nobody knows of them.
    #[n(0)]
    Made,
    /// The relay knows the device.
    #[n(1)]
    Activated,
    /// The relay has the circle's log, and the alarm button works.
    #[n(2)]
    LogStored,
    /// Done.
    #[n(3)]
    Done,
    /// Another device of the account has brought this one in.
    #[n(4)]
    Paired,
    /// Brought in by the recovery code; not in the circle's log yet.
    #[n(5)]
    Recovering,
}

/// The parts of an invite that activation goes on needing. Its secret is a secret: it lies in the vault only.
#[derive(Encode, Decode)]
struct KeptInvite {
    #[n(0)]
    invite: InviteId,
    #[cbor(n(1), with = "minicbor::bytes")]
    token: [u8; 32],
}

impl Baken {
    /// Activates this device with an invite. Goes on where an earlier try was interrupted; the PIN is then that of the
    /// first try. Leaves the vault unlocked.
    ///
    /// # Errors
    /// [`BakenError::InviteInvalid`], [`BakenError::InviteRole`], [`BakenError::DirectoryInvalid`],
    /// [`BakenError::WrongRoot`], [`BakenError::AlreadyActivated`], [`BakenError::PinRefused`],
    /// [`BakenError::Refused`] when the relay knows the invite as used, expired or not at all, and those of unlocking.
    pub async fn activate(
        &self,
        transport: &dyn Transport,
        invite: &str,
        pin: &str,
        device_name: &str,
    ) -> Result<(), BakenError> {
        let unverified = Invite::from_text(invite).map_err(BakenError::InviteInvalid)?;
        if unverified.claims().role != InviteRole::OfficeHolder {
            return Err(BakenError::InviteRole);
        }
        let path = path_with(api::DIRECTORY, unverified.claims().org)?;
        let bytes = send_unsigned(transport, Method::GET, &path, Vec::new()).await?;
        let directory = Directory::verify(&bytes, unverified.claims().org).map_err(BakenError::DirectoryInvalid)?;
        let invite = unverified.verify(&directory.value().root).map_err(BakenError::InviteInvalid)?;
        check_tls_root(invite.value(), directory.value())?;

        if !self.is_activated() {
            self.make_device(&invite, &directory, pin, device_name)?;
        } else {
            if !self.is_unlocked() {
                self.unlock(pin)?;
            }
            self.take_other_invite(&invite, &directory)?;
        }
        self.finish_activation(transport).await
    }

    /// Makes keys, circle and first log records, all on disk before anybody is told.
    fn make_device(
        &self,
        invite: &Signed<Invite>,
        directory: &Signed<Directory>,
        pin: &str,
        device_name: &str,
    ) -> Result<(), BakenError> {
        let invite = invite.value();
        let mut device = self.context.with_rng(|rng| {
            let (keys, circle) = (DeviceKeys::make(rng), CircleId::make(rng));
            Device::make(invite.account, invite.org, circle, Some(invite.desk_key()), keys, rng)
        });
        let root = self.context.with_rng(|rng| SigningKey::make(rng));
        device.root = Some(root.clone());
        let vault = Vault::create(&self.home, &self.context, pin, KdfCost::STANDARD, |connection| {
            device::save(connection, &device)?;
            let founding = Founding {
                circle: device.circle,
                kind: CircleKind::Dossier,
                root: root.verify_key(),
                signer: &root,
                recovery: None,
            };
            self.context.with_rng(|rng| Circle::found(connection, founding, &device.keys, rng))?;
            save_setup(connection, Stage::Made, directory, device_name)?;
            keep_invite(connection, invite)
        })?;
        self.set_vault(UnlockedVault::load(vault)?);
        Ok(())
    }

    /// A device that the relay does not know yet can still be activated with another invite.
    fn take_other_invite(&self, invite: &Signed<Invite>, directory: &Signed<Directory>) -> Result<(), BakenError> {
        self.with_vault(|open| {
            match setting::required(&open.vault.connection, STAGE)? {
                Stage::Done => return Err(BakenError::AlreadyActivated),
                Stage::Activated | Stage::LogStored | Stage::Paired | Stage::Recovering => return Ok(()),
                Stage::Made => {}
            }
            let tx = open.vault.connection.transaction()?;
            let mut device = device::load(&tx)?;
            let invite = invite.value();
            (device.account, device.org, device.desk_key) = (invite.account, invite.org, Some(invite.desk_key()));
            device::save(&tx, &device)?;
            keep_invite(&tx, invite)?;
            setting::write(&tx, DIRECTORY, &ByteVec::from(directory.bytes().to_vec()))?;
            tx.commit()?;
            open.account = device.account;
            Ok(())
        })
    }

    /// Goes on with setting up from wherever it stands; nothing to do once it is done.
    pub(crate) async fn finish_activation(&self, transport: &dyn Transport) -> Result<(), BakenError> {
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        loop {
            // Every step leads to a later stage; the last is the end.
            let next = match self.stage()? {
                Stage::Made => {
                    self.activate_at_relay(&client, &keys).await?;
                    Stage::Activated
                }
                Stage::Activated => {
                    self.enrol_outbox()?;
                    self.post_log(&client).await?;
                    Stage::LogStored
                }
                Stage::Recovering => {
                    self.enrol_outbox()?;
                    self.recover_home(&client).await?;
                    Stage::LogStored
                }
                Stage::Paired => {
                    self.enrol_outbox()?;
                    Stage::LogStored
                }
                Stage::LogStored => {
                    self.enrol_at_desks(&client).await?;
                    // A device that waits to be let in writes its name then.
                    let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
                    if !self.may_write_in(home)? {
                        return Ok(());
                    }
                    self.name_device(&keys)?;
                    Stage::Done
                }
                Stage::Done => return Ok(()),
            };
            self.set_stage(next)?;
        }
    }

    async fn post_log(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        let (circle, records) = self.with_vault(|open| {
            let home = open.circles.home();
            Ok((home.id(), circle::records_from(&open.vault.connection, home.row(), 0)?))
        })?;
        let path = path_with(api::LOG, circle)?;
        for record in records {
            let key = idempotency_of(&path, &record);
            client.send(Method::POST, &path, record, key).await?;
        }
        Ok(())
    }

    async fn activate_at_relay(&self, client: &SignedClient<'_>, keys: &DeviceKeys) -> Result<(), BakenError> {
        let (invite, account) = self
            .with_vault(|open| Ok((setting::required::<KeptInvite>(&open.vault.connection, INVITE)?, open.account)))?;
        let activation = Activation {
            invite: invite.invite,
            token: invite.token,
            identity: ByteVec::from(keys.identity().bytes().to_vec()),
        };
        let body = cbor::to_vec(&activation);
        let key = idempotency_of(api::ACTIVATE, &body);
        let activated: Activated =
            client.ask(Method::POST, api::ACTIVATE, body, key, "the answer to an activation").await?;
        if activated.account != account {
            return Err(BakenError::NotTrustworthy { what: "it activated another account than the invite's" });
        }
        let now = self.context.now();
        self.with_vault(|open| {
            setting::write(&open.vault.connection, ACTIVATED_AT, &now)?;
            setting::remove(&open.vault.connection, INVITE)
        })
    }

    /// Gives the alarm outbox what it needs to work without a PIN from now on.
    pub(crate) fn enrol_outbox(&self) -> Result<(), BakenError> {
        match self.enrol_alarms(&self.alarm_setup()?) {
            // An alarm was pressed after an earlier try had got this far, or by the device this phone was before its
            // travel: see `Baken::move_outbox`.
            Err(BakenError::AlreadyActivated) => {}
            done => done?,
        }
        // From now on an incident can be noted with the vault locked.
        self.take_inbox()
    }

    /// What the alarm outbox is given of this device.
    pub(crate) fn alarm_setup(&self) -> Result<AlarmSetup, BakenError> {
        self.with_vault(|open| {
            let device = device::load(&open.vault.connection)?;
            let directory: ByteVec = setting::required(&open.vault.connection, DIRECTORY)?;
            Ok(AlarmSetup {
                device: device.keys.device,
                alarm_key: device.keys.alarm,
                account: device.account,
                org: device.org,
                directory: directory.to_vec(),
                card_key: device.card_key,
            })
        })
    }

    /// Proves to every desk of the directory whose device this is; each once.
    pub(crate) async fn enrol_at_desks(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        let directory = self.directory()?;
        let device = self.with_vault(|open| device::load(&open.vault.connection))?;
        let Some(desk_key) = &device.desk_key else { return Ok(()) };
        for desk in &directory.desks {
            let mut enrolled = self.enrolled_desks()?;
            if enrolled.contains(&desk.desk) {
                continue;
            }
            let enrolment =
                self.context.with_rng(|rng| Enrolment::make(&device.keys, desk, device.account, desk_key, rng))?;
            let body = enrolment.bytes().to_vec();
            let key = idempotency_of(api::ENROLMENTS, &body);
            client.send(Method::POST, api::ENROLMENTS, body, key).await?;
            enrolled.push(desk.desk);
            self.with_vault(|open| setting::write(&open.vault.connection, ENROLLED, &enrolled))?;
        }
        Ok(())
    }

    fn enrolled_desks(&self) -> Result<Vec<DeviceId>, BakenError> {
        self.with_vault(|open| Ok(setting::read(&open.vault.connection, ENROLLED)?.unwrap_or_default()))
    }

    /// Writes the device's name as a record, so that the circle's other devices can show it.
    fn name_device(&self, keys: &DeviceKeys) -> Result<(), BakenError> {
        let (home, name) = self.with_vault(|open| {
            Ok((open.circles.home().id(), setting::required::<String>(&open.vault.connection, NAME)?))
        })?;
        self.name_in(home, keys.device, &name)
    }

    /// Writes a device's name into a circle.
    pub(crate) fn name_in(&self, circle: CircleId, device: DeviceId, name: &str) -> Result<(), BakenError> {
        let kind = kind_named("device").ok_or(BakenError::UnknownKind)?;
        let field = kind.field_named("name").ok_or(BakenError::UnknownField)?;
        self.edit(circle, RecordId(device.0), kind.number, vec![(field.number, Value::Text(name.to_owned()))])
    }

    /// What this device is called.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn own_name(&self) -> Result<String, BakenError> {
        self.with_vault(|open| setting::required(&open.vault.connection, NAME))
    }

    /// Puts into the dossier what all of the account's devices hold in common, or takes it from there: the key by
    /// which desks know them.
    pub(crate) fn share_account(&self) -> Result<(), BakenError> {
        let kind = kind_named("account").ok_or(BakenError::UnknownKind)?;
        let field = kind.field_named("desk_key").ok_or(BakenError::UnknownField)?;
        let Some(account) = self.with_vault(|open| Ok(open.account()))? else { return Ok(()) };
        let (home, shared, own) = self.with_settled_about(About::kinds([kind.number]), |open| {
            let home = open.circles.home();
            let views = all_views(&open.vault.connection, home, Some(kind.number))?;
            let values = views.iter().flat_map(|view| &view.fields).flat_map(|field| &field.values);
            let mut shared = values.filter_map(|value| match &value.value {
                Value::Bytes(key) => SymmetricKey::from_slice(key),
                _ => None,
            });
            Ok((home.id(), shared.next_back(), device::load(&open.vault.connection)?.desk_key))
        })?;
        match (shared, own) {
            (None, Some(own)) if self.may_write_in(home)? => {
                let value = Value::Bytes(own.as_bytes().to_vec());
                self.edit(home, RecordId(account.0), kind.number, vec![(field.number, value)])
            }
            (Some(shared), None) => self.with_vault(|open| {
                let mut device = device::load(&open.vault.connection)?;
                device.desk_key = Some(shared);
                device::save(&open.vault.connection, &device)
            }),
            _ => Ok(()),
        }
    }

    fn stage(&self) -> Result<Stage, BakenError> {
        self.with_vault(|open| setting::required(&open.vault.connection, STAGE))
    }

    fn set_stage(&self, stage: Stage) -> Result<(), BakenError> {
        self.with_vault(|open| setting::write(&open.vault.connection, STAGE, &stage))
    }

    /// Whether setting up got to its end; otherwise [`Baken::sync`] goes on with it.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn is_set_up(&self) -> Result<bool, BakenError> {
        Ok(self.stage()? == Stage::Done)
    }

    /// When the account was activated, by this device's clock; `None` on a paired device.
    pub(crate) fn activated_at(&self) -> Result<Option<Timestamp>, BakenError> {
        self.with_vault(|open| setting::read(&open.vault.connection, ACTIVATED_AT))
    }
}

/// The relay that the directory vouches for must be the one the invite pins.
fn check_tls_root(invite: &Invite, directory: &Directory) -> Result<(), BakenError> {
    let is_named = |root: &ByteVec| invite.tls_root_sha256[..] == *Sha256::digest(&**root);
    if directory.relay.tls_roots.iter().any(is_named) { Ok(()) } else { Err(BakenError::WrongRoot) }
}

/// What a new vault starts with, whichever way the device came to its account.
pub(crate) fn save_setup(
    connection: &Connection,
    stage: Stage,
    directory: &Signed<Directory>,
    device_name: &str,
) -> Result<(), BakenError> {
    let name: String = device_name.chars().take(MAX_NAME_CHARS).collect();
    setting::write(connection, STAGE, &stage)?;
    setting::write(connection, DIRECTORY, &ByteVec::from(directory.bytes().to_vec()))?;
    setting::write(connection, NAME, &name)
}

fn keep_invite(connection: &Connection, invite: &Invite) -> Result<(), BakenError> {
    setting::write(connection, INVITE, &KeptInvite { invite: invite.invite, token: invite.relay_token() })
}
