//! `baken pin`: what opens this device. Each asks for the PIN of the session, whichever that is.

use serde_json::json;

use crate::args::{Arguments, DuressCommand, PinCommand, Switch};
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::Phone;
use crate::text;

pub fn run(arguments: &Arguments, command: &PinCommand, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let baken = &phone.baken;
    match command {
        PinCommand::Change { new_pin_file } => {
            let new = phone.further_pin(new_pin_file.as_deref(), out)?;
            baken.change_pin(&pin, &new)?;
            out.json(&json!({"changed": true}));
            out.line(text::PIN_CHANGED.of(out.language));
        }
        PinCommand::Duress(DuressCommand::Add { new_pin_file }) => {
            let new = phone.further_pin(new_pin_file.as_deref(), out)?;
            baken.add_duress_pin(&pin, &new)?;
            let count = baken.duress_pins(&pin)?;
            out.json(&json!({"duress_pins": count}));
            out.line(text::DURESS_ADDED.with(out.language, &[&count.to_string()]));
        }
        PinCommand::Duress(DuressCommand::Clear) => {
            baken.clear_duress_pins(&pin)?;
            out.json(&json!({"duress_pins": baken.duress_pins(&pin)?}));
            out.line(text::DURESS_CLEARED.of(out.language));
        }
        PinCommand::WipeAfterTen { wanted } => {
            if let Some(wanted) = wanted {
                baken.set_wipe_after_ten(&pin, *wanted == Switch::On)?;
            }
            let on = baken.wipes_after_ten(&pin)?;
            out.json(&json!({"wipe_after_ten": on}));
            out.line(if on { text::WIPE_ON } else { text::WIPE_OFF }.of(out.language));
        }
    }
    Ok(End::Done)
}
