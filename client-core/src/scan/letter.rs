//! A letter that asks for a home scan and the talk on safety (L34), ready to copy: what to ask, and what to leave out, since
//! a letter is filed and read by more people than one thinks.
//!
//! Nothing of the dossier is in it. Whoever is threatened now asks no scan: [`ScanView::gate_cards`](super::ScanView).

use baken_schemas::Language;
use baken_schemas::edition::{FactView, Office};
use serde::Serialize;

use crate::BakenError;
use crate::guidance::{Guidance, ReadAs};

/// The letter, and what belongs in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// The text, with places to fill in between square brackets.
    pub text: String,
    /// What to mention.
    pub mention: Vec<&'static str>,
    /// What to leave out.
    pub leave_out: Vec<&'static str>,
    /// What it rests on.
    pub facts: Vec<FactView>,
}

const MENTION: [(&str, &str); 4] = [
    ("Welk ambt u heeft en sinds wanneer.", "Which office you hold and since when."),
    (
        "Dat er geen concrete dreiging is. Is die er wel, bel dan de politie.",
        "That there is no concrete threat. If there is, call the police.",
    ),
    (
        "Of uw woning het keurmerk heeft, of dat u dat laat nagaan.",
        "Whether your home has the quality mark, or that you are having it checked.",
    ),
    ("Wanneer u kunt, en of uw partner erbij is.", "When you are free, and whether your partner joins."),
];
const LEAVE_OUT: [(&str, &str); 5] = [
    ("Uw adres: geef dat mondeling.", "Your address: give it by word of mouth."),
    ("Wat er aan uw huis zwak is.", "What is weak about your home."),
    ("Maatregelen die er al zijn.", "Measures that are there already."),
    ("Namen van huisgenoten, en wanneer u weg bent.", "Names of those you live with, and when you are away."),
    ("Incidenten en wie u verdenkt.", "Incidents, and whom you suspect."),
];

impl Guidance {
    /// The letter of a person in this office; a place to fill in where it is not known.
    ///
    /// # Errors
    /// [`BakenError::NoSuchGuidance`] when the edition does not say who may ask for a scan.
    pub fn home_scan_letter(&self, who: ReadAs) -> Result<Letter, BakenError> {
        let lang = who.language;
        let for_all = self.fact(who, "scan-all")?;
        let dutch = who.office.map(Office::dutch);
        let office = match lang {
            Language::Nl => dutch.unwrap_or("[uw ambt]").to_owned(),
            Language::En => who.office.map_or("[your office]".to_owned(), |office| office.tag().replace('-', " ")),
        };
        let to = match who.office {
            Some(office) if office.is_executive() => lang.pick("secretaris", "secretary"),
            Some(_) => lang.pick("griffier of secretaris", "clerk or secretary"),
            None => lang.pick("[griffier of secretaris]", "[clerk or secretary]"),
        };
        let text = lang
            .pick(
                "Geachte {to},\n\nIk ben {office}. Graag vraag ik een woningscan aan, met een gesprek over mijn veiligheid. {fact}\n\
                 Er is nu geen concrete dreiging.\n\nWilt u mij laten weten:\n- wie de scan doet, en wanneer dat kan;\n\
                 - wie de kosten betaalt;\n- wie het verslag krijgt, en waar het bewaard wordt;\n\
                 - of mijn partner bij het gesprek mag zijn.\n\nMijn adres geef ik mondeling. Ik ben bereikbaar op [nummer].\n\n\
                 Met vriendelijke groet,\n[uw naam]",
                "Dear {to},\n\nI am {office}. I would like to ask for a home scan, with a talk on my safety. {fact}\n\
                 There is no concrete threat now.\n\nPlease let me know:\n- who does the scan, and when that is possible;\n\
                 - who pays for it;\n- who gets the report, and where it is kept;\n\
                 - whether my partner may join the talk.\n\nI will give my address by word of mouth. My number is [number].\n\n\
                 Kind regards,\n[your name]",
            )
            .replace("{to}", to)
            .replace("{office}", &office)
            .replace("{fact}", &for_all.text);
        let others = ["scan-councillors", "scan-domains", "measures-choice", "pkvw-own-cost"];
        let is_theirs = |fact: &FactView| {
            fact.holds && (fact.offices.is_empty() || who.office.is_some_and(|office| fact.offices.contains(&office)))
        };
        let others = others.iter().filter_map(|id| self.fact(who, id).ok()).filter(is_theirs);
        Ok(Letter {
            subject: lang
                .pick("Aanvraag woningscan en veiligheidsgesprek", "Request for a home scan and a talk on safety")
                .to_owned(),
            text,
            mention: MENTION.iter().map(|(nl, en)| lang.pick(*nl, *en)).collect(),
            leave_out: LEAVE_OUT.iter().map(|(nl, en)| lang.pick(*nl, *en)).collect(),
            facts: std::iter::once(for_all).chain(others).collect(),
        })
    }
}
