//! Recovery: the code on paper, and what it brings back on a new phone. The formats are in
//! `baken_schemas::recovery`.
//!
//! The account's root lies on the device that founded the account until the code is printed, and from then on only at
//! the relay, sealed under the code. A recovered phone is a new device with counters of its own: it can add to what is
//! there, and cannot write over it. Until another device has confirmed what the relay gave, it says since when an older
//! state is possible.

use baken_schemas::api::{self, Activated, Recovery};
use baken_schemas::cbor;
use baken_schemas::circle::{Cut, MemberState, Operation};
use baken_schemas::crypto::KemSecret;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::CircleId;
use baken_schemas::org::Directory;
use baken_schemas::recovery::{RecoveryClaim, RecoveryCode, RecoveryContent, RecoverySheet, SealedRoot};
use baken_schemas::signed::Signed;
use http::Method;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::activation::{Stage, save_setup};
use crate::baken::UnlockedVault;
use crate::circle::{Circle, member_of};
use crate::client::{SignedClient, idempotency_of, path_with, send_unsigned};
use crate::device::{self, Device};
use crate::sync::rows;
use crate::transport::Transport;
use crate::vault::{KdfCost, Vault, check_pin_rules, setting};
use crate::{Baken, BakenError};

/// Since when an older state than the newest is possible: a [`baken_schemas::time::Timestamp`].
pub(crate) const RECOVERED_STATE: &str = "older_state_possible_since";
/// What a recovery still needs, until it is through.
const RECOVERING: &str = "recovering";

/// What is printed, once.
pub struct RecoveryPaper {
    /// The code. It is nowhere else.
    pub code: RecoveryCode,
    /// What lies beside it and is no secret.
    pub sheet: RecoverySheet,
}

impl std::fmt::Debug for RecoveryPaper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveryPaper").field("sheet", &self.sheet).finish_non_exhaustive()
    }
}

/// Which devices a recovery takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostDevices {
    /// None: another one is still in good hands.
    None,
    /// All there were.
    All,
}

/// Lies in the vault from the moment of recovering until every circle has taken the new device.
#[derive(Clone, Encode, Decode, Zeroize, ZeroizeOnDrop)]
struct Recovering {
    #[cbor(n(0), with = "minicbor::bytes")]
    root: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    kem: [u8; 32],
    #[n(2)]
    all_are_lost: bool,
}

impl Baken {
    /// Whether a code was printed for the account, as far as this device knows.
    fn has_recovery_code(&self) -> Result<bool, BakenError> {
        self.with_vault(|open| Ok(open.circles.home().membership().recovery().is_some()))
    }

    /// Makes a new recovery code for the account. `before` is the code that was printed before, where there is one: it
    /// is good for nothing afterwards.
    ///
    /// # Errors
    /// [`BakenError::WrongPin`], [`BakenError::NoRoot`] when a code was printed before and is not given,
    /// [`BakenError::RootElsewhere`] when none was and another device was activated,
    /// [`BakenError::RecoveryUnknown`] when that is not the newest one, and those of the network: nothing is printed
    /// then, and the same call can be made again.
    pub async fn print_recovery(
        &self,
        transport: &dyn Transport,
        pin: &str,
        before: Option<&RecoveryCode>,
    ) -> Result<RecoveryPaper, BakenError> {
        self.check_pin(pin)?;
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        let device = self.with_vault(|open| device::load(&open.vault.connection))?;
        let root = match (&device.root, before) {
            (Some(root), _) => root.clone(),
            (None, Some(before)) => fetch_root(transport, before, device.account).await?.root(),
            (None, None) if self.has_recovery_code()? => return Err(BakenError::NoRoot),
            (None, None) => return Err(BakenError::RootElsewhere),
        };
        let code = self.context.with_rng(|rng| RecoveryCode::make(rng));
        let content = RecoveryContent { root: *root.to_bytes(), circle: device.circle };
        let sealed = self.context.with_rng(|rng| code.seal_root(device.account, &content, rng));
        let sealed = Signed::make(sealed, &root);
        let kem = code.kem(device.account).public();
        for circle in self.circle_ids()? {
            let ours =
                self.with_vault(|open| Ok(open.circles.get(circle)?.membership().root() == root.verify_key()))?;
            if !ours {
                continue;
            }
            self.post_unposted(&client, circle).await?;
            self.append(&client, circle, |circle, keys| {
                let membership = circle.membership();
                let named = Operation::RecoveryKey { kem: kem.clone() };
                let due = membership.recovery() != Some(&kem);
                Ok(due.then(|| membership.next(keys.device, named, &root)))
            })
            .await?;
            self.do_duties(&client, circle).await?;
        }
        let key = idempotency_of(api::SEALED_ROOT, sealed.bytes());
        client.send(Method::PUT, api::SEALED_ROOT, sealed.bytes().to_vec(), key).await?;
        // From here on the code is the only way to the root.
        self.with_vault(|open| {
            let mut device = device::load(&open.vault.connection)?;
            device.root = None;
            device::save(&open.vault.connection, &device)
        })?;
        let address = self.relay_address()?;
        let sheet = RecoverySheet {
            org: device.org,
            relay_url: address.url,
            tls_root_sha256: address.tls_root_sha256,
            account: device.account,
        };
        Ok(RecoveryPaper { code, sheet })
    }

