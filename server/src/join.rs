//! Joining an organisation with an invite, like a phone: the invite's hash of the TLS root finds the relay, its hash of
//! the organisation's root finds the directory, and only then is the one-time secret used.

use baken_schemas::FormatError;
use baken_schemas::api::Activation;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::AccountId;
use baken_schemas::org::{Directory, Invite, InviteRole};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use crate::desk::run::idempotency_of;
use crate::relay_client::{Caller, RelayClient, RelayError, Trust};

/// Why an invite could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The text is no invite, or not signed by the organisation whose root it names.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The relay.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// It is for something else.
    #[error("this invite was made for something else: ask for one made with `--role {wanted}`")]
    OtherRole {
        /// What it had to be made with.
        wanted: &'static str,
    },
    /// It has expired.
    #[error("this invite has expired: ask the organisation for a new one")]
    Expired,
}

/// What joining brings.
#[derive(Debug)]
pub struct Joined {
    /// The account.
    pub account: AccountId,
    /// What desks know it by.
    pub desk_key: SymmetricKey,
    /// The organisation's directory.
    pub directory: Signed<Directory>,
}

/// Uses an invite of a role for a device with these keys. With the same keys it may be called again: the relay answers a
/// repeat alike.
///
/// # Errors
/// [`JoinError`].
pub async fn join(text: &str, role: InviteRole, keys: &DeviceKeys, now: Timestamp) -> Result<Joined, JoinError> {
    let unverified = Invite::from_text(text)?;
    let claims = unverified.claims().clone();
    let caller = Caller { device: keys.device, key: keys.sig.clone(), which: RequestKey::Sig };
    let trust = Trust::RootHash(claims.tls_root_sha256);
    let client = RelayClient::new(std::slice::from_ref(&claims.relay_url), &trust, Some(caller))?;
    let directory = client.directory(claims.org).await?;
    let invite = unverified.verify(&directory.value().root)?.into_value();
    if invite.role != role {
        return Err(JoinError::OtherRole { wanted: role.tag() });
    }
    if invite.expires_at <= now {
        return Err(JoinError::Expired);
    }
    let activation = Activation {
        invite: invite.invite,
        token: invite.relay_token(),
        identity: keys.identity().bytes().to_vec().into(),
    };
    let once = idempotency_of(Hash::of("baken/bridge-activation/v0", &[&invite.invite.0, &keys.device.0]));
    let activated = client.activate(&activation, once).await?;
    if activated.account != invite.account {
        return Err(FormatError::Rule { what: "an activation", rule: "the relay named another account" }.into());
    }
    Ok(Joined { account: invite.account, desk_key: invite.desk_key(), directory })
}
