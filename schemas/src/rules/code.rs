//! What a rule can answer: a stable code each, with its rule, for whom it is, the rows of the Leidraad that it serves and
//! what it says. No sentence here has an amount, a number or a date: those stand in facts and contacts.

use crate::Language;
use crate::edition::Audience;
use crate::edition::words::tagged;

tagged! {
    /// A rule of the Leidraad, numbered as in `docs/leidraad.md`.
    Rule, "a rule":
    /// Immediate danger.
    R01 = "R01",
    /// A concrete threat goes before any scan.
    R02 = "R02",
    /// An act that may be an offence.
    R03 = "R03",
    /// An act that is none, and reporting inside the organisation.
    R04 = "R04",
    /// Feelings and signals.
    R05 = "R05",
    /// Executives and the scheme for measures at home.
    R06 = "R06",
    /// Elected members and what their organisation may pay.
    R07 = "R07",
    /// The home first.
    R08 = "R08",
    /// A threatened mayor.
    R09 = "R09",
    /// Any other threatened office-holder.
    R10 = "R10",
    /// What is said of measures, and to whom.
    R11 = "R11",
    /// Afterwards.
    R12 = "R12",
    /// Insurance.
    R13 = "R13",
    /// The start of a term.
    R14 = "R14",
}

macro_rules! codes {
    ($($variant:ident = $tag:literal, $rule:ident, [$($audience:ident),+], [$($row:literal),*]: $nl:literal, $en:literal;)+) => {
        tagged! {
            /// What to do, or what holds.
            Code, "an answer":
            $(#[doc = $en] $variant = $tag,)+
        }

        impl Code {
            /// The rule that answers so.
            pub fn rule(self) -> Rule {
                match self { $(Self::$variant => Rule::$rule,)+ }
            }

            /// For whom it is; the first does it.
            pub fn audience(self) -> &'static [Audience] {
                match self { $(Self::$variant => &[$(Audience::$audience),+],)+ }
            }

            /// The rows of the Leidraad that it serves.
            pub fn rows(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($row),*],)+ }
            }

            /// What it says.
            pub fn say(self, language: Language) -> &'static str {
                match self { $(Self::$variant => language.pick($nl, $en),)+ }
            }
        }
    };
}

