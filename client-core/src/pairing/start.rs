//! The new device's half: it shows a code and six digits, waits for the grant, and becomes a device of the account.

use baken_schemas::api;
use baken_schemas::circle::Member;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::Directory;
use baken_schemas::pairing::{Grant, PairingCode};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use http::Method;
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::activation::{Stage, save_setup};
use crate::baken::UnlockedVault;
use crate::circle::{self, Circle, member_of};
use crate::client::{SignedClient, path_with, send_unsigned};
use crate::device::{self, Device};
use crate::pairing::{check_time, path, wait_for};
use crate::transport::Transport;
use crate::vault::{KdfCost, Vault, check_pin_rules};
use crate::{Baken, BakenError};

/// A new device on its way into an account.
pub struct PairingStart {
    keys: DeviceKeys,
    code: PairingCode,
    offer: Vec<u8>,
    hello: Option<Bytes>,
    started: Timestamp,
    pin: Zeroizing<String>,
    name: String,
}

impl std::fmt::Debug for PairingStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingStart").field("code", &self.code).finish_non_exhaustive()
    }
}

impl PairingStart {
    /// The text to show as QR code, for the old device alone: it holds the secret.
    pub fn code_text(&self) -> String {
        self.code.to_text()
    }
}

impl Baken {
    /// Starts pairing on a new device: makes its keys and leaves the offer at the relay. The PIN will be that of the
    /// new vault. Nothing is written to disk yet. A phone that travels comes back so, and keeps its PIN.
    ///
    /// # Errors
    /// [`BakenError::AlreadyActivated`], [`BakenError::PinRefused`], those of the PIN, and those of the network.
    pub async fn pair_start(
        &self,
        transport: &dyn Transport,
        pin: &str,
        device_name: &str,
    ) -> Result<PairingStart, BakenError> {
        if self.is_activated() {
            if !self.is_travelling() {
                return Err(BakenError::AlreadyActivated);
            }
            self.check_pin(pin)?;
        }
        check_pin_rules(pin)?;
        let keys = self.context.with_rng(|rng| DeviceKeys::make(rng));
        let identity = keys.identity();
        let code = self.context.with_rng(|rng| PairingCode::make(identity.value(), rng));
        let offer = identity.bytes().to_vec();
        send_unsigned(transport, Method::PUT, &path(code.rendezvous, "offer")?, offer.clone()).await?;
        Ok(PairingStart {
            keys,
            code,
            offer,
            hello: None,
            started: self.context.now(),
            pin: Zeroizing::new(pin.to_owned()),
            name: device_name.to_owned(),
        })
    }

    /// Waits for the old device to scan the code: the six digits to read out to the user there.
    ///
    /// # Errors
    /// [`BakenError::PairingExpired`], [`BakenError::PairingBroken`], and those of the network.
    pub async fn pair_digits(&self, start: &mut PairingStart, transport: &dyn Transport) -> Result<String, BakenError> {
        let path = path(start.code.rendezvous, "hello")?;
        let hello = wait_for(&self.context, transport, start.started, &path).await?;
        start.code.open_hello(&start.keys.kem, &hello).map_err(BakenError::PairingBroken)?;
        let digits = start.code.digits(&start.offer, &hello);
        start.hello = Some(hello);
        Ok(digits)
    }

    /// Waits for the grant and becomes a device of the account: its vault is made, unlocked, and set up.
    ///
    /// # Errors
    /// [`BakenError::PairingExpired`] (also before [`Self::pair_digits`]), [`BakenError::PairingBroken`],
    /// [`BakenError::NotTrustworthy`] when the relay's log is not the one granted, and those of the network and disk.
    pub async fn pair_join(&self, start: &PairingStart, transport: &dyn Transport) -> Result<(), BakenError> {
        check_time(&self.context, start.started)?;
        let hello = start.hello.as_ref().ok_or(BakenError::PairingExpired)?;
        let grant_path = path(start.code.rendezvous, "grant")?;
        let bytes = wait_for(&self.context, transport, start.started, &grant_path).await?;
        let grant = start.code.open_grant(&start.keys.kem, hello, &bytes).map_err(BakenError::PairingBroken)?;
        if self.is_travelling() {
            self.keep_return(&grant, &start.keys, &start.name)?;
            return match self.come_back(transport).await {
                Ok(()) => self.finish_activation(transport).await,
                // Not let in yet: a later sync brings it back.
                Err(BakenError::Travelling) => Ok(()),
                Err(error) => Err(error),
            };
        }
        let directory = self.newest_directory(transport, &grant).await?;
        let client = SignedClient::of_device(transport, &start.keys);
        let log = self.fetch_log(&client, grant.circle).await?;

        let vault = Vault::create(&self.home, &self.context, &start.pin, KdfCost::STANDARD, |connection| {
            let account = grant.account.unwrap_or(device::GUEST);
            let device = self
                .context
                .with_rng(|rng| Device::make(account, grant.org, grant.circle, None, start.keys.clone(), rng));
            device::save(connection, &device)?;
            let circle = join_circle(connection, &grant, &log, &start.keys)?;
            circle::observe(connection, &circle, self.context.now())?;
            save_setup(connection, Stage::Paired, &directory, &start.name)
        })?;
        self.set_vault(UnlockedVault::load(vault)?);
        self.finish_activation(transport).await
    }

    /// The granted directory, or the relay's if that is newer and signed by the same root.
    pub(crate) async fn newest_directory(
        &self,
        transport: &dyn Transport,
        grant: &Grant,
    ) -> Result<Signed<Directory>, BakenError> {
        let granted = Directory::verify(&grant.directory, grant.org).map_err(BakenError::DirectoryInvalid)?;
        let path = path_with(api::DIRECTORY, grant.org)?;
        let newest = send_unsigned(transport, Method::GET, &path, Vec::new()).await?;
        let newest = Directory::verify(&newest, grant.org).map_err(BakenError::DirectoryInvalid)?;
        Ok(if newest.value().version > granted.value().version { newest } else { granted })
    }
}

/// Checks the log from its first record, that it passes through the granted head, and that this device is in it.
pub(crate) fn join_circle(
    connection: &Connection,
    grant: &Grant,
    log: &[Vec<u8>],
    keys: &DeviceKeys,
) -> Result<Circle, BakenError> {
    let not_granted = || BakenError::NotTrustworthy { what: "its membership log is not the one your device granted" };
    let (genesis, rest) = log.split_first().ok_or_else(not_granted)?;
    let mut circle = Circle::join(connection, grant.circle, genesis, keys).map_err(|_| not_granted())?;
    let mut passed = circle.membership().head() == grant.log_head;
    for record in rest {
        circle.apply(connection, record, keys).map_err(|_| not_granted())?;
        passed |= circle.membership().head() == grant.log_head;
    }
    let own = member_of(keys);
    let is_in = |member: &Member| (member.sig, &member.kem) == (own.sig, &own.kem);
    if passed && circle.membership().member(keys.device).is_some_and(is_in) { Ok(circle) } else { Err(not_granted()) }
}
