//! Calling for help, and what has become of it. Nothing here needs a PIN but taking an alarm back.

use baken_core::BakenError;
use baken_core::alarm::{AlarmView, Call};
use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, Position};
use serde_json::{Value as Json, json};

use crate::arguments::Arguments;
use crate::phone::{Phone, now};

/// The most alarms that a screen lists.
const LISTED: usize = 50;

pub(super) fn press(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let kind = match with.text("kind") {
        "silent" => AlarmKind::Silent,
        "medical" => AlarmKind::Medical,
        "test" => AlarmKind::Test,
        _ => AlarmKind::Panic,
    };
    let call = Call {
        kind,
        fix: fix(with),
        battery_percent: battery(with),
        text: with.text("text").to_owned(),
        countdown_s: 0,
    };
    let alarm = phone.baken.press(&call)?;
    phone.follow_alarms();
    Ok(json!({ "alarm": alarm }))
}

/// Where the sender is, as the page knows it: a worker cannot ask.
pub(super) fn fix(with: &Arguments) -> Fix {
    let position = || {
        let given = with.0.get("position")?;
        let degrees = |name: &str| {
            let degrees = given.get(name)?.as_f64()?;
            #[allow(clippy::cast_possible_truncation, reason = "within ±180·10⁷ it fits an i32")]
            (degrees.abs() <= 180.0).then_some((degrees * 1e7).round() as i32)
        };
        let whole = |name: &str| u32::try_from(given.get(name)?.as_i64()?).ok();
        Some(Position {
            latitude_e7: degrees("latitude")?,
            longitude_e7: degrees("longitude")?,
            accuracy_m: whole("accuracy_m").and_then(|accuracy| accuracy.try_into().ok())?,
            age_s: whole("age_s").and_then(|age| age.try_into().ok())?,
        })
    };
    position().map_or(Fix::Absent(FixAbsent::NoReceiver), Fix::At)
}

pub(super) fn battery(with: &Arguments) -> Option<u8> {
    with.number("battery").and_then(|percent| u8::try_from(percent).ok()).filter(|percent| *percent <= 100)
}

pub(super) fn locate(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.update_alarm(with.alarm()?, fix(with), battery(with), with.text("text"))?;
    Ok(json!({}))
}

pub(super) fn withdraw(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.withdraw_alarm(with.alarm()?, with.text("pin"))?;
    Ok(json!({}))
}

pub(super) fn one(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    Ok(described(&phone.baken.alarm(with.alarm()?)?, with))
}

pub(super) fn all(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    Ok(phone.baken.alarms()?.iter().take(LISTED).map(|alarm| described(alarm, with)).collect())
}

/// The core's view, and its own words for how far it has got.
fn described(alarm: &AlarmView, with: &Arguments) -> Json {
    let language = with.language();
    let mut told = json!(alarm);
    told["words"] = json!(alarm.words(language));
    if let Some(receipts) = told["receipts"].as_array_mut() {
        for (told, receipt) in receipts.iter_mut().zip(&alarm.receipts) {
            told["words"] = json!(receipt.words(language));
        }
    }
    told
}

/// The network is back: what waits is tried now.
pub(super) fn hurry(phone: &Phone) -> Result<Json, BakenError> {
    phone.baken.alarm_outbox()?.hurry();
    Ok(json!({ "at": now() }))
}

pub(super) fn probe(phone: &Phone) -> Result<Json, BakenError> {
    phone.baken.probe()?;
    phone.baken.alarm_outbox()?.hurry();
    Ok(json!({}))
}
