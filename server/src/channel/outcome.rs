//! What one try at one channel came to.

use std::fmt;

use baken_schemas::Language;
use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The machine it is meant for says it has it. Never shown as a person's eye.
    Delivered(MachineAnswer),
    /// A machine on the way says it will pass it on. What becomes of it there is told later, if at all.
    HandedOver {
        /// That machine's word.
        answer: MachineAnswer,
        /// The name under which that machine speaks of this message later; empty where it never does.
        reference: String,
    },
    /// Not delivered, as far as can be told. Try again, with the same id, as long as the alarm is open.
    Retry {
        /// Why.
        why: Why,
    },
    /// The other machine took a good look and will not have it: sending the same again does not help. Say so to people at
    /// once, and use another channel.
    Refused {
        /// Why.
        why: Why,
    },
}

/// A machine's word that it has a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineAnswer {
    /// Which of the channel's addresses answered: `main`, `back-up`.
    pub by: String,
    /// What it said: `204`, `ACK`.
    pub answer: String,
    /// When it had said so.
    pub at: Timestamp,
}

/// Why a try failed. Carries no content, no address and no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Why {
    /// No connection: nobody listens there, the name is unknown, or TLS does not trust what answered.
    Unreachable,
    /// Connected, but the connection broke before there was an answer: it may have arrived.
    Broken,
    /// No answer in time: it may have arrived.
    NoAnswer {
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
    /// HTTP answered with a status that is not 2xx.
    Status {
        /// The status.
        status: u16,
    },
    /// DC-09: the answer was damaged, or to another message, or not enciphered although the message was.
    WrongAnswer,
    /// DC-09: not taken, not even with the receiver's own time. Key, account or time are not what the receiver has.
    NotTaken {
        /// How far the receiver's clock is ahead of ours in milliseconds, where it said.
        clock_ahead_ms: Option<i64>,
    },
    /// DC-09: an acknowledgement with a time so far off that it could be an old one played back.
    StaleAnswer {
        /// How far its time is ahead of ours, in milliseconds.
        clock_ahead_ms: i64,
    },
    /// DC-09: the receiver knows no such event or account (`DUH`).
    NotUnderstood,
    /// The message cannot be written for this channel.
    Unwritable,
    /// The receiver's name leads into this desk's own network, which its entry does not allow.
    OwnNetwork,
    /// SMTP: the server offers no encryption, or no way to log in that may be used.
    Unoffered,
    /// SMTP: the server answered with a reply that is not 2xx.
    Reply {
        /// The reply's code.
        reply: u16,
    },
    /// SMS: the gateway says that it will not pass it on, or could not.
    Gateway {
        /// The gateway's own number for why; 0 where it gives none.
        number: u32,
    },
    /// Web Push: the browser takes no messages any more, by its push service or by its officer.
    Unsubscribed,
    /// The desk could not read from its own disk where this goes.
    NotRead,
    /// The alarm was closed before this could be delivered.
    AlarmClosed,
}

