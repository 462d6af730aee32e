//! `baken devices` and `baken circle show`: who shares the dossier.

use serde_json::json;

use super::short;
use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::Phone;
use crate::text;

pub fn list(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let devices = baken.devices()?;
    out.json(&json!({"devices": devices}));
    let row = |device: &baken_core::DeviceView| {
        let this = if device.this { text::THIS.of(out.language).to_owned() } else { String::new() };
        vec![short(device.device), device.name.clone().unwrap_or_default(), this]
    };
    let head = [text::DEVICE, text::NAME].map(|text| text.of(out.language));
    out.table(&head, &devices.iter().map(row).collect::<Vec<_>>());
    Ok(End::Done)
}

pub fn circle(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let status = baken.status()?;
    let devices = baken.devices()?;
    out.json(&json!({"circle": status.circle, "kind": "dossier", "account": status.account, "devices": devices}));
    out.line(format!("{} {} (dossier)", text::CIRCLE.of(out.language), status.circle));
    for device in &devices {
        out.line(format!("  {}  {}", short(device.device), device.name.clone().unwrap_or_default()));
    }
    Ok(End::Done)
}