    /// Brings the account back on this phone. Goes on where an earlier try was interrupted, by [`Baken::sync`].
    ///
    /// # Errors
    /// [`BakenError::AlreadyActivated`], [`BakenError::RecoveryUnknown`], [`BakenError::DirectoryInvalid`],
    /// [`BakenError::NotTrustworthy`] when the relay's log is not this account's, and those of the network and disk.
    pub async fn recover(
        &self,
        transport: &dyn Transport,
        sheet: &RecoverySheet,
        code: &RecoveryCode,
        pin: &str,
        device_name: &str,
        lost: LostDevices,
    ) -> Result<(), BakenError> {
        if self.is_activated() {
            return Err(BakenError::AlreadyActivated);
        }
        check_pin_rules(pin)?;
        let content = fetch_root(transport, code, sheet.account).await?;
        let directory =
            send_unsigned(transport, Method::GET, &path_with(api::DIRECTORY, sheet.org)?, Vec::new()).await?;
        let directory = Directory::verify(&directory, sheet.org).map_err(BakenError::DirectoryInvalid)?;
        let keys = self.context.with_rng(|rng| DeviceKeys::make(rng));
        let identity = keys.identity();
        let claim = RecoveryClaim::make(sheet.account, content.circle, identity.value(), &content.root());
        let body = Recovery { identity: identity.bytes().to_vec().into(), claim: claim.bytes().to_vec().into() };
        let body = cbor::to_vec(&body);
        let key = idempotency_of(api::RECOVER, &body);
        let client = SignedClient::of_device(transport, &keys);
        let answer: Activated = client.ask(Method::POST, api::RECOVER, body, key, "the answer to a recovery").await?;
        if answer.account != sheet.account {
            return Err(BakenError::NotTrustworthy { what: "it recovered another account than the sheet's" });
        }
        let log = self.fetch_log(&client, content.circle).await?;
        let kem = code.kem(sheet.account);
        let recovering =
            Recovering { root: content.root, kem: *kem.as_bytes(), all_are_lost: lost == LostDevices::All };
        let vault = Vault::create(&self.home, &self.context, pin, KdfCost::STANDARD, |connection| {
            let device = self
                .context
                .with_rng(|rng| Device::make(sheet.account, sheet.org, content.circle, None, keys.clone(), rng));
            device::save(connection, &device)?;
            let circle = join(connection, content.circle, &log, &keys, &content)?;
            open_newest(connection, circle, &kem)?;
            setting::write(connection, RECOVERING, &recovering)?;
            save_setup(connection, Stage::Recovering, &directory, device_name)
        })?;
        self.set_vault(UnlockedVault::load(vault)?);
        self.finish_activation(transport).await
    }

    fn recovering(&self) -> Result<Option<Recovering>, BakenError> {
        self.with_vault(|open| setting::read(&open.vault.connection, RECOVERING))
    }

    /// Whether a recovery is not through yet.
    pub(crate) fn is_recovering(&self) -> Result<bool, BakenError> {
        Ok(self.recovering()?.is_some())
    }

    /// Reads the dossier with the code's key, then takes this device into its log.
    pub(crate) async fn recover_home(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        self.recover_circle(client, home).await?;
        // What there is of other circles says the dossier, which was read for it.
        self.join_own_circles(client).await?;
        self.with_vault(|open| setting::remove(&open.vault.connection, RECOVERING))
    }

