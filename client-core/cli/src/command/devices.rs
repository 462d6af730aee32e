//! `baken devices`: the devices of this device's own circle, and which of them wait.

use baken_core::DeviceView;
use serde_json::{Value as Json, json};

use super::circle::{effect_of, state_text, state_word};
use super::short;
use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::Phone;
use crate::text;

pub fn list(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let (devices, notices, home) = (baken.devices()?, baken.notices()?, baken.status()?.circle);
    let effect = |device: &DeviceView| effect_of(&notices, home, device.device);
    let entry = |device: &DeviceView| -> Json {
        json!({
            "device": device.device,
            "name": device.name,
            "this": device.this,
            "state": state_word(Some(device.state)),
            "takes_effect_at": effect(device),
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
    Ok(End::Done)
}
