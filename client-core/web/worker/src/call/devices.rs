//! The devices of an account, and letting another in.

use baken_core::BakenError;
use baken_core::pairing::{PairInto, RelayAddress};
use baken_schemas::circle::MemberRole;
use qrcode::QrCode;
use serde_json::{Value as Json, json};

use super::{activation, circles};
use crate::arguments::Arguments;
use crate::phone::Phone;

pub(super) fn all(phone: &Phone) -> Result<Json, BakenError> {
    Ok(json!({ "devices": phone.baken.devices()?, "notices": phone.baken.notices()? }))
}

/// Where this device's relay is, for a new device.
pub(super) fn address(phone: &Phone) -> Result<Json, BakenError> {
    Ok(json!({ "text": phone.baken.relay_address()?.to_text() }))
}

/// The new device begins, and shows a code.
pub(super) async fn start(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let address = RelayAddress::from_text(with.text("relay"))?;
    let relay = phone.relay_at(&address.url)?;
    let start = phone.baken.pair_start(&relay, with.text("pin"), with.text("name")).await?;
    let code = start.code_text();
    phone.begin_joining(start, relay);
    Ok(json!({ "code": code }))
}

/// Waits until the old device has the code: the digits to read out.
pub(super) async fn wait(phone: &Phone) -> Result<Json, BakenError> {
    let (mut start, relay) = phone.take_joining().ok_or(BakenError::PairingExpired)?;
    let digits = phone.baken.pair_digits(&mut start, &relay).await?;
    phone.begin_joining(start, relay);
    Ok(json!({ "digits": digits }))
}

/// Waits to be let in.
pub(super) async fn join(phone: &Phone) -> Result<Json, BakenError> {
    let (start, relay) = phone.take_joining().ok_or(BakenError::PairingExpired)?;
    phone.baken.pair_join(&start, &relay).await?;
    activation::begin(phone);
    let waits_until =
        phone.baken.notices()?.into_iter().find(|notice| notice.this).map(|notice| notice.takes_effect_at);
    Ok(json!({ "waits_until": waits_until }))
}

/// The old device takes the code of the new one.
pub(super) async fn accept(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let accept = phone.baken.pair_accept(&phone.relay()?, with.text("code")).await?;
    *phone.accepting.borrow_mut() = Some(accept);
    Ok(json!({}))
}

/// Into the dossier as a device of this person, or as somebody else's into a circle of theirs.
fn into(with: &Arguments) -> Result<PairInto, BakenError> {
    if with.text("circle").is_empty() {
        return Ok(PairInto::Dossier);
    }
    Ok(PairInto::Circle { circle: circles::circle(with)?, role: MemberRole::Member })
}

/// And the digits that it shows.
pub(super) async fn confirm(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let mut accept = phone.accepting.borrow_mut().take().ok_or(BakenError::PairingExpired)?;
    let (digits, pin) = (with.text("digits"), with.text("pin"));
    let paired = phone.baken.pair_confirm(&mut accept, &phone.relay()?, digits, pin, into(with)?).await;
    // After a wrong digit or PIN the same code may be tried again.
    *phone.accepting.borrow_mut() = Some(accept);
    let paired = paired?;
    Ok(json!({ "device": paired.device, "waits_until": paired.is_in_at }))
}

/// A text as a QR code: its modules, row by row.
pub(super) fn qr(with: &Arguments) -> Result<Json, BakenError> {
    let code = QrCode::new(with.text("text")).map_err(|_| BakenError::ValueRefused)?;
    let dark: String = code.to_colors().iter().map(|colour| colour.select('1', '0')).collect();
    Ok(json!({ "width": code.width(), "modules": dark }))
}
