//! The words of a plan: the four themes, states, functions in time of threat, and the tasks of a year. Each is one of a
//! list, so that it can be named in both languages and hold nothing of a person.

use crate::Language;
use crate::edition::Date;
use crate::edition::words::tagged;

tagged! {
    /// A theme of the integral plan. There are exactly these four.
    Theme, "a theme":
    /// Physical safety of persons and objects.
    Physical = "physical",
    /// Information security.
    Information = "information",
    /// Working safely and with integrity.
    Working = "working",
    /// Continuity.
    Continuity = "continuity",
}

impl Theme {
    /// What it is called.
    pub fn name(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Physical => ("Fysieke veiligheid: personen en objecten", "Physical safety: persons and objects"),
            Self::Information => ("Informatieveiligheid", "Information security"),
            Self::Working => ("Veilig en integer werken", "Working safely and with integrity"),
            Self::Continuity => ("Continuïteit", "Continuity"),
        };
        language.pick(nl, en)
    }
}

tagged! {
    /// How far something is.
    State, "a state":
    /// Nobody began.
    Open = "open",
    /// Somebody is at it.
    UnderWay = "under-way",
    /// It is done.
    Done = "done",
    /// It does not apply here.
    NotApplicable = "na",
}

impl State {
    /// What it is called.
    pub fn name(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Open => ("open", "open"),
            Self::UnderWay => ("bezig", "under way"),
            Self::Done => ("klaar", "done"),
            Self::NotApplicable => ("n.v.t.", "n/a"),
        };
        language.pick(nl, en)
    }

    /// Whether nothing is left to do.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::NotApplicable)
    }
}

macro_rules! functions {
    ($($variant:ident = $tag:literal, [$($kind:literal),+]: $nl:literal, $en:literal, $for_nl:literal, $for_en:literal;)+) => {
        tagged! {
            /// Somebody's function in time of threat.
            Function, "a function":
            $(#[doc = $en] $variant = $tag,)+
        }

        impl Function {
            /// What it is called.
            pub fn name(self, language: Language) -> &'static str {
                match self { $(Self::$variant => language.pick($nl, $en),)+ }
            }

            /// What office-holders call it for.
            pub fn purpose(self, language: Language) -> &'static str {
                match self { $(Self::$variant => language.pick($for_nl, $for_en),)+ }
            }

            /// The kinds of trouble that it is for, by their tags.
            pub fn kinds(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($kind),+],)+ }
            }
        }
    };
}

functions! {
    SafetyAdviser = "safety-adviser", ["threat", "unease"]:
        "Adviseur veiligheid", "Safety adviser",
        "Bij een dreiging of een onrustig gevoel.", "For a threat or an uneasy feeling.";
    IncidentDesk = "incident-desk", ["threat", "unease"]:
        "Meldpunt agressie", "Reporting point for aggression",
        "Om te melden wat er is gebeurd.", "To report what happened.";
    Clerk = "clerk", ["threat", "unease", "aftercare"]:
        "Griffier", "Clerk",
        "Voor raadsleden en andere gekozen leden.", "For councillors and other elected members.";
    Secretary = "secretary", ["threat", "organisation"]:
        "Secretaris", "Secretary",
        "Voor leden van het dagelijks bestuur.", "For members of the executive.";
    SecurityOfficer = "security-officer", ["threat", "organisation"]:
        "Beveiligingsfunctionaris", "Security officer",
        "Over het gebouw, de toegang en uw veiligheid daar.", "On the building, access, and your safety there.";
    InformationSecurity = "information-security", ["digital"]:
        "Adviseur informatiebeveiliging", "Information security officer",
        "Als uw telefoon, account of gegevens gevaar lopen.", "When your phone, account or data are at risk.";
    Confidential = "confidential-adviser", ["unease", "aftercare"]:
        "Vertrouwenspersoon", "Confidential adviser",
        "Om in vertrouwen te praten.", "To talk in confidence.";
    Welfare = "welfare", ["aftercare"]:
        "Bedrijfsmaatschappelijk werk", "Staff welfare",
        "Voor steun na wat er is gebeurd.", "For support after what happened.";
    Communication = "communication", ["threat", "organisation"]:
        "Communicatie", "Communication",
        "Over vragen van de pers en op sociale media.", "On questions from the press and on social media.";
    Legal = "legal", ["threat", "organisation"]:
        "Juridische zaken", "Legal affairs",
        "Over aangifte en schade.", "On criminal complaints and damage.";
    PoliceLiaison = "police-liaison", ["threat", "unease"]:
        "Vaste contactpersoon bij de politie", "Regular contact at the police",
        "Voor overleg met de politie. Bij spoed belt u altijd het alarmnummer.",
        "To confer with the police. In an emergency always call the emergency number.";
    CrisisDuty = "crisis-duty", ["threat", "organisation"]:
        "Crisisdienst van de organisatie", "The organisation's crisis duty",
        "Als er nu iets moet worden geregeld.", "When something must be arranged now.";
}

