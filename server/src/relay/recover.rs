//! Coming back to an account with its recovery code: the root that the code opened signs for the new device. The relay
//! knows the root from the first record of the account's dossier and from nowhere else.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::api::{Activated, Recovery};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::Identity;
use baken_schemas::id::{AccountId, DeviceId};
use baken_schemas::org::OrgId;
use baken_schemas::recovery::RecoveryClaim;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;

use crate::audit;
use crate::relay::auth::ByNewDevice;
use crate::relay::devices::{As, enrol};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::{Relay, log};
use crate::store::{Priority, StoreError};

/// `POST /v0/recover`.
pub(super) async fn post(State(relay): State<Relay>, request: ByNewDevice) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByNewDevice) -> Result<Answer, Refusal> {
    let recovery: Recovery = cbor::from_slice(&request.body, "a recovery")?;
    let identity = Identity::verify(&recovery.identity)?;
    let write = request.verify(identity.value())?;
    if relay.is_taken(identity.value().device) {
        return Err(Refusal::DeviceTaken);
    }
    let unverified = Unverified::<RecoveryClaim>::parse(&recovery.claim)?;
    let account = unverified.claims().account;
    let now = relay.now();
    let checked = relay.store().read(|db| check(db, unverified, identity.value()));
    if matches!(checked, Err(Refusal::NotTheRoot)) {
        note_refused(relay, identity.value().device, account, now).await?;
    }
    let org = checked?;
    relay.once(write, Priority::Normal, move |db| store(db, (org, account), &identity, now)).await
}

/// Checks that the root of the account's dossier claims the account for this device; the account's organisation.
/// Nothing of it changes afterwards: neither who founded a circle nor its first record.
fn check(db: &Connection, unverified: Unverified<RecoveryClaim>, identity: &Identity) -> Result<OrgId, Refusal> {
    let RecoveryClaim { account, circle, device, fingerprint } = *unverified.claims();
    if log::dossier(db, account)? != Some(circle) || (device, fingerprint) != (identity.device, identity.fingerprint())
    {
        return Err(Refusal::NotTheRoot);
    }
    unverified.verify(&log::root_of(db, circle)?).map_err(|_| Refusal::NotTheRoot)?;
    let org = db
        .prepare_cached("SELECT org FROM device WHERE account = ?1 ORDER BY at, device LIMIT 1")?
        .query_row([account.0], |row| row.get(0))?;
    Ok(OrgId(Hash(org)))
}

/// A claim by another root is somebody at the door; whose door, the audit says.
async fn note_refused(relay: &Relay, device: DeviceId, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    if !relay.strangers().may_be_noted(now) {
        return Ok(());
    }
    let op = move |db: &Connection| audit::append_for(db, now, device, "account_recovered", &account, "not_the_root");
    relay.store().write::<_, StoreError>(Priority::Normal, op).await?;
    Ok(())
}

fn store(
    db: &Connection,
    (org, account): (OrgId, AccountId),
    identity: &Signed<Identity>,
    now: Timestamp,
) -> Result<Done, Refusal> {
    if enrol(db, (org, account), identity, As::Recovered, now)? {
        audit::append_for(db, now, identity.value().device, "account_recovered", &account, "ok")?;
    }
    Ok(Done { answer: cbor::to_vec(&Activated { account }), ..Done::default() })
}
