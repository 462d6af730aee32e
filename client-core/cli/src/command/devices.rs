//! `baken devices`: the devices of this device's own circle, which of them wait, and what was asked of one that is lost.

use baken_core::transport::http::Dates;
use baken_core::{BakenError, DeviceView, OrderView};
use baken_schemas::circle::MemberState;
use baken_schemas::id::DeviceId;
use baken_schemas::order::OrderKind;
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::circle::{device_name, effect_of, find_named, state_text, state_word};
use super::{ask, short};
use crate::args::{Arguments, DevicesCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

pub fn list(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let (mut devices, orders) = (baken.known_devices()?, baken.orders()?);
    let (notices, home) = (baken.notices()?, baken.status()?.circle);
    let of = |device: DeviceId| orders.iter().filter(move |order| order.device == device);
    devices.retain(|view| !matches!(view.state, MemberState::Gone { .. }) || of(view.device).next().is_some());
    let effect = |device: &DeviceView| effect_of(&notices, home, device.device);
    let entry = |device: &DeviceView| -> Json {
        json!({
            "device": device.device,
            "name": device.name,
            "this": device.this,
            "state": state_word(Some(device.state)),
            "takes_effect_at": effect(device),
            "orders": of(device.device).collect::<Vec<_>>(),
        })
    };
    out.json(&json!({"devices": devices.iter().map(entry).collect::<Vec<_>>()}));
    let row = |device: &DeviceView| {
        let this = if device.this { text::THIS.of(out.language).to_owned() } else { String::new() };
        let state = state_text(device.state, effect(device), out.language);
        let state = [this, state].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        vec![short(device.device), device.name.clone().unwrap_or_default(), state]
    };
    let head = [text::DEVICE, text::NAME, text::STATE].map(|text| text.of(out.language));
    out.table(&head, &devices.iter().map(row).collect::<Vec<_>>());
    for device in &devices {
        of(device.device).for_each(|order| tell(device, order, out));
    }
    Ok(End::Done)
}

/// Says what was asked, how far that got, and that no more is known.
fn tell(device: &DeviceView, order: &OrderView, out: &Output) {
    let lang = out.language;
    let name = device_name(device.name.as_deref(), device.device);
    let asked = if order.kind == OrderKind::Wipe { text::WIPE_ASKED } else { text::LOCK_ASKED };
    let asked = asked.with(lang, &[&name, &order.given_at.to_rfc3339()]);
    let handed = order.handed_at.map(Timestamp::to_rfc3339);
    let handed = handed.map_or(text::ORDER_WAITS.of(lang).to_owned(), |at| text::ORDER_HANDED.with(lang, &[&at]));
    out.line(out.paint(Colour::Yellow, &format!("{asked} {handed}")));
}

pub async fn order(arguments: &Arguments, command: &DevicesCommand, out: &Output) -> Result<End, Failure> {
    let lang = out.language;
    let (typed, kind, asks) = match command {
        DevicesCommand::Lock { device } => (device, OrderKind::Lock, false),
        DevicesCommand::Wipe { device, yes } => (device, OrderKind::Wipe, !yes),
    };
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let devices = phone.baken.known_devices()?;
    let known: Vec<(DeviceId, Option<&str>)> =
        devices.iter().map(|device| (device.device, device.name.as_deref())).collect();
    let device = find_named(&known, typed, BakenError::NoSuchDevice.into())?;
    let view = devices.iter().find(|view| view.device == device).ok_or(BakenError::NoSuchDevice)?;
    if view.this {
        return Err(Failure::Input("order_itself"));
    }
    if asks {
        let name = device_name(view.name.as_deref(), device);
        if !ask::word(text::WIPE_WORD, text::WIPE_FAR_ASK, &[&name], out)? {
            return Err(Failure::Input("not_confirmed"));
        }
    }
    let handed = phone.baken.order(&phone.relay(Dates::Checked)?, device, kind, &pin).await;
    if let Err(error) = handed
        && !matches!(error, BakenError::NotReached)
    {
        return Err(error.into());
    }
    let orders = phone.baken.orders()?;
    let order = orders.iter().find(|order| (order.device, order.kind) == (device, kind));
    let order = order.ok_or(BakenError::NoSuchDevice)?;
    out.json(&json!(order));
    tell(view, order, out);
    if kind == OrderKind::Wipe && matches!(view.state, MemberState::Active | MemberState::Frozen { .. }) {
        out.line(text::TAKE_OUT_TOO.with(lang, &[&short(device)]));
    }
    Ok(if order.handed_at.is_some() { End::Done } else { End::NotReached })
}
