//! The family: its page, who is called in an alarm, and alarms of others on a family member's device.

use baken_core::BakenError;
use baken_core::alarm::IncomingView;
use baken_schemas::circle::CircleKind;
use serde_json::{Value as Json, json};

use super::circles;
use crate::arguments::Arguments;
use crate::phone::Phone;
use crate::values;

/// The most alarms of others that a screen lists.
const LISTED: usize = 20;

/// What the family sees; on a guest's device all there is.
pub(super) fn page(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let page = phone.baken.family_page(with.language())?;
    let own = phone.baken.circles()?.into_iter().find(|circle| circle.kind == CircleKind::Family);
    let records = |records: &[_]| -> Json { records.iter().map(values::record).collect() };
    Ok(json!({
        "circle": page.circle,
        "name": page.name,
        "is_out": circles::is_out(own.as_ref().and_then(|circle| circle.own)),
        "safety_number": own.map(|circle| circle.safety_number),
        "plans": records(&page.plans),
        "contacts": records(&page.contacts),
        "notes": records(&page.notes),
        "public_contacts": page.public_contacts,
        "chapters": page.chapters,
        "children": page.children,
        "cards": page.cards,
    }))
}

/// The holder of this device agrees to be called in alarms of the person whose circle it is in.
pub(super) fn agree(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.agree_to_be_called(with.text("pin"), with.text("name").trim())?;
    phone.follow_alarms();
    Ok(json!({}))
}

pub(super) fn stop_agreeing(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.stop_being_called(with.text("pin"))?;
    Ok(json!({}))
}

pub(super) fn choose(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.call_family(with.text("pin"), circles::device(with)?)?;
    Ok(json!({}))
}

pub(super) fn choose_not(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.stop_calling_family(with.text("pin"), circles::device(with)?)?;
    Ok(json!({}))
}

/// Alarms that this device was called in, the newest first.
pub(super) fn all_incoming(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let alarms = phone.baken.incoming_alarms()?;
    Ok(alarms.iter().take(LISTED).map(|alarm| described(alarm, with)).collect())
}

pub(super) fn incoming(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    Ok(described(&phone.baken.incoming_alarm(with.alarm()?)?, with))
}

pub(super) fn acknowledge(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.acknowledge_alarm(with.alarm()?)?;
    phone.follow_alarms();
    Ok(json!({}))
}

/// Sends an alarm on to whoever stands higher on its ladder.
pub(super) fn escalate(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.escalate_alarm(with.alarm()?, with.text("text"))?;
    phone.follow_alarms();
    Ok(json!({}))
}

/// The core's view, and its own words for what others have said.
fn described(alarm: &IncomingView, with: &Arguments) -> Json {
    let language = with.language();
    let mut told = json!(alarm);
    if let Some(said) = told["said"].as_array_mut() {
        for (told, receipt) in said.iter_mut().zip(&alarm.said) {
            told["words"] = json!(receipt.words(language));
        }
    }
    told
}
