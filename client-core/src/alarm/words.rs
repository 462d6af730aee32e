//! An alarm's state in a person's words, Dutch and English: who says it, and no more than they said.

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;

use crate::alarm::{AlarmState, AlarmView, HandedOnView, ReceiptView, SentOnView, Signer};

impl AlarmState {
    /// The state in a word or two.
    pub fn words(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::NotSent => ("nog niet verzonden", "not sent yet"),
            Self::Stored => ("verzonden", "sent"),
            Self::Received => ("aangekomen", "arrived"),
            Self::Exhausted => ("niemand reageerde", "nobody answered"),
            Self::Reopened => ("opnieuw opgeroepen", "called again"),
            Self::Seen => ("gezien", "seen"),
            Self::Verified => ("geverifieerd", "verified"),
            Self::Underway => ("hulp is onderweg", "help is on its way"),
            Self::Closed => ("afgesloten", "closed"),
        };
        language.pick(nl, en)
    }
}

impl AlarmView {
    /// The state in a sentence: "Meldkamer Oost: gezien door A. de Vries". Where another has it since, that too.
    pub fn words(&self, language: Language) -> String {
        let Some(proof) = &self.proof else { return AlarmState::NotSent.words(language).to_owned() };
        let said = proof.words(language);
        let who = |receipt: &ReceiptView| (receipt.by.clone(), receipt.officer.clone());
        let is_open = matches!(proof.state, ReceiptState::Verified | ReceiptState::Underway);
        match self.held_by.as_ref().filter(|held| is_open && who(held) != who(proof)) {
            Some(ReceiptView { officer: Some(officer), by, .. }) => {
                let now = language.pick("nu bij", "now with");
                match by {
                    Signer::Desk(desk) if *by != proof.by => format!("{said}; {now} {officer}, {desk}"),
                    _ => format!("{said}; {now} {officer}"),
                }
            }
            _ => said,
        }
    }
}

impl HandedOnView {
    /// Who handed the alarm on to whom.
    pub fn words(&self, language: Language) -> String {
        let said = format!("{}: {} {}", self.by, language.pick("doorgegeven aan", "handed on to"), self.to);
        self.text.as_ref().map_or(said.clone(), |text| format!("{said} ({text})"))
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
            ReceiptState::Reopened => match &self.by {
                Signer::Relay => language
                    .pick(
                        "er volgde niets nadat het gezien was; de volgende op de lijst wordt opgeroepen",
                        "nothing followed after it was seen; the next on the list is called",
                    )
                    .to_owned(),
                Signer::Desk(_) | Signer::Family(_) => language
                    .pick(
                        "er volgde niets nadat het gezien was; iedereen wordt opnieuw opgeroepen",
                        "nothing followed after it was seen; everybody is called again",
                    )
                    .to_owned(),
            },
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
