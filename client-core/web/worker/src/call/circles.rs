//! Circles: who is in them, and what an owner does about it.

use baken_core::BakenError;
use baken_schemas::circle::{CircleKind, MemberState};
use baken_schemas::id::{CircleId, DeviceId};
use serde_json::{Value as Json, json};

use crate::arguments::Arguments;
use crate::phone::Phone;

/// Every circle with its members, what waits for a word, and who of the family is called.
pub(super) fn all(phone: &Phone) -> Result<Json, BakenError> {
    let baken = &phone.baken;
    Ok(json!({
        "circles": baken.circles()?,
        "notices": baken.notices()?,
        "family": baken.family_members()?,
        "places": baken.family_places()?,
    }))
}

/// Whether this device gets nothing new from a circle. A guest is not told why or by whom.
pub(super) fn is_out(own: Option<MemberState>) -> bool {
    matches!(own, Some(MemberState::Gone { .. } | MemberState::Leaving { .. } | MemberState::Frozen { .. }))
}

pub(super) fn found(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let name = with.text("name").trim();
    if name.is_empty() {
        return Err(BakenError::ValueRefused);
    }
    Ok(json!({ "circle": phone.baken.found_circle(CircleKind::Family, name)? }))
}

pub(super) fn circle(with: &Arguments) -> Result<CircleId, BakenError> {
    with.text("circle").parse().map_err(|_| BakenError::NoSuchCircle)
}

pub(super) fn device(with: &Arguments) -> Result<DeviceId, BakenError> {
    with.text("device").parse().map_err(|_| BakenError::NoSuchDevice)
}

/// Takes a device out, and does at once what the other circles need for it.
pub(super) async fn remove(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let relay = phone.relay()?;
    phone.baken.remove_device(&relay, circle(with)?, device(with)?, with.text("pin")).await?;
    settle(phone, &relay).await
}

/// Says no to a device that waits to be let in, or to a removal.
pub(super) async fn veto(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let relay = phone.relay()?;
    phone.baken.veto(&relay, circle(with)?, device(with)?).await?;
    settle(phone, &relay).await
}

/// Lets a device in at once that another device of this person proposed.
pub(super) async fn confirm(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let relay = phone.relay()?;
    phone.baken.confirm_device(&relay, circle(with)?, device(with)?, with.text("pin")).await?;
    settle(phone, &relay).await
}

/// What was done stands, whether or not the rest comes through now.
async fn settle(phone: &Phone, relay: &baken_core::transport::web::HttpTransport) -> Result<Json, BakenError> {
    let _ = phone.baken.sync(relay).await;
    phone.tell_records();
    Ok(json!({}))
}
