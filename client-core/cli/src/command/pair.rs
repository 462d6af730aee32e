//! `baken pair`: a second device, both in one room. Each side prints its steps as they happen, so that a program can
//! play both.

use baken_core::BakenError;
use baken_core::pairing::RelayAddress;
use baken_core::transport::http::{Dates, HttpTransport, Trust};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use std::io::Write as _;

use super::read_stdin;
use crate::args::{Arguments, PairCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub async fn run(arguments: &Arguments, command: &PairCommand, out: &Output) -> Result<End, Failure> {
    match command {
        PairCommand::Relay => relay(arguments, out),
        PairCommand::Show { relay, name } => show(arguments, relay, name, out).await,
        PairCommand::Accept { code } => accept(arguments, code, out).await,
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
    let mut start = phone.baken.pair_start(&relay, &pin, name).await?;
    let code = start.code_text();
    out.json(&json!({"step": "code", "text": code}));
    if !out.is_json() {
        // A code that is too long for a QR code is shown as text alone.
        if let Ok(qr) = QrCode::new(code.as_bytes()) {
            out.qr(&qr.render::<Dense1x2>().build());
        }
    }
    out.line(text::PAIR_SCAN.of(out.language));
    out.line(&code);

    let digits = phone.baken.pair_digits(&mut start, &relay).await?;
    out.json(&json!({"step": "digits", "digits": digits}));
    out.line(text::PAIR_DIGITS.with(out.language, &[&out.paint(Colour::Green, &digits)]));

    phone.baken.pair_join(&start, &relay).await?;
    let status = phone.baken.status()?;
    out.json(&json!({"step": "paired", "device": status.device, "account": status.account}));
    out.line(out.paint(Colour::Green, text::PAIR_PAIRED.of(out.language)));
    // What was written before; the device is paired whether or not it comes now.
    Ok(super::sync::tell(&phone.baken.sync(&relay).await?, out))
}

async fn accept(arguments: &Arguments, code: &str, out: &Output) -> Result<End, Failure> {
    let code = if code == "-" { read_stdin(true)? } else { code.to_owned() };
    let phone = Phone::open(arguments)?;
    if !phone.baken.is_activated() {
        return Err(BakenError::NotActivated.into());
    }
    let pin = phone.pin(out)?;
    phone.baken.unlock(&pin)?;
    let relay = phone.relay(Dates::Checked)?;
    let mut accept = phone.baken.pair_accept(&relay, &code).await?;
    out.json(&json!({"step": "type_digits"}));
    loop {
        if !out.is_json() {
            let mut stdout = std::io::stdout();
            write!(stdout, "{}", text::PAIR_TYPE.of(out.language)).and_then(|()| stdout.flush())?;
        }
        let digits = read_stdin(true)?;
        match phone.baken.pair_confirm(&mut accept, &relay, &digits, &pin).await {
            Ok(device) => {
                out.json(&json!({"step": "paired", "device": device}));
                out.line(out.paint(Colour::Green, text::PAIR_PAIRED.of(out.language)));
                return Ok(End::Done);
            }
            // Nothing typed is the end of the input, not a wrong try.
            Err(error @ BakenError::PairingDigits { left: 1.. }) if !digits.is_empty() => {
                out.json(&json!({"step": "wrong_digits"}));
                out.line(out.paint(Colour::Yellow, &text::core_message(&error, out.language)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
