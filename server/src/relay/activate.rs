//! Using an invite: the first device of an account. The invite's secret was split; what the relay sees is its own
//! half, so it cannot make a desk believe in a device of its own.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::api::{Activated, Activation};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::Identity;
use baken_schemas::id::{AccountId, DeviceId};
use baken_schemas::org::{InviteRegistration, InviteRole, OrgId};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use subtle::ConstantTimeEq as _;

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::ByNewDevice;
use crate::relay::devices::{As, enrol};
use crate::relay::dismissal;
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::store::{Priority, StoreError};

/// `POST /v0/activate`.
pub(super) async fn post(State(relay): State<Relay>, request: ByNewDevice) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByNewDevice) -> Result<Answer, Refusal> {
    let activation: Activation = cbor::from_slice(&request.body, "an activation")?;
    let identity = Identity::verify(&activation.identity)?;
    let write = request.verify(identity.value())?;
    if relay.is_taken(identity.value().device) {
        return Err(Refusal::DeviceTaken);
    }
    let now = relay.now();
    relay.once(write, Priority::Normal, move |db| store(db, &activation, &identity, now)).await
}

/// An invite as the organisation registered it.
struct Registered {
    org: OrgId,
    account: AccountId,
    expires_at: Timestamp,
    token_hash: Hash,
    used_by: Option<DeviceId>,
    enrolled: As,
}

fn registered(db: &Connection, activation: &Activation) -> Result<Option<Registered>, StoreError> {
    Ok(db
        .prepare_cached("SELECT org, account, expires_at, token_hash, used_by, role FROM invite WHERE invite = ?1")?
        .query_row([activation.invite.0], |row| {
            Ok(Registered {
                org: OrgId(Hash(row.get(0)?)),
                account: AccountId(row.get(1)?),
                expires_at: Timestamp(row.get(2)?),
                token_hash: Hash(row.get(3)?),
                used_by: row.get::<_, Option<[u8; 16]>>(4)?.map(DeviceId),
                enrolled: if row.get::<_, u8>(5)? == InviteRole::Adviser as u8 { As::Adviser } else { As::Own },
            })
        })
        .optional()?)
}

fn store(
    db: &Connection,
    activation: &Activation,
    identity: &Signed<Identity>,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let invite = registered(db, activation)?.ok_or(Refusal::InviteUnknown)?;
    let token = InviteRegistration::token_hash(&activation.token);
    if !bool::from(token.0.ct_eq(&invite.token_hash.0)) {
        return Err(Refusal::InviteUnknown);
    }
    if invite.enrolled == As::Adviser && dismissal::is_dismissed(db, invite.org, activation.invite)? {
        return Err(Refusal::Dismissed);
    }
    let device = identity.value().device;
    let answer = cbor::to_vec(&Activated { account: invite.account });
    match invite.used_by {
        // A repeat whose first answer was lost.
        Some(used_by) if used_by == device => {
            enrol(db, (invite.org, invite.account), identity, invite.enrolled, now)?;
            return Ok(Done { answer, ..Done::default() });
        }
        Some(_) => return Err(Refusal::InviteUsed),
        None if now > invite.expires_at => return Err(Refusal::InviteExpired),
        None => {}
    }
    enrol(db, (invite.org, invite.account), identity, invite.enrolled, now)?;
    db.prepare_cached("UPDATE invite SET used_by = ?2, used_at = ?3 WHERE invite = ?1")?.execute(params![
        activation.invite.0,
        device.0,
        now.0
    ])?;
    audit::append_for(db, now, device, "invite_used", &activation.invite, "ok")?;
    Ok(Done { answer, ..Done::default() })
}
