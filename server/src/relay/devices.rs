//! Further devices of an account and its guests, brought in by one that is enrolled; and what every way of enrolling
//! shares.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::device::Identity;
use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::BySig;
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::store::Priority;

/// As what a device is enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// A device of the account, by invite or by another one.
    Own,
    /// A device of the account, by its recovery code.
    Recovered,
    /// An adviser's program, by its invite.
    Adviser,
    /// A device that joins circles of the account and stands for nobody's account.
    Guest,
}

impl As {
    /// The most devices of one account, ever. Whoever has the recovery code still finds room after a thief has used
    /// up the rest.
    fn limit(self) -> u32 {
        match self {
            Self::Own | Self::Adviser => 64,
            Self::Recovered => 128,
            Self::Guest => 256,
        }
    }
}

/// `POST /v0/devices`.
pub(super) async fn post(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request, As::Own).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// `POST /v0/guests`: the device of somebody who joins a circle of the caller's and has no account here, a partner or
/// an adviser. It syncs the circles it is in, pairs, and is heard when it calls for help. Nothing of the account is its.
pub(super) async fn post_guest(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request, As::Guest).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig, enrolled: As) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    let identity = Identity::verify(&request.body)?;
    if relay.is_taken(identity.value().device) {
        return Err(Refusal::DeviceTaken);
    }
    let now = relay.now();
    relay
        .once(request.write, Priority::Normal, move |db| {
            if enrol(db, (phone.org, phone.account), &identity, enrolled, now)? {
                let act = if enrolled == As::Guest { "guest_added" } else { "device_added" };
                audit::append_for(db, now, phone.device, act, &identity.value().device, "ok")?;
            }
            Ok(Done::nothing())
        })
        .await
}

/// Enrols a device; whether it is new. The same identity in the same account, as the same, is fine.
pub(super) fn enrol(
    db: &Connection,
    (org, account): (OrgId, AccountId),
    identity: &Signed<Identity>,
    enrolled: As,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let (device, guest) = (identity.value(), enrolled == As::Guest);
    let there = db
        .prepare_cached("SELECT account, sig, alarm, guest FROM device WHERE device = ?1")?
        .query_row([device.device.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    if let Some(there) = there {
        let same = there == (account.0, device.sig.0, device.alarm.0, guest);
        return if same { Ok(false) } else { Err(Refusal::DeviceTaken) };
    }
    let count: u32 = db
        .prepare_cached("SELECT count(*) FROM device WHERE account = ?1 AND guest = ?2")?
        .query_row(params![account.0, guest], |row| row.get(0))?;
    if count >= enrolled.limit() {
        return Err(Refusal::TooMany);
    }
    db.prepare_cached(
        "INSERT INTO device (device, org, account, identity, sig, alarm, guest, recovered, at, adviser)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        device.device.0,
        org.0.0,
        account.0,
        identity.bytes(),
        device.sig.0,
        device.alarm.0,
        guest,
        enrolled == As::Recovered,
        now.0,
        enrolled == As::Adviser
    ])?;
    Ok(true)
}
