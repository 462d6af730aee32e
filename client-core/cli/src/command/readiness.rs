//! `baken readiness`: how ready the person is, and their consent that the adviser sees it.

use baken_core::readiness::{Consent, ReadinessView};
use baken_core::transport::http::Dates;
use baken_schemas::adviser::Ready;
use serde_json::json;

use crate::args::{Arguments, ReadinessCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

pub async fn run(arguments: &Arguments, command: Option<&ReadinessCommand>, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let sent = match command {
        None => Ok(()),
        Some(ReadinessCommand::Say { step, ready }) => {
            phone.baken.say_ready(*step, ready.parse::<Ready>().ok())?;
            Ok(())
        }
        Some(ReadinessCommand::Share) => phone.baken.share_readiness(&phone.relay(Dates::Checked)?).await,
        Some(ReadinessCommand::Withhold) => phone.baken.withhold_readiness(&phone.relay(Dates::Checked)?).await,
    };
    tell(&phone.baken.readiness()?, out);
    sent?;
    Ok(End::Done)
}

fn tell(view: &ReadinessView, out: &Output) {
    let lang = out.language;
    out.json(&json!(view));
    for one in &view.steps {
        let said = if one.said { text::READY_SAID.of(lang) } else { "" };
        let colour = if one.ready == Ready::NotDone { Colour::Yellow } else { Colour::Green };
        out.line(format!("{}: {}{said}", one.step.name(lang), out.paint(colour, one.ready.name(lang))));
    }
    let consent = match view.consent {
        Consent::Withheld => text::READINESS_WITHHELD,
        Consent::Given => text::READINESS_GIVEN,
        Consent::Shared => text::READINESS_SHARED,
        Consent::Withdrawing => text::READINESS_WITHDRAWING,
    };
    out.line(consent.of(lang));
}
