//! The old device's half: it scans the code inside Baken, takes the six digits and the PIN, adds the new device to the
//! circle under a fresh epoch, and leaves the grant.

use baken_schemas::api;
use baken_schemas::circle::{LogHead, Member, MemberRole};
use baken_schemas::device::Identity;
use baken_schemas::id::DeviceId;
use baken_schemas::pairing::{EpochKey, Grant, Hello, MAX_WRONG_DIGITS, PairingCode};
use baken_schemas::time::Timestamp;
use http::Method;
use minicbor::bytes::ByteVec;

use crate::circle::{self, Circle};
use crate::client::{SignedClient, idempotency_of, path_with, send_unsigned};
use crate::device;
use crate::pairing::{check_time, fresh_key, path};
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError, activation};

/// How long after activation a device is added without a wait.
const ACTIVATION_DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often a log record is made anew because another device's came first.
const MAX_LOG_TRIES: usize = 4;

/// A new device that this one has scanned.
pub struct PairingAccept {
    code: PairingCode,
    new: Identity,
    offer: Vec<u8>,
    hello: Vec<u8>,
    started: Timestamp,
    wrong: u32,
    /// Sealed once: a rendezvous takes one grant, and its answer may have got lost.
    grant: Option<Vec<u8>>,
}

impl std::fmt::Debug for PairingAccept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingAccept").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Baken {
    /// Takes the code that a new device shows, and tells that device who this one is.
    ///
    /// # Errors
    /// [`BakenError::PairingTooLate`], [`BakenError::PairingCodeInvalid`], [`BakenError::PairingBroken`] when the offer
    /// at the relay is not by the device that showed the code, [`BakenError::PairingExpired`] when there is none, and
    /// those of the network.
    pub async fn pair_accept(&self, transport: &dyn Transport, code: &str) -> Result<PairingAccept, BakenError> {
        self.check_activation_day()?;
        let code = PairingCode::from_text(code).map_err(BakenError::PairingCodeInvalid)?;
        let offer = match send_unsigned(transport, Method::GET, &path(code.rendezvous, "offer")?, Vec::new()).await {
            Err(BakenError::Refused { status: 404, .. }) => return Err(BakenError::PairingExpired),
            offer => offer?.to_vec(),
        };
        let new = code.check_offer(&offer).map_err(BakenError::PairingBroken)?;
        let keys = self.device_keys()?;
        let hello = Hello { identity: keys.identity().bytes().to_vec() };
        let hello = self.context.with_rng(|rng| code.seal_hello(&new.kem, &hello, rng))?;
        SignedClient::of_device(transport, &keys)
            .send(Method::PUT, &path(code.rendezvous, "hello")?, hello.clone(), fresh_key(&self.context))
            .await?;
        Ok(PairingAccept { code, new, offer, hello, started: self.context.now(), wrong: 0, grant: None })
    }

    /// Adds the new device: the digits it shows, typed here, and this device's PIN. Says the new device's id.
    ///
    /// # Errors
    /// [`BakenError::PairingDigits`]; after three wrong ones the pairing is over. [`BakenError::WrongPin`],
    /// [`BakenError::PairingExpired`], and those of the network: then the same call can be made again.
    pub async fn pair_confirm(
        &self,
        accept: &mut PairingAccept,
        transport: &dyn Transport,
        digits: &str,
        pin: &str,
    ) -> Result<DeviceId, BakenError> {
        check_time(&self.context, accept.started)?;
        if accept.wrong >= MAX_WRONG_DIGITS {
            return Err(BakenError::PairingDigits { left: 0 });
        }
        let typed: String = digits.chars().filter(|char| !char.is_whitespace()).collect();
        if typed != accept.code.digits(&accept.offer, &accept.hello) {
            accept.wrong = accept.wrong.saturating_add(1);
            return Err(BakenError::PairingDigits { left: MAX_WRONG_DIGITS.saturating_sub(accept.wrong) });
        }
        self.check_pin(pin)?;
        self.check_activation_day()?;

        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        let offer = accept.offer.clone();
        let key = idempotency_of(api::DEVICES, &offer);
        client.send(Method::POST, api::DEVICES, offer, key).await?;
        self.add_member(&client, &accept.new).await?;
        let grant = match accept.grant.take() {
            Some(grant) => grant,
            None => {
                let grant = self.grant()?;
                self.context.with_rng(|rng| accept.code.seal_grant(&accept.new.kem, &accept.hello, &grant, rng))?
            }
        };
        accept.grant = Some(grant.clone());
        let path = path(accept.code.rendezvous, "grant")?;
        let key = idempotency_of(&path, &grant);
        client.send(Method::PUT, &path, grant, key).await?;
        Ok(accept.new.device)
    }

    fn check_activation_day(&self) -> Result<(), BakenError> {
        let activated = self.activated_at()?.ok_or(BakenError::PairingTooLate)?;
        // An hour back is a clock that was corrected, more is none to rely on.
        let age = self.context.now().since_ms(activated);
        if (-60 * 60 * 1000..ACTIVATION_DAY_MS).contains(&age) { Ok(()) } else { Err(BakenError::PairingTooLate) }
    }

    /// Adds the device to the log, then starts an epoch that is wrapped to it too. What an interrupted try has done
    /// already is left as it is.
    async fn add_member(&self, client: &SignedClient<'_>, new: &Identity) -> Result<(), BakenError> {
        let member = Member { device: new.device, sig: new.sig, kem: new.kem.clone(), role: MemberRole::Owner };
        self.append(client, |circle, keys| {
            let is_member = circle.membership().member(member.device).is_some();
            Ok((!is_member).then(|| circle::add_record(circle, member.clone(), keys)))
        })
        .await?;
        self.append(client, |circle, keys| {
            if circle.is_newest_epoch_for(member.device) {
                return Ok(None);
            }
            let (epoch, _) = self.context.with_rng(|rng| circle.next_epoch(rng))?;
            Ok(Some(circle::epoch_record(circle, epoch, keys)))
        })
        .await
    }

    /// Appends a record to the log at the relay and here. Where another came first, it is made anew behind that.
    async fn append(
        &self,
        client: &SignedClient<'_>,
        make: impl Fn(&Circle, &baken_schemas::device::DeviceKeys) -> Result<Option<Vec<u8>>, BakenError>,
    ) -> Result<(), BakenError> {
        for _ in 0..MAX_LOG_TRIES {
            self.pull_log(client).await?;
            let (path, record) = self.with_vault(|open| {
                let path = path_with(api::LOG, open.circle.membership().circle())?;
                Ok((path, make(&open.circle, &open.keys)?))
            })?;
            let Some(record) = record else { return Ok(()) };
            let key = idempotency_of(&path, &record);
            match client.send(Method::POST, &path, record, key).await {
                Ok(_) => return self.pull_log(client).await,
                Err(BakenError::Refused { status: 409, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(BakenError::NotTrustworthy { what: "it never takes a membership record" })
    }

    fn grant(&self) -> Result<Grant, BakenError> {
        // The newest that this phone has taken, not the one it was set up with: a relay could take the new phone back
        // to that.
        let newest = match self.alarm_outbox() {
            Ok(outbox) => Some(outbox.directory_bytes()?),
            Err(BakenError::NotActivated) => None,
            Err(error) => return Err(error),
        };
        self.with_vault(|open| {
            let device = device::load(&open.vault.connection)?;
            let directory = match &newest {
                Some(newest) => newest.clone(),
                None => setting::required::<ByteVec>(&open.vault.connection, activation::DIRECTORY)?.to_vec(),
            };
            let head: LogHead = open.circle.membership().head();
            Ok(Grant {
                account: device.account,
                org: device.org,
                directory,
                desk_key: *device.desk_key.as_bytes(),
                circle: device.circle,
                log_head: head,
                epochs: open
                    .circle
                    .epoch_keys()
                    .iter()
                    .map(|(epoch, key)| EpochKey { epoch: *epoch, key: *key.as_bytes() })
                    .collect(),
            })
        })
    }
}
