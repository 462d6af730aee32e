//! `baken wipe`: destroys everything on this device. No PIN: whoever has the folder could delete it anyway.

use baken_core::BakenError;
use serde_json::json;

use super::ask;
use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::Phone;
use crate::text;

pub fn run(arguments: &Arguments, yes: bool, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    if !phone.baken.is_activated() {
        return Err(BakenError::NotActivated.into());
    }
    if !yes && !ask::word(text::WIPE_WORD, text::WIPE_ASK, &[], out)? {
        return Err(Failure::Input("not_confirmed"));
    }
    phone.baken.wipe()?;
    out.json(&json!({"wiped": true}));
    out.line(text::WIPED.of(out.language));
    Ok(End::Done)
}
