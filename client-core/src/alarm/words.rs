//! An alarm's state in a person's words, Dutch and English: who says it, and no more than they said.

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;

use crate::alarm::{AlarmState, AlarmView, ReceiptView, SentOnView, Signer};

impl AlarmState {
    /// The state in a word or two.
    pub fn words(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::NotSent => ("nog niet verzonden", "not sent yet"),
            Self::Stored => ("verzonden", "sent"),
            Self::Received => ("aangekomen", "arrived"),
            Self::Exhausted => ("niemand reageerde", "nobody answered"),
            Self::Seen => ("gezien", "seen"),
            Self::Verified => ("geverifieerd", "verified"),
            Self::Underway => ("hulp is onderweg", "help is on its way"),
            Self::Closed => ("afgesloten", "closed"),
        };
        language.pick(nl, en)
    }
}

impl AlarmView {
    /// The state in a sentence: "Meldkamer Oost: gezien door A. de Vries".
    pub fn words(&self, language: Language) -> String {
        self.proof
            .as_ref()
            .map_or_else(|| AlarmState::NotSent.words(language).to_owned(), |proof| proof.words(language))
    }
}

impl SentOnView {
    /// Who has sent it on, and why.
    pub fn words(&self, language: Language) -> String {
        let said = language.pick("heeft het doorgezet", "has sent it on");
        let officer = self.officer.as_deref().unwrap_or(language.pick("een medewerker", "an officer"));
        let who = match &self.by {
            Signer::Relay => language.pick("de server", "the server").to_owned(),
            Signer::Desk(name) => format!("{name}: {officer}"),
            Signer::Family(name) => {
                let name = Some(name.as_str()).filter(|name| !name.is_empty()).unwrap_or(officer);
                format!("{name} ({})", language.pick("familie", "family"))
            }
        };
        self.text.as_ref().map_or_else(|| format!("{who} {said}"), |text| format!("{who} {said} ({text})"))
    }
}

impl ReceiptView {
    /// What a receipt says, and who says it.
    pub fn words(&self, language: Language) -> String {
        let officer = self.officer.as_deref().unwrap_or(language.pick("een medewerker", "an officer"));
        let said = match self.state {
            ReceiptState::Stored => {
                language.pick("verzonden; nog niemand heeft het gezien", "sent; nobody has seen it yet").to_owned()
            }
            ReceiptState::Received => {
                language.pick("aangekomen; nog niemand heeft het gezien", "arrived; nobody has seen it yet").to_owned()
            }
            ReceiptState::Exhausted => {
                language.pick("niemand op de lijst heeft gereageerd", "nobody on the list has answered").to_owned()
            }
            ReceiptState::Seen if matches!(self.by, Signer::Family(_)) => {
                language.pick("heeft het gezien", "has seen it").to_owned()
            }
            ReceiptState::Seen => format!("{} {officer}", language.pick("gezien door", "seen by")),
            ReceiptState::Verified => format!("{} {officer}", language.pick("geverifieerd door", "verified by")),
            ReceiptState::Underway => {
                format!("{} {officer}", language.pick("hulp is onderweg, meldt", "help is on its way, says"))
            }
            ReceiptState::Closed => format!("{} {officer}", language.pick("afgesloten door", "closed by")),
        };
        let said = self.text.as_ref().map_or(said.clone(), |text| format!("{said} ({text})"));
        match &self.by {
            Signer::Relay => said,
            Signer::Desk(name) => format!("{name}: {said}"),
            Signer::Family(name) => {
                let name = Some(name.as_str()).filter(|name| !name.is_empty()).unwrap_or(officer);
                let family = language.pick("familie", "family");
                let colon = if self.state == ReceiptState::Seen { "" } else { ":" };
                format!("{name} ({family}){colon} {said}")
            }
        }
    }
}