impl Why {
    /// The stable code: what logs, JSON and tests name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::NoAnswer { .. } => "no-answer",
            Self::Status { .. } => "status",
            Self::WrongAnswer => "wrong-answer",
            Self::NotTaken { .. } => "not-taken",
            Self::StaleAnswer { .. } => "stale-answer",
            Self::NotUnderstood => "not-understood",
            Self::Unwritable => "unwritable",
            Self::OwnNetwork => "own-network",
            Self::Unoffered => "unoffered",
            Self::Reply { .. } => "reply",
            Self::Gateway { .. } => "gateway",
            Self::Unsubscribed => "unsubscribed",
            Self::NotRead => "not-read",
            Self::AlarmClosed => "alarm-closed",
        }
    }

    /// What happened, and what the reader can do.
    pub fn text(self, language: Language) -> String {
        match language {
            Language::Nl => self.dutch(),
            Language::En => self.to_string(),
        }
    }

    fn dutch(self) -> String {
        match self {
            Self::Unreachable => {
                "geen verbinding: controleer of de ontvanger aanstaat en of adres en certificaat kloppen".to_owned()
            }
            Self::Broken => "de verbinding viel weg voor er antwoord was; het bericht kan zijn aangekomen".to_owned(),
            Self::NoAnswer { waited_ms } => {
                format!("geen antwoord binnen {waited_ms} ms; het bericht kan zijn aangekomen")
            }
            Self::Status { status } => format!("de ontvanger antwoordde met HTTP-status {status}"),
            Self::WrongAnswer => "het antwoord hoort niet bij dit bericht of kwam beschadigd aan".to_owned(),
            Self::NotTaken { clock_ahead_ms } => format!(
                "de ontvanger neemt het niet aan: controleer nummer en sleutel{}",
                clock_ahead_ms.map_or_else(String::new, |ms| format!("; zijn klok loopt {} s voor", ms / 1000))
            ),
            Self::StaleAnswer { clock_ahead_ms } => format!(
                "de tijd in de ontvangstbevestiging wijkt {} s af: zet de klok van de ontvanger gelijk",
                clock_ahead_ms / 1000
            ),
            Self::NotUnderstood => {
                "de ontvanger kent deze melding of dit nummer niet: spreek de codes af met de meldkamer".to_owned()
            }
            Self::Unwritable => "het bericht past niet in dit kanaal".to_owned(),
            Self::OwnNetwork => {
                "de naam leidt naar het eigen netwerk van deze meldkamer; is dat de bedoeling, zet dan own_network = true"
                    .to_owned()
            }
            Self::Unoffered => {
                "de mailserver biedt geen versleuteling of geen bruikbare manier van inloggen aan".to_owned()
            }
            Self::Reply { reply } => format!("de mailserver antwoordde met code {reply}"),
            Self::Gateway { number } => format!("de sms-dienst kon het niet afleveren (code {number} van die dienst)"),
            Self::Unsubscribed => {
                "deze browser neemt geen meldingen meer aan: zet ze in die browser opnieuw aan".to_owned()
            }
            Self::NotRead => "deze meldkamer kon van haar eigen schijf niet lezen waar dit heen moet: zie haar log".to_owned(),
            Self::AlarmClosed => "het alarm werd afgesloten voordat dit was afgeleverd".to_owned(),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => {
                f.write_str("no connection: check that the receiver is up, and its address and certificate")
            }
            Self::Broken => f.write_str("the connection broke before there was an answer; it may have arrived"),
            Self::NoAnswer { waited_ms } => write!(f, "no answer within {waited_ms} ms; it may have arrived"),
            Self::Status { status } => write!(f, "the receiver answered with HTTP status {status}"),
            Self::WrongAnswer => f.write_str("the answer is not to this message, or came damaged"),
            Self::NotTaken { clock_ahead_ms } => {
                f.write_str("the receiver does not take it: check the account and the key")?;
                match clock_ahead_ms {
                    Some(ms) => write!(f, "; its clock is {} s ahead", ms / 1000),
                    None => Ok(()),
                }
            }
            Self::StaleAnswer { clock_ahead_ms } => {
                write!(f, "the acknowledgement's time is {} s off: set the receiver's clock", clock_ahead_ms / 1000)
            }
            Self::NotUnderstood => {
                f.write_str("the receiver knows no such event or account: agree on the codes with the alarm centre")
            }
            Self::Unwritable => f.write_str("the message does not fit this channel"),
            Self::OwnNetwork => {
                f.write_str("the name leads into this desk's own network; if that is meant, add own_network = true")
            }
            Self::Unoffered => f.write_str("the mail server offers no encryption, or no usable way to log in"),
            Self::Reply { reply } => write!(f, "the mail server answered with code {reply}"),
            Self::Gateway { number } => write!(f, "the SMS gateway could not deliver it (its own code {number})"),
            Self::Unsubscribed => {
                f.write_str("this browser takes no notifications any more: turn them on again in that browser")
            }
            Self::NotRead => f.write_str("this desk could not read from its own disk where this goes: see its log"),
            Self::AlarmClosed => f.write_str("the alarm was closed before this was delivered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use baken_schemas::Language;

    use super::Why;

    #[test]
    fn every_reason_reads_in_both_languages_and_keeps_its_code_in_json() {
        for why in [
            Why::Unreachable,
            Why::Broken,
            Why::NoAnswer { waited_ms: 5000 },
            Why::Status { status: 503 },
            Why::WrongAnswer,
            Why::NotTaken { clock_ahead_ms: Some(-61_000) },
            Why::StaleAnswer { clock_ahead_ms: 90_000 },
            Why::NotUnderstood,
            Why::Unwritable,
            Why::OwnNetwork,
            Why::Unoffered,
            Why::Reply { reply: 451 },
            Why::Gateway { number: 30_005 },
            Why::Unsubscribed,
            Why::NotRead,
            Why::AlarmClosed,
        ] {
            assert_ne!(why.text(Language::Nl), why.text(Language::En));
            let json = serde_json::to_value(why).unwrap();
            assert_eq!(json["code"], why.code());
            assert_eq!(serde_json::from_value::<Why>(json).unwrap(), why);
        }
    }
}
