//! `baken card`: what responders are shown together with an alarm.

use baken_core::transport::http::Dates;
use serde_json::json;

use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::Phone;
use crate::text;

pub fn show(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let card = Phone::unlocked(arguments, out)?.baken.card()?;
    out.json(&json!({"card": card}));
    let lines = [
        ("name", &card.name),
        ("office", &card.office),
        ("phone", &card.phone),
        ("home_address", &card.home_address),
        ("car", &card.car),
        ("household", &card.household),
        ("medical", &card.medical),
        ("code_word", &card.code_word),
    ];
    for (name, value) in lines.into_iter().chain(card.contacts.iter().map(|contact| ("contact", contact))) {
        if !value.is_empty() {
            out.line(format!("{name:<14} {value}"));
        }
    }
    Ok(End::Done)
}

pub async fn publish(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    phone.baken.update_card(&phone.relay(Dates::Checked)?).await?;
    out.json(&json!({"published": true}));
    out.line(text::CARD_PUBLISHED.of(out.language));
    Ok(End::Done)
}
