//! The rules, in the order in which what they say should be done. Each is a function that answers where it applies.

use serde::Serialize;

use crate::edition::{Layers, Office};
use crate::rules::case::{Case, Rests};
use crate::rules::{
    Act, Answer, Code, Cover, Gap, HomeMark, Origin, Share, Situation, SituationError, Threat, sharing,
};

/// What the rules say of a situation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The situation.
    pub situation: Situation,
    /// What to do, the first first.
    pub answers: Vec<Answer>,
    /// With whom the measure may be shared, where there is one.
    pub sharing: Vec<Share>,
    /// What could not be answered, and why.
    pub gaps: Vec<Gap>,
}

impl Decision {
    /// Whether a code is among the answers.
    pub fn says(&self, code: Code) -> bool {
        self.answers.iter().any(|answer| answer.code == code)
    }
}

/// Answers so far, and what could not be answered.
type Found = Vec<Result<Answer, Gap>>;

/// What the rules say of a situation on its day.
///
/// # Errors
/// [`SituationError`] when the office is not one of that kind of organisation. An answer that the edition has no valid
/// fact for is no error: it is left out and stands in [`Decision::gaps`].
pub fn decide(layers: &Layers, situation: &Situation) -> Result<Decision, SituationError> {
    situation.check()?;
    let case = Case::new(layers, situation);
    let found = if situation.threat == Threat::Danger { danger(&case) } else { all(&case) };
    let (mut answers, mut gaps) = (Vec::new(), Vec::new());
    for found in found {
        match found {
            Ok(answer) => answers.push(answer),
            Err(gap) => gaps.push(gap),
        }
    }
    let shares = match situation.measure {
        Some(origin) if situation.threat != Threat::Danger => sharing(origin),
        _ => Vec::new(),
    };
    Ok(Decision { situation: *situation, answers, sharing: shares, gaps })
}

