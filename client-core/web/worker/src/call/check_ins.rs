//! Check-ins: an alarm handed in beforehand, which only a PIN moves or settles.

use baken_core::BakenError;
use baken_core::checkin::NewCheckIn;
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::alarms::{battery, fix};
use crate::arguments::Arguments;
use crate::phone::Phone;

fn due_at(with: &Arguments) -> Result<Timestamp, BakenError> {
    with.number("due_at").map(Timestamp).ok_or(BakenError::CheckInTime)
}

pub(super) fn start(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let seconds = |name: &str| with.number(name).and_then(|seconds| u32::try_from(seconds).ok());
    let new = NewCheckIn {
        due_at: due_at(with)?,
        grace_s: seconds("grace_s").unwrap_or_default(),
        // A browser stops a page that is not looked at: its silence says nothing.
        silent_after_s: None,
        text: with.text("text").to_owned(),
        fix: fix(with),
        battery_percent: battery(with),
    };
    let check_in = phone.baken.start_check_in(with.text("pin"), &new)?;
    phone.follow_alarms();
    Ok(json!({ "check_in": check_in }))
}

pub(super) fn extend(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.extend_check_in(with.text("pin"), with.alarm()?, due_at(with)?)?;
    Ok(json!({}))
}

pub(super) fn settle(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.settle_check_in(with.text("pin"), with.alarm()?)?;
    Ok(json!({}))
}
