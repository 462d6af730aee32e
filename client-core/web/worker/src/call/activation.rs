//! From an invite to a device, the PIN, and where all stands.

use baken_core::BakenError;
use baken_schemas::edition::Audience;
use baken_schemas::org::Invite;
use serde_json::{Value as Json, json};

use super::{alarms, family};
use crate::arguments::Arguments;
use crate::phone::Phone;

/// Everything that a first screen shows, with the vault locked or not.
pub(super) fn state(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let baken = &phone.baken;
    if !baken.is_activated() {
        return Ok(json!({ "activated": false, "unlocked": false }));
    }
    let mut state = json!({ "activated": true, "unlocked": baken.is_unlocked() });
    // Broken off half-way, an activation has no outbox yet: it is gone on with by the same invite.
    let Ok(directory) = baken.directory() else {
        state["set_up"] = json!(false);
        return Ok(state);
    };
    let tests = baken.tests()?;
    state["set_up"] = json!(true);
    state["organisation"] = json!(directory.name);
    state["relay"] = json!(directory.relay.urls.first());
    state["operator_reads_alarms"] = json!(directory.relay.operator_reads_alarms);
    state["path"] = json!(baken.path()?);
    state["tests"] = json!({ "last_success": tests.last_success, "is_due": tests.is_due });
    state["alarms"] = alarms::all(phone, with)?;
    state["check_ins"] = json!(baken.check_ins()?);
    state["guest"] = json!(baken.reads_as() == Audience::Family);
    state["responds_as"] = json!(baken.responds_as()?);
    state["incoming"] = family::all_incoming(phone, with)?;
    if baken.is_unlocked() {
        let status = baken.status()?;
        state["name"] = json!(baken.own_name().unwrap_or_default());
        state["office"] = json!(baken.own_office()?);
        state["status"] = json!(status);
    }
    Ok(state)
}

pub(super) async fn activate(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let text = with.text("invite");
    let unverified = Invite::from_text(text).map_err(BakenError::InviteInvalid)?;
    let relay = phone.relay_at(&unverified.claims().relay_url)?;
    phone.baken.activate(&relay, text, with.text("pin"), with.text("name")).await?;
    begin(phone);
    Ok(json!({}))
}

pub(super) fn unlock(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.unlock(with.text("pin"))?;
    begin(phone);
    Ok(json!({}))
}

/// What runs beside the calls once there is an unlocked device.
pub(super) fn begin(phone: &Phone) {
    phone.follow_alarms();
    phone.follow_records();
}

pub(super) fn lock(phone: &Phone) -> Json {
    phone.baken.lock();
    json!({})
}

pub(super) fn change_pin(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.change_pin(with.text("pin"), with.text("new_pin"))?;
    Ok(json!({}))
}

pub(super) fn wipe(phone: &Phone) -> Result<Json, BakenError> {
    phone.baken.wipe()?;
    Ok(json!({}))
}