codes! {
    CallEmergency = "call-emergency", R01, [OfficeHolder, Family, Adviser, PoliceContact], []:
        "Bel nu het alarmnummer.", "Call the emergency number now.";
    SkipScans = "skip-scans", R02, [OfficeHolder], ["L34"]:
        "Doe nu geen zelfscan en geen woningscan. De dreiging gaat voor.",
        "Do no self-scan and no home scan now. The threat comes first.";
    FileComplaint = "file-complaint", R03, [OfficeHolder, Adviser, PoliceContact], ["L41"]:
        "Doe aangifte bij de politie. Zeg welk ambt u heeft en vraag om de VPT-code.",
        "File a complaint with the police. Say which office you hold and ask for the VPT code.";
    ReportAnyway = "report-anyway", R04, [OfficeHolder, PoliceContact], ["L42"]:
        "Meld het bij de politie, ook als het niet strafbaar is.",
        "Report it to the police, even when it is no offence.";
    ReportInternally = "report-internally", R04, [OfficeHolder, Adviser], ["L18", "L43"]:
        "Meld het ook binnen uw organisatie.", "Report it inside your organisation too.";
    CallSupportTeam = "call-support-team", R05, [OfficeHolder, Family], ["L38", "L57"]:
        "Bel het Ondersteuningsteam. Een onrustig gevoel is genoeg.",
        "Call the support team. An uneasy feeling is enough.";
    AskFourQuestions = "ask-four-questions", R05, [Adviser, OfficeHolder], ["L36"]:
        "Loop samen met uw adviseur de vier vragen na.", "Go through the four questions with your adviser.";
    ShareSignal = "share-signal", R05, [Adviser, OfficeHolder], ["L39", "L40"]:
        "Zorg dat het signaal gedeeld wordt met de driehoek of de regioburgemeester.",
        "See that the signal is shared with the triangle or the regional mayor.";
    TalkToPolice = "talk-to-police", R05, [Adviser, OfficeHolder], ["L37", "L39"]:
        "Bespreek het met de politie. Vraag advies over extra maatregelen.",
        "Discuss it with the police. Ask for advice on extra measures.";
    MayorRoute = "mayor-route", R09, [OfficeHolder, Adviser, PoliceContact], ["L44", "L45", "L46", "L48", "L49", "L50"]:
        "Voor een bedreigde burgemeester geldt een eigen weg. Vraag de politie wie nu beslist.",
        "A threatened mayor has a way of their own. Ask the police who decides now.";
    NameResidence = "name-residence", R09, [OfficeHolder, Adviser], ["L48"]:
        "Leg vast in welke gemeente u woont.", "Write down in which municipality you live.";
    RegularRoute = "regular-route", R10, [OfficeHolder, Adviser, PoliceContact], ["L44", "L45", "L46", "L49", "L50"]:
        "De dreiging loopt via de politie in uw regio. Vraag wie nu beslist.",
        "The threat goes through the police of your region. Ask who decides now.";
    KeepMeasuresSecret = "keep-measures-secret", R11, [OfficeHolder, Family, Adviser, PoliceContact], ["L51"]:
        "Zeg anderen niets over deze maatregel, ook niet aan gezin of raad.",
        "Tell others nothing of this measure, not family or council either.";
    KeepMeasuresOutOfPapers = "keep-measures-out-of-papers", R11, [Adviser, OfficeHolder], ["L12", "L13"]:
        "Houd deze maatregel uit openbare stukken en uit het debat.",
        "Keep this measure out of public papers and out of debate.";
    PlanAftercare = "plan-aftercare", R12, [OfficeHolder, Family], ["L53", "L54", "L56", "L61"]:
        "Plan nazorg, voor uzelf en voor uw gezin.", "Plan aftercare, for yourself and for your family.";
    Evaluate = "evaluate", R12, [Adviser], ["L54", "L55"]:
        "Kijk samen terug en blijf volgen.", "Look back together and keep following up.";
    BringHomeFirst = "bring-home-first", R08, [OfficeHolder], ["L31", "L35"]:
        "Zorg eerst dat uw woning het keurmerk heeft. Vraag daarna maatregelen.",
        "First see that your home has the quality mark. Then ask for measures.";
    LookAtHome = "look-at-home", R08, [OfficeHolder], ["L31", "L35"]:
        "Zoek eerst uit of uw woning het keurmerk heeft.", "First find out whether your home has the quality mark.";
    EntitledToMeasures = "entitled-to-measures", R06, [OfficeHolder, Adviser], ["L05", "L29"]:
        "U heeft recht op maatregelen aan huis.", "You are entitled to measures at home.";
    OrganisationPays = "organisation-pays", R06, [OfficeHolder, Adviser], ["L30", "L47"]:
        "Uw organisatie betaalt die maatregelen.", "Your organisation pays for those measures.";
    AskForAdvice = "ask-for-advice", R06, [OfficeHolder, Adviser], ["L05", "L32", "L34"]:
        "Vraag uw organisatie om deze maatregelen. U kiest zelf wat u wilt.",
        "Ask your organisation for these measures. What you want is yours to choose.";
    OutsideScheme = "outside-scheme", R07, [OfficeHolder, Adviser], ["L29"]:
        "De regeling voor bestuurders is er niet voor u.", "The scheme for executives is not for you.";
    OrganisationMayPay = "organisation-may-pay", R07, [OfficeHolder, Adviser], ["L30", "L47"]:
        "Vraag wat uw organisatie wel kan betalen.", "Ask what your organisation can pay instead.";
    TakeSelfScan = "take-self-scan", R02, [OfficeHolder], ["L33"]:
        "Doe de zelfscan.", "Take the self-scan.";
    AskHomeScan = "ask-home-scan", R02, [OfficeHolder], ["L34"]:
        "Vraag een woningscan met een veiligheidsgesprek aan.", "Ask for a home scan with a talk on safety.";
    CheckInsurance = "check-insurance", R13, [Adviser, OfficeHolder], ["L15", "L16"]:
        "Zoek uit of de verzekering tegen politiek molest ook voor raadsleden geldt.",
        "Find out whether the insurance against politically motivated damage covers councillors.";
    InsuranceCovers = "insurance-covers", R13, [OfficeHolder, Adviser], ["L15", "L16"]:
        "U valt onder de verzekering van uw organisatie.", "Your organisation's insurance covers you.";
    InsuranceExcludes = "insurance-excludes", R13, [OfficeHolder, Adviser], ["L15", "L16"]:
        "U valt niet onder de verzekering van uw organisatie. Vraag wat u zelf kunt regelen.",
        "Your organisation's insurance does not cover you. Ask what you can arrange yourself.";
    ReadStartPack = "read-start-pack", R14, [OfficeHolder], ["L23", "L24"]:
        "Loop de start van uw ambt door: contacten, protocol, zelfscan.",
        "Go through the start of your office: contacts, protocol, self-scan.";
    PrepareTerm = "prepare-term", R14, [Adviser], ["L12", "L14", "L15"]:
        "Regel begroting en verzekering aan het begin van de periode.",
        "Arrange budget and insurance at the start of the term.";
}
