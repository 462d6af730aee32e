//! What people are told by mail and SMS, in Dutch and in English. Short, and never more than is known: that a message
//! exists says nothing about who has seen the alarm.

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, ReceiptState};

use crate::desk::Wrong;

/// What happened, as a subject or the beginning of an SMS.
pub(super) fn headline(event: ReceiptState, language: Language) -> &'static str {
    match event {
        ReceiptState::Stored => language.pick("alarm bij de relay", "alarm at the relay"),
        ReceiptState::Received => language.pick("alarm binnengekomen", "alarm came in"),
        ReceiptState::Exhausted => {
            language.pick("alarm waar niemand op tijd op reageerde", "alarm that nobody answered in time")
        }
        ReceiptState::Reopened => {
            language.pick("alarm waar niets op volgde, opnieuw", "alarm on which nothing followed, again")
        }
        ReceiptState::Seen => language.pick("alarm opgepakt", "alarm taken"),
        ReceiptState::Verified => language.pick("alarm geverifieerd", "alarm verified"),
        ReceiptState::Underway => language.pick("hulp onderweg", "help is on its way"),
        ReceiptState::Closed => language.pick("alarm afgesloten", "alarm closed"),
    }
}

/// A test of the channel itself.
pub(super) fn test_headline(language: Language) -> &'static str {
    language.pick("test van dit kanaal, u hoeft niets te doen", "test of this channel, nothing to do")
}

/// What the desk warns of: in a message, and in the console.
pub fn warning(what: Wrong, language: Language) -> &'static str {
    match what {
        Wrong::RelayDown => language.pick(
            "de relay is niet bereikbaar, nieuwe alarmen komen niet binnen",
            "the relay is not heard, new alarms do not come in",
        ),
        Wrong::RelayStalled => {
            language.pick("bij de relay staat het doorroepen stil", "at the relay nobody is called further")
        }
        Wrong::DeskSilent => language.pick("een andere meldkamer is niet bereikbaar", "another desk is not heard"),
        Wrong::ReceiverSilent => language.pick(
            "een ontvanger van de alarmcentrale antwoordt niet",
            "a receiver of the alarm centre does not answer",
        ),
        Wrong::ChannelUnproven => {
            language.pick("een kanaal is niet of lang niet getest", "a channel has not been tested, or not for long")
        }
        Wrong::ChannelFails => language.pick("een kanaal doet het niet", "a channel does not work"),
        Wrong::NobodyOnDuty => language.pick("deze week heeft niemand dienst", "nobody is on duty within a week"),
        Wrong::WorkerStalled => {
            language.pick("een onderdeel van de meldkamer staat stil", "a part of the desk stands still")
        }
        Wrong::CertificateEnds => {
            language.pick("een certificaat verloopt of is verlopen", "a certificate ends or has ended")
        }
    }
}

/// A warning, or that it is over, as a subject or the beginning of an SMS.
pub(super) fn warning_headline(what: Wrong, about: &str, over: bool, language: Language) -> String {
    let label = if over { language.pick("voorbij", "over") } else { language.pick("storing", "trouble") };
    let about = if about.is_empty() { String::new() } else { format!(" ({about})") };
    format!("{label}: {}{about}", warning(what, language))
}

/// A kind of alarm.
pub(super) fn kind(kind: Option<AlarmKind>, language: Language) -> &'static str {
    match kind {
        Some(AlarmKind::Panic) => language.pick("Noodalarm", "Emergency"),
        Some(AlarmKind::Silent) => language.pick("Stil alarm, niet terugbellen", "Silent alarm, do not call back"),
        Some(AlarmKind::Medical) => language.pick("Medisch alarm", "Medical alarm"),
        Some(AlarmKind::Duress) => language.pick("Dwang, niet terugbellen", "Duress, do not call back"),
        Some(AlarmKind::Button) => language.pick("Vaste knop", "Hardware button"),
        Some(AlarmKind::Missed) => language.pick("Check-in gemist", "Check-in missed"),
        Some(AlarmKind::Test) => language.pick("Test door de gebruiker", "The user's test"),
        Some(AlarmKind::Trouble) => language.pick("Storing aan een vaste knop", "Trouble with a hardware button"),
        Some(AlarmKind::Probe) => language.pick("Automatische test", "Automatic test"),
        None => language.pick("Kan niet worden geopend", "Cannot be opened"),
    }
}

/// The labels of a letter's lines.
pub(super) struct Labels {
    pub alarm: &'static str,
    pub console: &'static str,
    pub kind: &'static str,
    pub person: &'static str,
    pub not_proven: &'static str,
    pub position: &'static str,
    pub none: &'static str,
    pub officer: &'static str,
    pub closing: &'static str,
    pub since: &'static str,
}

/// The labels in a language.
pub(super) fn labels(language: Language) -> Labels {
    Labels {
        alarm: language.pick("Alarm", "Alarm"),
        console: "Console",
        kind: language.pick("Soort", "Kind"),
        person: language.pick("Persoon", "Person"),
        not_proven: language.pick("niet bewezen", "not proven"),
        position: language.pick("Plaats", "Position"),
        none: language.pick("onbekend", "unknown"),
        officer: language.pick("Medewerker", "Officer"),
        since: language.pick("Sinds", "Since"),
        closing: language.pick(
            "Dit bericht is automatisch gemaakt. Wie het alarm heeft opgepakt staat alleen in de console.",
            "This message was made by a machine. Only the console says who has taken the alarm.",
        ),
    }
}