macro_rules! year_tasks {
    ($($variant:ident = $tag:literal, $when:expr, [$($row:literal),*]: $nl:literal, $en:literal, $title_nl:literal, $title_en:literal;)+) => {
        tagged! {
            /// A task of the organisation's year, or of the start of a term. It says that something is to be done, and has
            /// no room for what came of it.
            YearTask, "a task of the year":
            $(#[doc = $en] $variant = $tag,)+
        }

        impl YearTask {
            /// When it is due by itself.
            pub(super) fn when(self) -> When {
                match self { $(Self::$variant => $when,)+ }
            }

            /// The rows of the Leidraad that it serves.
            pub fn rows(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($row),*],)+ }
            }

            /// What is to be done.
            pub fn name(self, language: Language) -> &'static str {
                match self { $(Self::$variant => language.pick($nl, $en),)+ }
            }

            /// What a calendar that others see may show.
            pub fn title(self, language: Language) -> &'static str {
                match self { $(Self::$variant => language.pick($title_nl, $title_en),)+ }
            }
        }
    };
}

/// When a task is due by itself. The days are ours, and can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// On this month and day, in every year that the number divides.
    Every(u16, u8, u8),
    /// So many days after a term has begun.
    Term(i64),
}

year_tasks! {
    ResilienceScan = "resilience-scan", When::Every(2, 2, 1), ["L08", "L09"]:
        "Weerbaarheidsscan herhalen. De uitkomst hoort hier niet.",
        "Repeat the scan of resilience. What it finds does not belong here.", "Scan herhalen", "Repeat a scan";
    Trainings = "trainings", When::Every(1, 2, 15), ["L25", "L26", "L27"]:
        "Cursussen voor het jaar aanbieden: agressie, ongewenste invloed, weerbaarheid.",
        "Offer the year's courses: aggression, unwanted influence, resilience.",
        "Cursusaanbod nakijken", "Look at the courses offered";
    Insurance = "insurance", When::Every(1, 3, 1), ["L15", "L16"]:
        "Verzekering tegen politiek molest: lees de voorwaarden, en wie er onder valt.",
        "Insurance against politically motivated damage: read the terms, and who is covered.",
        "Verzekering nakijken", "Look at the insurance";
    Protocol = "protocol", When::Every(1, 4, 15), ["L18", "L20"]:
        "Protocol tegen agressie en de meldroute nakijken. Bel elk nummer.",
        "Look at the protocol on aggression and the way of reporting. Call each number.",
        "Protocol nakijken", "Look at the protocol";
    UnderminingPicture = "undermining-picture", When::Every(1, 5, 15), ["L07"]:
        "Ondermijningsbeeld bijwerken. Het beeld zelf hoort hier niet.",
        "Bring the picture of undermining crime up to date. The picture does not belong here.",
        "Beeld bijwerken", "Bring a picture up to date";
    Budget = "budget", When::Every(1, 6, 15), ["L12", "L13"]:
        "Kosten van veiligheid in de begroting, onder een algemene post.",
        "Costs of safety in the budget, under a general heading.", "Begroting nakijken", "Look at the budget";
    IntegralPlan = "integral-plan", When::Every(1, 9, 15), ["L06", "L21"]:
        "Integraal plan bijwerken, alle vier de thema's samen.",
        "Bring the integral plan up to date, all four themes together.", "Plan nakijken", "Look at the plan";
    AggressionTalk = "aggression-talk", When::Every(1, 10, 15), ["L10", "L11"]:
        "Gesprek over agressie, met bestuur, raad en alle afdelingen.",
        "A talk about aggression, with executive, council and every department.",
        "Gesprek in de organisatie", "A talk in the organisation";
    NormEvaluation = "norm-evaluation", When::Every(1, 11, 15), ["L20", "L55"]:
        "De norm evalueren: past ze nog, en houdt iedereen zich eraan?",
        "Evaluate the norm: does it still fit, and does everybody keep to it?",
        "Norm evalueren", "Evaluate a norm";
    TermPacks = "term-packs", When::Term(14), ["L14", "L23"]:
        "Startpakketten uitreiken aan wie nieuw is.", "Hand start packs to whoever is new.",
        "Pakketten uitreiken", "Hand out packs";
    TermInsurance = "term-insurance", When::Term(30), ["L14", "L15", "L16"]:
        "Begin van de periode: de verzekering, ook voor raadsleden.",
        "Start of the term: the insurance, for councillors too.", "Verzekering nakijken", "Look at the insurance";
    TermBudget = "term-budget", When::Term(60), ["L12", "L14"]:
        "Begin van de periode: een vaste post in de begroting.",
        "Start of the term: a fixed heading in the budget.", "Begroting nakijken", "Look at the budget";
    TermTalk = "term-talk", When::Term(90), ["L10", "L14"]:
        "Begin van de periode: veiligheid op de agenda van het nieuwe bestuur en de nieuwe raad.",
        "Start of the term: safety on the agenda of the new executive and council.",
        "Gesprek in de organisatie", "A talk in the organisation";
}

impl YearTask {
    /// Whether a task of this year can be moved to a day. What a term brings along may fall into the year after.
    pub(super) fn may_be_due(self, year: u16, day: Date) -> bool {
        let into_next = u16::from(matches!(self.when(), When::Term(_)));
        (year..=year.saturating_add(into_next)).contains(&day.year())
    }
}
