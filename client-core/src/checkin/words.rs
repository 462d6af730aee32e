//! A check-in's state in a person's words, Dutch and English: when it is raised, and what the server does not have.

use baken_schemas::Language;
use baken_schemas::local_time::local;
use baken_schemas::time::Timestamp;

use super::{CheckInState, CheckInView};

/// Day and time on the wall, without seconds.
fn at(moment: Timestamp) -> String {
    let text = local(moment);
    text.get(..16).unwrap_or(&text).to_owned()
}

impl CheckInState {
    /// The state in a word or two.
    pub fn words(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::NotAtRelay => ("nog niet bij de server", "not at the server yet"),
            Self::Running => ("loopt", "running"),
            Self::Due => ("tijd is om", "due"),
            Self::Settling => ("afgemeld, nog niet verzonden", "settled, not sent yet"),
            Self::Settled => ("afgemeld", "settled"),
            Self::Raised => ("alarm", "alarm"),
        };
        language.pick(nl, en)
    }
}

impl CheckInView {
    /// What a person has to know, a sentence a line. It is shown without a PIN, and names no other device.
    pub fn words(&self, language: Language) -> Vec<String> {
        let say = |nl: String, en: String| match language {
            Language::Nl => nl,
            Language::En => en,
        };
        let (due, raise) = (at(self.due_at), at(self.raise_at));
        let mut lines = Vec::new();
        match self.state {
            CheckInState::NotAtRelay => {
                lines.push(say(
                    "Deze check-in ligt nog niet bij de server: valt dit toestel uit, dan gaat er geen alarm af."
                        .to_owned(),
                    "This check-in is not at the server yet: should this device fail, no alarm goes off.".to_owned(),
                ));
                lines.push(say(
                    format!("Meld u af voor {due}. Anders geeft dit toestel om {raise} zelf alarm."),
                    format!("Settle it before {due}. Otherwise this device itself raises an alarm at {raise}."),
                ));
            }
            CheckInState::Running => lines.push(say(
                format!("Meld u af voor {due}. Anders gaat om {raise} een alarm af."),
                format!("Settle it before {due}. Otherwise an alarm goes off at {raise}."),
            )),
            CheckInState::Due => lines.push(say(
                format!("De tijd is om sinds {due}. Meld u nu af: om {raise} gaat een alarm af."),
                format!("It has been due since {due}. Settle it now: an alarm goes off at {raise}."),
            )),
            CheckInState::Settling if self.elsewhere => lines.push(say(
                "Van een ander toestel van u. De server weet nog niet dat dit is afgemeld: er kan nog een alarm afgaan."
                    .to_owned(),
                "Of another device of yours. The server does not know yet that it is settled: an alarm may still go off."
                    .to_owned(),
            )),
            CheckInState::Settled if self.elsewhere => {
                lines.push(say(
                    "Van een ander toestel van u. Afgemeld.".to_owned(),
                    "Of another device of yours. Settled.".to_owned(),
                ));
            }
            CheckInState::Settled if self.settled_elsewhere => lines.push(say(
                "Afgemeld op een ander toestel van u. Deed u dat niet zelf? Druk dan op alarm.".to_owned(),
                "Settled on another device of yours. Was that not you? Then press the alarm.".to_owned(),
            )),
            CheckInState::Settling => lines.push(say(
                "Afgemeld op dit toestel, maar de server weet het nog niet: er kan nog een alarm afgaan.".to_owned(),
                "Settled on this device, but the server does not know yet: an alarm may still go off.".to_owned(),
            )),
            CheckInState::Settled => lines.push(say("Afgemeld.".to_owned(), "Settled.".to_owned())),
            CheckInState::Raised => lines.push(say(
                "Er is een alarm van gemaakt. Afmelden trekt het niet in; een meldkamer sluit het af.".to_owned(),
                "An alarm was made of it. Settling does not call it off; a desk closes it.".to_owned(),
            )),
        }
        if self.extension_waits {
            lines.push(say(
                "De verlenging is nog niet bij de server: die houdt nog het vorige tijdstip aan.".to_owned(),
                "The extension is not at the server yet: it still goes by the moment before.".to_owned(),
            ));
        }
        if let Some(renewed_at) =
            self.renewed_at.filter(|_| matches!(self.state, CheckInState::Running | CheckInState::Due))
        {
            let renewed = at(renewed_at);
            lines.push(match self.silent_raise_at.map(at) {
                Some(silent) => say(
                    format!(
                        "Laatst vernieuwd om {renewed}. Blijft dit toestel stil, dan gaat om {silent} een alarm af."
                    ),
                    format!("Last renewed at {renewed}. Should this device be silent, an alarm goes off at {silent}."),
                ),
                None => say(format!("Laatst vernieuwd om {renewed}."), format!("Last renewed at {renewed}.")),
            });
        }
        lines
    }
}