fn all(case: &Case<'_>) -> Found {
    let rules: [fn(&Case<'_>) -> Found; 12] = [
        threat_first,
        offence,
        no_offence,
        unease,
        route,
        confidential,
        afterwards,
        home_first,
        executives,
        elected,
        insurance,
        start,
    ];
    let mut found: Found = rules.iter().flat_map(|rule| rule(case)).collect();
    found.extend(scans(case));
    found
}

/// R01: nothing else.
fn danger(case: &Case<'_>) -> Found {
    vec![case.answer(Code::CallEmergency, &Rests { needs: &[], also: &[], contacts: &["emergency"] })]
}

/// R02: a concrete threat goes before any scan.
fn threat_first(case: &Case<'_>) -> Found {
    if case.situation.threat != Threat::Concrete {
        return Vec::new();
    }
    vec![case.answer(Code::SkipScans, &Rests { needs: &[&["scan-all"]], also: &[], contacts: &[] })]
}

/// R02, the other way round: without a concrete threat there is room for scans.
fn scans(case: &Case<'_>) -> Found {
    if !matches!(case.situation.threat, Threat::None | Threat::Unease) {
        return Vec::new();
    }
    let own = Rests { needs: &[&["self-scan-minutes"]], also: &["self-scan-official"], contacts: &[] };
    let home = Rests { needs: &[&["scan-all"]], also: &["scan-domains", "scan-councillors"], contacts: &["ccv"] };
    vec![case.answer(Code::TakeSelfScan, &own), case.answer(Code::AskHomeScan, &home)]
}

/// R03: what may be an offence. Whether it is one, the police judge.
fn offence(case: &Case<'_>) -> Found {
    if !matches!(case.situation.act(), Act::Offence | Act::Unclear) {
        return Vec::new();
    }
    let rests = Rests {
        needs: &[&["vpt-code"]],
        also: &[
            "law-threat",
            "law-threat-penalty",
            "law-doxing",
            "law-doxing-penalty",
            "law-doxing-office",
            "law-doxing-water",
            "seven-ws",
            "domicile",
            "employer-complaint",
            "number-complaint",
            "police-agreements",
            "national-team",
        ],
        contacts: &["police"],
    };
    vec![case.answer(Code::FileComplaint, &rests)]
}

/// R04: a report where it is no offence, and one inside the organisation whatever it is.
fn no_offence(case: &Case<'_>) -> Found {
    let mut found = Vec::new();
    let act = case.situation.act();
    if act == Act::NoOffence {
        let rests = Rests { needs: &[&["report-kept"]], also: &["seven-ws"], contacts: &["police"] };
        found.push(case.answer(Code::ReportAnyway, &rests));
    }
    if act != Act::None {
        let also = &["internal-steps", "register", "retention-rule", "fair-treatment"];
        let rests = Rests { needs: &[&["internal-always"]], also, contacts: &[] };
        found.push(case.answer(Code::ReportInternally, &rests));
    }
    found
}

/// R05: feelings and signals.
fn unease(case: &Case<'_>) -> Found {
    if case.situation.threat != Threat::Unease {
        return Vec::new();
    }
    let team = Rests { needs: &[&["small-incidents"]], also: &["free-choice"], contacts: &["support-team"] };
    let questions = Rests { needs: &[&["four-questions"]], also: &[], contacts: &[] };
    let signal = Rests { needs: &[&["signals-shared"]], also: &["signals-combined"], contacts: &[] };
    let police = Rests { needs: &[&["alarm-advice"]], also: &["alarm-programme"], contacts: &["police"] };
    vec![
        case.answer(Code::CallSupportTeam, &team),
        case.answer(Code::AskFourQuestions, &questions),
        case.answer(Code::ShareSignal, &signal),
        case.answer(Code::TalkToPolice, &police),
    ]
}

/// The circulars, of which one holds on a day.
const CIRCULARS: &[&str] = &["system-circular", "system-circular-2023"];

/// R09 and R10: which way a concrete threat goes.
fn route(case: &Case<'_>) -> Found {
    let Situation { threat, office, residence_known, .. } = *case.situation;
    if threat != Threat::Concrete {
        return Vec::new();
    }
    if office != Office::Mayor {
        let rests = Rests {
            needs: &[CIRCULARS, &["system-other-offices"]],
            also: ROUTE_ALSO,
            contacts: &["police", "support-team"],
        };
        return vec![case.answer(Code::RegularRoute, &rests)];
    }
    let rests =
        Rests { needs: &[CIRCULARS, &["system-mayor"]], also: ROUTE_ALSO, contacts: &["police", "support-team"] };
    let mut found = vec![case.answer(Code::MayorRoute, &rests)];
    if !residence_known {
        let rests = Rests { needs: &[&["system-residence"]], also: &["system-district"], contacts: &[] };
        found.push(case.answer(Code::NameResidence, &rests));
    }
    found
}

const ROUTE_ALSO: &[&str] = &[
    "system-authority",
    "system-new",
    "system-residence",
    "system-local-authority",
    "system-steps",
    "system-range",
    "system-costs",
    "system-cooperate",
    "system-informed",
    "system-rhythm",
    "system-care",
];

/// R11: what is said of a measure.
fn confidential(case: &Case<'_>) -> Found {
    let (code, rests) = match case.situation.measure {
        Some(Origin::System) => (
            Code::KeepMeasuresSecret,
            Rests { needs: &[&["system-silence"]], also: &["system-informed"], contacts: &[] },
        ),
        // What others advised is paid by the organisation, and comes into its papers.
        Some(Origin::Organisation | Origin::Adviser | Origin::PoliceAdvice) => (
            Code::KeepMeasuresOutOfPapers,
            Rests { needs: &[&["budget-heading"]], also: &["measures-adopted"], contacts: &[] },
        ),
        Some(Origin::Own) | None => return Vec::new(),
    };
    vec![case.answer(code, &rests)]
}

/// R12: the threat has ended, or measures were scaled down.
fn afterwards(case: &Case<'_>) -> Found {
    if case.situation.threat != Threat::Over {
        return Vec::new();
    }
    let care = Rests {
        needs: &[&["aftercare-moments"], &["aftercare-moments-why"]],
        also: &["aftercare-same-day", "aftercare-talks", "free-choice"],
        contacts: &["support-team", "victim-support"],
    };
    let evaluation = Rests { needs: &[&["evaluation"]], also: &["aftercare-moments"], contacts: &[] };
    vec![case.answer(Code::PlanAftercare, &care), case.answer(Code::Evaluate, &evaluation)]
}

/// R08: the home's mark, at one's own cost, before any measure.
fn home_first(case: &Case<'_>) -> Found {
    let code = match case.situation.home {
        HomeMark::Met | HomeMark::UnderWay => return Vec::new(),
        HomeMark::NotMet => Code::BringHomeFirst,
        HomeMark::Unknown => Code::LookAtHome,
    };
    let also = &["pkvw-precondition", "pkvw-demands", "pkvw-term", "pkvw-owner"];
    vec![case.answer(code, &Rests { needs: &[&["pkvw-own-cost"]], also, contacts: &[] })]
}

/// R06: executives, under the scheme of the day.
fn executives(case: &Case<'_>) -> Found {
    if !case.situation.office.is_executive() {
        return Vec::new();
    }
    let entitled = Rests {
        needs: &[&["entitled-executives", "entitled-executives-2021"]],
        also: &[
            "measures-2024",
            "measures-adviser",
            "measures-basis",
            "measures-provided",
            "measures-kinds",
            "measures-start",
            "measures-home-area",
            "measures-package",
            "measures-reimbursed",
            "measures-maximum",
            "measures-decree",
            "measures-articles",
            "measures-after-office",
        ],
        contacts: &[],
    };
    let payer = Rests {
        needs: &[&["payer-municipality", "payer-province", "payer-water-authority", "payer-executives-2021"]],
        also: &["employer-care", "measures-adopted"],
        contacts: &[],
    };
    let mut found = vec![case.answer(Code::EntitledToMeasures, &entitled), case.answer(Code::OrganisationPays, &payer)];
    if case.situation.may_ask_measures() {
        let rests = Rests { needs: &[&["measures-choice"], WAYS], also: &["scan-domains"], contacts: &["ccv"] };
        found.push(case.answer(Code::AskForAdvice, &rests));
    }
    found
}

/// How measures come, by the scheme of the day.
const WAYS: &[&str] = &["measures-adviser", "measures-reimbursed"];

/// R07: members of an elected body and its committees.
fn elected(case: &Case<'_>) -> Found {
    if case.situation.office.is_executive() {
        return Vec::new();
    }
    let outside = Rests {
        needs: &[&["entitled-councillors", "entitled-assembly"]],
        also: &["entitled-list", "measures-decree"],
        contacts: &[],
    };
    let payer = Rests {
        needs: &[&["payer-council", "payer-assembly"]],
        also: &["council-measures", "employer-care", "scan-councillors"],
        contacts: &[],
    };
    vec![case.answer(Code::OutsideScheme, &outside), case.answer(Code::OrganisationMayPay, &payer)]
}

/// R13: whom the insurance covers, and councillors of whom nobody knows it.
fn insurance(case: &Case<'_>) -> Found {
    let Situation { office, cover, .. } = *case.situation;
    let also = &["insurance-advice"];
    let (code, needs): (_, &[&[&str]]) = match cover {
        Cover::Covered => (Code::InsuranceCovers, &[&["cover-covered", "insurance-advice"]]),
        Cover::NotCovered => (Code::InsuranceExcludes, &[&["cover-not-covered", "insurance-advice"]]),
        Cover::Unknown if matches!(office, Office::Councillor | Office::CommitteeMember) => {
            (Code::CheckInsurance, &[&["insurance-councillors"]])
        }
        Cover::Unknown => return Vec::new(),
    };
    let rests = Rests { needs, also, contacts: &[] };
    vec![case.answer(code, &rests)]
}

/// R14: the start of a term.
fn start(case: &Case<'_>) -> Found {
    if !case.situation.new_in_office {
        return Vec::new();
    }
    let pack = Rests {
        needs: &[&["safety-package", "own-safety-brochure"]],
        also: &["own-safety-brochure", "training-aggression", "training-influence", "resilience-module"],
        contacts: &[],
    };
    let term = Rests { needs: &[&["start-term"], &["budget-heading"]], also: &["insurance-advice"], contacts: &[] };
    vec![case.answer(Code::ReadStartPack, &pack), case.answer(Code::PrepareTerm, &term)]
}
