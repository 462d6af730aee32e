//! An adviser is dismissed by the organisation's root: from the next request on, the plan and readiness are not for that
//! device. Nothing else changes for it; an alarm above all is taken as ever.
//!
//! It holds for good, so a repeat changes nothing. Only advisers: what names another's invite is refused.

use baken_schemas::FormatError;
use baken_schemas::id::{DeviceId, InviteId};
use baken_schemas::org::{Dismissal, InviteRole, OrgId};
use baken_schemas::signed::{Document as _, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::org_documents::root_of;
use crate::relay::problem::Refusal;
use crate::store::{Priority, StoreError};

/// Takes what the root signed.
pub(super) async fn take(relay: &Relay, body: &[u8]) -> Result<(), Refusal> {
    let unverified = Unverified::<Dismissal>::parse(body)?;
    let root = root_of(relay, unverified.claims().org)?;
    let dismissal = unverified.verify(&root)?.into_value();
    let (now, by) = (relay.now(), relay.keys().device);
    relay.store().write(Priority::Normal, move |db| store(db, dismissal, by, now)).await
}

/// `relay` signs for what the root did in the audit, as for a directory: a root is no device.
fn store(db: &Connection, dismissal: Dismissal, relay: DeviceId, now: Timestamp) -> Result<(), Refusal> {
    let Dismissal { org, invite } = dismissal;
    let there: Option<(u8, Option<[u8; 16]>)> = db
        .prepare_cached("SELECT role, used_by FROM invite WHERE invite = ?1 AND org = ?2")?
        .query_row(params![invite.0, org.0.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if there.is_some_and(|(role, _)| role != InviteRole::Adviser as u8) {
        return Err(FormatError::Rule { what: Dismissal::LABEL, rule: "only an adviser can be dismissed" }.into());
    }
    let is_new = db
        .prepare_cached("INSERT INTO dismissal (org, invite, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute(params![org.0.0, invite.0, now.0])?;
    if is_new == 0 {
        return Ok(());
    }
    if let Some((_, Some(device))) = there {
        db.prepare_cached("UPDATE device SET adviser = 2 WHERE device = ?1")?.execute([device])?;
    }
    audit::append_for(db, now, relay, "adviser_dismissed", &invite, "ok")?;
    Ok(())
}

/// Whether who came by an invite was dismissed.
pub(super) fn is_dismissed(db: &Connection, org: OrgId, invite: InviteId) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM dismissal WHERE org = ?1 AND invite = ?2)")?
        .query_row(params![org.0.0, invite.0], |row| row.get(0))?)
}
