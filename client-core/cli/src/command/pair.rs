//! `baken pair`: a second device, both in one room; `baken circle invite` does the same for a guest. Each side prints
//! its steps as they happen, so that a program can play both.

use baken_core::BakenError;
use baken_core::circle::NoticeKind;
use baken_core::pairing::{PairInto, RelayAddress};
use baken_core::transport::http::{Dates, HttpTransport, Trust};
use baken_schemas::circle::{CircleKind, MemberRole, MemberState};
use baken_schemas::time::Timestamp;
use serde_json::json;

use super::circle::{circle_name, find_circle};
use super::share::ask_consent;
use super::{prompt, qr, read_stdin, short};
use crate::args::{Arguments, PairCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub async fn run(arguments: &Arguments, command: &PairCommand, out: &Output) -> Result<End, Failure> {
    match command {
        PairCommand::Relay => relay(arguments, out),
        PairCommand::Show { relay, name } => show(arguments, relay, name, out).await,
        PairCommand::Accept { code } => accept(arguments, code, None, false, out).await,
    }
}

fn relay(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let address = Phone::open(arguments)?.baken.relay_address()?.to_text();
    out.json(&json!({"relay": address}));
    out.line(text::PAIR_RELAY.of(out.language));
    out.line(address);
    Ok(End::Done)
}

async fn show(arguments: &Arguments, relay: &str, name: &str, out: &Output) -> Result<End, Failure> {
    let address = RelayAddress::from_text(relay).map_err(|_| Failure::Input("relay_text"))?;
    let phone = Phone::open(arguments)?;
    if phone.baken.is_activated() {
        return Err(BakenError::AlreadyActivated.into());
    }
    let pin = phone.new_pin(out)?;
    let relay = HttpTransport::new(&address.url, Trust::Pinned(address.tls_root_sha256), Dates::Checked, clock())?;
    join(&phone, &relay, &pin, name, out).await?;
    // What was written before; the device is paired whether or not it comes now.
    Ok(super::sync::tell(phone.baken.sync(&relay).await?, &phone.baken, out)?)
}

/// The new device's side of pairing: shows the code and the digits, and joins.
pub async fn join(phone: &Phone, relay: &HttpTransport, pin: &str, name: &str, out: &Output) -> Result<(), Failure> {
    let mut start = phone.baken.pair_start(relay, pin, name).await?;
    let code = start.code_text();
    out.json(&json!({"step": "code", "text": code}));
    qr(&code, out);
    out.line(text::PAIR_SCAN.of(out.language));
    out.line(&code);

    let digits = phone.baken.pair_digits(&mut start, relay).await?;
    out.json(&json!({"step": "digits", "digits": digits}));
    out.line(text::PAIR_DIGITS.with(out.language, &[&out.paint(Colour::Green, &digits)]));

    phone.baken.pair_join(&start, relay).await?;
    let status = phone.baken.status()?;
    let own = status.notices.iter().find(|notice| notice.this && notice.kind == NoticeKind::Proposed);
    let waits_until = own.and_then(|notice| notice.takes_effect_at);
    out.json(&json!({
        "step": "paired",
        "device": status.device,
        "account": status.account,
        "waits": own.is_some(),
        "waits_until": waits_until,
    }));
    out.line(out.paint(Colour::Green, text::PAIR_PAIRED.of(out.language)));
    if own.is_some() {
        let until = waits_until.map_or_else(String::new, Timestamp::to_rfc3339);
        out.line(out.paint(Colour::Yellow, &text::PAIR_THIS_WAITS.with(out.language, &[&until])));
        out.line(text::PAIR_OTHERS_CAN.with(out.language, &[&short(status.device)]));
    }
    Ok(())
}

/// Lets a new device in: into the dossier as one's own, or into a circle as a guest with this role.
pub async fn accept(
    arguments: &Arguments,
    code: &str,
    guest: Option<(&str, MemberRole)>,
    with_confidential: bool,
    out: &Output,
) -> Result<End, Failure> {
    let code = if code == "-" { read_stdin(true)? } else { code.to_owned() };
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let circles = phone.baken.circles()?;
    let circle = find_circle(&circles, guest.map_or("dossier", |(circle, _)| circle))?;
    let into = match guest {
        None => PairInto::Dossier,
        Some(_) if circle.kind == CircleKind::Dossier => return Err(Failure::Input("invite_dossier")),
        Some((_, role)) => PairInto::Circle { circle: circle.circle, role },
    };
    let relay = phone.relay(Dates::Checked)?;
    let confidential = if guest.is_some() { phone.baken.confidential_in(circle.circle)? } else { Vec::new() };
    if !confidential.is_empty() {
        let count = confidential.len().to_string();
        out.line(text::sharing::INVITE_CONFIDENTIAL.with(out.language, &[&count]));
        ask_consent(&phone.baken, with_confidential, out)?;
    }
    let mut accept = phone.baken.pair_accept(&relay, &code).await?;
    if !confidential.is_empty() {
        accept.let_confidential_be_read();
    }
    out.json(&json!({"step": "type_digits"}));
    let paired = loop {
        prompt(text::PAIR_TYPE.of(out.language), out)?;
        let digits = read_stdin(true)?;
        match phone.baken.pair_confirm(&mut accept, &relay, &digits, &pin, into).await {
            Ok(paired) => break paired,
            // Nothing typed is the end of the input, not a wrong try.
            Err(error @ BakenError::PairingDigits { left: 1.. }) if !digits.is_empty() => {
                out.json(&json!({"step": "wrong_digits"}));
                out.line(out.paint(Colour::Yellow, &text::core_message(&error, out.language)));
            }
            Err(error) => return Err(error.into()),
        }
    };
    out.json(&json!({
        "step": "paired",
        "circle": circle.circle,
        "device": paired.device,
        "waits_until": paired.is_in_at,
    }));
    let lang = out.language;
    let said = match guest {
        None => text::PAIR_PAIRED.of(lang).to_owned(),
        Some(_) => text::GUEST_IN.with(lang, &[&circle_name(circle, lang)]),
    };
    out.line(out.paint(Colour::Green, &said));
    if let Some(until) = paired.is_in_at {
        out.line(out.paint(Colour::Yellow, &text::PAIR_IT_WAITS.with(lang, &[&until.to_rfc3339()])));
        out.line(text::PAIR_OTHERS_CAN.with(lang, &[&short(paired.device)]));
        let active = circle.members.iter().filter(|member| member.state == MemberState::Active);
        if active.count() <= 1 {
            out.line(text::PAIR_NOBODY_OBJECTS.of(lang));
        }
    }
    Ok(End::Done)
}
