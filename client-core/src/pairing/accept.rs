//! The old device's half: it scans the code inside Baken, takes the six digits and the PIN, adds the new device to a
//! circle, and leaves the grant. The new device gets the circle's keys by the log, once it is a member there.
//!
//! A further device of the person themself is in at once on the day of activation, if it is the first; later it waits
//! for a day, or until another device of theirs confirms it. A guest, who joins one circle, is in at once.

use baken_schemas::api;
use baken_schemas::circle::{Member, MemberRole, MemberState, Operation};
use baken_schemas::device::Identity;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::pairing::{Grant, Hello, MAX_WRONG_DIGITS, PairingCode};
use baken_schemas::time::Timestamp;
use http::Method;
use minicbor::bytes::ByteVec;

use crate::client::{SignedClient, idempotency_of, send_unsigned};
use crate::device;
use crate::pairing::{check_time, fresh_key, path};
use crate::sharing::Consent;
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError, activation};

/// How long after activation a device is added without a wait.
const ACTIVATION_DAY_MS: i64 = 24 * 60 * 60 * 1000;

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
    consent: Consent,
}

impl PairingAccept {
    /// The person said that whoever decided on the confidential measures in the circle lets the new device's holder know of
    /// them: see [`Baken::confidential_in`].
    pub fn let_confidential_be_read(&mut self) {
        self.consent = Consent::Given;
    }
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
    /// [`BakenError::PairingCodeInvalid`], [`BakenError::PairingBroken`] when the offer
    /// at the relay is not by the device that showed the code, [`BakenError::PairingExpired`] when there is none, and
    /// those of the network.
    pub async fn pair_accept(&self, transport: &dyn Transport, code: &str) -> Result<PairingAccept, BakenError> {
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
        Ok(PairingAccept {
            code,
            new,
            offer,
            hello,
            started: self.context.now(),
            wrong: 0,
            grant: None,
            consent: Consent::NotAsked,
        })
    }

    /// Adds the new device: the digits it shows, typed here, and this device's PIN.
    ///
    /// # Errors
    /// [`BakenError::PairingDigits`]; after three wrong ones the pairing is over. [`BakenError::WrongPin`],
    /// [`BakenError::PairingExpired`], [`BakenError::NotOwner`], [`BakenError::Confidential`] for a case that has
    /// confidential measures in it, and those of the network: then the same call can be made again.
    pub async fn pair_confirm(
        &self,
        accept: &mut PairingAccept,
        transport: &dyn Transport,
        digits: &str,
        pin: &str,
        into: PairInto,
    ) -> Result<Paired, BakenError> {
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

        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        let (circle, role, enrol) = match into {
            PairInto::Dossier => (home, MemberRole::Owner, api::DEVICES),
            PairInto::Circle { circle, role } if circle != home && role != MemberRole::Owner => {
                (circle, role, api::GUESTS)
            }
            PairInto::Circle { .. } => return Err(BakenError::NotOwner),
        };
        if circle != home {
            self.check_invite(circle, accept.consent)?;
        }
        self.post_unposted(&client, circle).await?;
        let offer = accept.offer.clone();
        let key = idempotency_of(enrol, &offer);
        client.send(Method::POST, enrol, offer, key).await?;
        let at_once = self.is_first_on_activation_day(circle)?;
        let new = &accept.new;
        let member = Member { device: new.device, sig: new.sig, kem: new.kem.clone(), role };
        self.append(&client, circle, |circle, keys| match circle.membership().state(member.device) {
            None => Ok(Some(circle.record(Operation::Add { member: member.clone() }, keys))),
            Some(MemberState::Proposed { .. }) if at_once => {
                Ok(Some(circle.record(Operation::Confirm { device: member.device }, keys)))
            }
            Some(_) => Ok(None),
        })
        .await?;
        if at_once {
            self.append(&client, circle, |circle, keys| match circle.membership().state(member.device) {
                Some(MemberState::Proposed { .. }) => {
                    Ok(Some(circle.record(Operation::Confirm { device: member.device }, keys)))
                }
                _ => Ok(None),
            })
            .await?;
        }
        self.do_duties(&client, circle).await?;
        let grant = match accept.grant.take() {
            Some(grant) => grant,
            None => {
                let grant = self.grant(circle, into)?;
                self.context.with_rng(|rng| accept.code.seal_grant(&accept.new.kem, &accept.hello, &grant, rng))?
            }
        };
        accept.grant = Some(grant.clone());
        let path = path(accept.code.rendezvous, "grant")?;
        let key = idempotency_of(&path, &grant);
        client.send(Method::PUT, &path, grant, key).await?;
        let notices = self.notices()?;
        let waits = notices.iter().find(|notice| notice.circle == circle && notice.device == accept.new.device);
        Ok(Paired { device: accept.new.device, is_in_at: waits.and_then(|notice| notice.takes_effect_at) })
    }

    /// Whether the next device is the first further one of the dossier, on the day of activation: nobody is there who
    /// could object, and the person has just proven who they are.
    fn is_first_on_activation_day(&self, circle: CircleId) -> Result<bool, BakenError> {
        let Some(activated) = self.activated_at()? else { return Ok(false) };
        let age = self.context.now().since_ms(activated);
        let alone = self.with_vault(|open| {
            let membership = open.circles.get(circle)?.membership();
            let is_in = membership.members().filter(|(_, state)| *state == MemberState::Active).count();
            Ok(is_in == 1 && !membership.has_other_owner(open.keys.device))
        })?;
        // An hour back is a clock that was corrected, more is none to rely on.
        Ok(alone && (-60 * 60 * 1000..ACTIVATION_DAY_MS).contains(&age))
    }

    fn grant(&self, circle: CircleId, into: PairInto) -> Result<Grant, BakenError> {
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
            Ok(Grant {
                account: (into == PairInto::Dossier).then_some(device.account),
                org: device.org,
                directory,
                circle,
                log_head: open.circles.get(circle)?.membership().head(),
            })
        })
    }
}

/// What a new device is let into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairInto {
    /// The dossier: a further device of the person themself.
    Dossier,
    /// One circle, as a guest without an account.
    Circle {
        /// The circle.
        circle: CircleId,
        /// [`MemberRole::Member`] or [`MemberRole::Viewer`].
        role: MemberRole,
    },
}

/// A device that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    /// The device.
    pub device: DeviceId,
    /// When it is let in unless somebody objects; `None` when it is in.
    pub is_in_at: Option<Timestamp>,
}