    /// Takes this device into the log of a circle that it is not in, by the root; nothing to do without a recovery.
    pub(crate) async fn recover_circle(&self, client: &SignedClient<'_>, circle: CircleId) -> Result<(), BakenError> {
        let Some(recovering) = self.recovering()? else { return Ok(()) };
        if self.is_active_in(circle)? {
            return Ok(());
        }
        let kem = KemSecret::from_slice(&recovering.kem).ok_or(BakenError::VaultDamaged { part: "its recovery" })?;
        self.pull_log(client, circle).await?;
        self.with_vault(|open| {
            let opened = open_newest(&open.vault.connection, open.circles.get(circle)?.clone(), &kem)?;
            *open.circles.get_mut(circle)? = opened;
            Ok(())
        })?;
        // Everything there is, before anybody is taken out: where the writing of a lost device ends is what is here.
        self.read_all(client, circle).await?;
        let newest = self.with_vault(|open| {
            let circle = open.circles.get(circle)?;
            rows::newest_moment(&open.vault.connection, circle.row())
        })?;
        let root = baken_schemas::crypto::SigningKey::from_bytes(&recovering.root);
        self.append(client, circle, |circle, keys| {
            if circle.membership().is_active(keys.device) {
                return Ok(None);
            }
            let member = member_of(keys);
            let lost = if recovering.all_are_lost { self.lost_owners(circle)? } else { Vec::new() };
            let readers = circle.membership().recovered(&member, &lost)?;
            let epoch = self.context.with_rng(|rng| circle.epoch_for(&readers, rng))?;
            let operation = Operation::Recover { member, lost, epoch };
            Ok(Some(circle.membership().next(keys.device, operation, &root)))
        })
        .await?;
        self.with_vault(|open| {
            let before = setting::read(&open.vault.connection, RECOVERED_STATE)?;
            let since = before.unwrap_or(newest).max(newest);
            setting::write(&open.vault.connection, RECOVERED_STATE, &since)
        })
    }

    fn lost_owners(&self, circle: &Circle) -> Result<Vec<Cut>, BakenError> {
        self.with_vault(|open| {
            let membership = circle.membership();
            let owners = membership.members().filter(|(member, state)| {
                let is_in = !matches!(state, MemberState::Gone { .. });
                is_in && member.role == baken_schemas::circle::MemberRole::Owner
            });
            owners
                .map(|(member, _)| {
                    let slot = membership.slot(member.device).unwrap_or(u16::MAX);
                    let head = rows::head(&open.vault.connection, circle.row(), slot)?;
                    Ok(Cut { device: member.device, counter: head.map_or(0, |head| head.counter) })
                })
                .collect()
        })
    }
}

/// The account's root, from the relay's sealed copy.
async fn fetch_root(
    transport: &dyn Transport,
    code: &RecoveryCode,
    account: baken_schemas::id::AccountId,
) -> Result<RecoveryContent, BakenError> {
    let path = path_with(api::SEALED_ROOT_NAMED, code.name(account))?;
    let bytes = match send_unsigned(transport, Method::GET, &path, Vec::new()).await {
        Err(BakenError::Refused { status: 404, .. }) => return Err(BakenError::RecoveryUnknown),
        bytes => bytes?,
    };
    SealedRoot::open(&bytes, account, code)
        .map_err(|_| BakenError::NotTrustworthy { what: "it hands over another account's root for this code" })
}

/// Checks the dossier's log from its first record: it must be the root's that the code gave.
fn join(
    connection: &rusqlite::Connection,
    id: CircleId,
    log: &[Vec<u8>],
    keys: &DeviceKeys,
    content: &RecoveryContent,
) -> Result<Circle, BakenError> {
    let not_ours = || BakenError::NotTrustworthy { what: "its membership log is not this account's" };
    let (genesis, rest) = log.split_first().ok_or_else(not_ours)?;
    let mut circle = Circle::join(connection, id, genesis, keys).map_err(|_| not_ours())?;
    for record in rest {
        circle.apply(connection, record, keys).map_err(|_| not_ours())?;
    }
    if circle.membership().root() == content.root().verify_key() { Ok(circle) } else { Err(not_ours()) }
}

/// Opens the newest epoch with the code's key, and with it all before.
fn open_newest(connection: &rusqlite::Connection, mut circle: Circle, kem: &KemSecret) -> Result<Circle, BakenError> {
    let Some(epoch) = circle.newest_epoch(connection)? else { return Ok(circle) };
    if let Some(key) = epoch.open_recovery(circle.id(), kem)? {
        circle.take_epoch_key(connection, &epoch, key)?;
    }
    Ok(circle)
}
