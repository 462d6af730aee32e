//! What steps and ways are called.

use baken_schemas::Language;

use super::{StepKind, Way};

impl Way {
    /// Its name.
    pub fn title(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Start => ("Aantreden", "Taking office"),
            Self::Prevention => ("Voorkomen", "Prevention"),
            Self::Unease => ("Onrust", "Unease"),
            Self::Threat => ("Dreiging", "Threat"),
            Self::After => ("Daarna", "Afterwards"),
        };
        language.pick(nl, en)
    }
}

impl StepKind {
    /// What to do.
    pub fn title(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Profile => ("Profiel: naam, ambt, huisadres", "Profile: name, office, home address"),
            Self::StartPack => ("Lees wat er bij de start hoort", "Read what belongs to the start"),
            Self::EmergencyContact => ("Kies een noodcontact", "Choose an emergency contact"),
            Self::Protocol => {
                ("Haal protocol en nummers van uw organisatie", "Fetch your organisation's protocol and numbers")
            }
            Self::SecondDevice => ("Koppel een tweede toestel", "Pair a second device"),
            Self::RecoveryCode => ("Print de herstelcode", "Print the recovery code"),
            Self::AlarmTest => ("Test uw alarm", "Test your alarm"),
            Self::SelfScan => ("Doe de zelfscan", "Take the self-scan"),
            Self::Insurance => ("Zoek uit of u verzekerd bent", "Find out whether you are insured"),
            Self::Family => ("Maak een gezinskring, als u dat wilt", "Make a family circle, if you wish"),
            Self::HomeMark => {
                ("Zoek uit of uw woning het keurmerk heeft", "Find out whether your home has the quality mark")
            }
            Self::HomeScan => ("Vraag een woningscan", "Ask for a home scan"),
            Self::Advice => ("Schrijf op welk advies u kreeg", "Write down which advice you got"),
            Self::Measures => ("Kies bij elke maatregel: doen, of niet", "Choose on each measure: do it, or not"),
            Self::Signal => ("Schrijf op wat u opviel", "Write down what struck you"),
            Self::SupportTeam => {
                ("Bel het Ondersteuningsteam; een gevoel is genoeg", "Call the support team; a feeling is enough")
            }
            Self::FourQuestions => {
                ("Loop de vier vragen door met uw adviseur", "Go through the four questions with your adviser")
            }
            Self::SignalsTold => (
                "Laat elk signaal delen: driehoek, regio of politie",
                "Have each signal shared: driehoek, region or police",
            ),
            Self::ReviewTasks => ("Doe wat de vier vragen overlieten", "Do what the four questions left"),
            Self::Incident => ("Schrijf het incident op", "Write the incident down"),
            Self::Evidence => ("Bewaar bewijs, als het er is", "Keep evidence, if there is any"),
            Self::Internal => ("Meld het binnen uw organisatie", "Report it inside your organisation"),
            Self::Police => ("Aangifte of melding, met de reden", "Complaint or report, with the reason"),
            Self::PoliceAdvice => {
                ("Vraag de politie om advies over maatregelen", "Ask the police for advice on measures")
            }
            Self::Briefing => ("Spreek af wanneer u hoort hoe het staat", "Agree when you hear how it stands"),
            Self::Aftercare => ("Begin nazorg voor uzelf", "Begin aftercare for yourself"),
            Self::FamilyAftercare => {
                ("Nazorg voor het gezin, als zij dat willen", "Aftercare for the family, if they wish")
            }
            Self::Talks => ("Houd de gesprekken die er nu zijn", "Hold the talks that are due now"),
            Self::Evaluation => ("Kijk terug: wat ging goed, wat niet", "Look back: what went well, what did not"),
            Self::CheckUp => ("Zet een moment voor uzelf in de agenda", "Put time for yourself into the agenda"),
            Self::Closed => ("Stop met volgen, samen besloten", "Stop following up, decided together"),
        };
        language.pick(nl, en)
    }
}
