//! Where one is on a way through the Leidraad, and what comes next: taking office (F1), prevention (F2), unease (F3), a
//! threat (F4), scaling down and aftercare (F7).
//!
//! Nothing of this is stored. [`Known`] is drawn from records, the scan and the circles; [`steps`] is a pure function of
//! it. What nobody can tell from those (that a chapter was read, that somebody called) has no tick and holds nothing up.
//! Not here: the command or screen that does a step.

mod known;
mod words;

pub use known::Known;

use baken_schemas::FormatError;
use serde::Serialize;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($(#[$variant_doc:meta])* $variant:ident = $tag:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Their tags, in order.
            pub const TAGS: &[&str] = &[$($tag),+];

            /// Its tag.
            pub fn tag(self) -> &'static str {
                match self { $(Self::$variant => $tag,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = FormatError;

            fn from_str(tag: &str) -> Result<Self, FormatError> {
                let rule = concat!("it is one of", $(" ", $tag),+);
                Self::ALL.iter().copied().find(|one| one.tag() == tag).ok_or(FormatError::Rule { what: $what, rule })
            }
        }
    };
}

words! {
    /// A way through the Leidraad.
    Way, "a way":
    /// F1, taking office.
    Start = "start",
    /// F2, prevention.
    Prevention = "prevention",
    /// F3, unease.
    Unease = "unease",
    /// F4, a threat.
    Threat = "threat",
    /// F7, scaling down, following up, aftercare.
    After = "after",
}

words! {
    /// A step of a way.
    StepKind, "a step":
    /// Who one is, where one lives, which office one holds.
    Profile = "profile",
    /// To read what a start asks for.
    StartPack = "start-pack",
    /// Whom to call in an emergency.
    EmergencyContact = "emergency-contact",
    /// The organisation's own numbers and protocol.
    Protocol = "protocol",
    /// A second device.
    SecondDevice = "second-device",
    /// The recovery code on paper.
    RecoveryCode = "recovery-code",
    /// A test of the alarm.
    AlarmTest = "alarm-test",
    /// The self-scan.
    SelfScan = "self-scan",
    /// Whether the insurance covers one.
    Insurance = "insurance",
    /// The family's own circle.
    Family = "family",
    /// The home's quality mark.
    HomeMark = "home-mark",
    /// A home scan, asked for.
    HomeScan = "home-scan",
    /// An advice on measures.
    Advice = "advice",
    /// A choice on each measure.
    Measures = "measures",
    /// A signal, written down.
    Signal = "signal",
    /// The support team.
    SupportTeam = "support-team",
    /// The four questions.
    FourQuestions = "four-questions",
    /// Signals that were told to driehoek, region or police.
    SignalsTold = "signals-told",
    /// What the four questions left to do.
    ReviewTasks = "review-tasks",
    /// An incident, written down.
    Incident = "incident",
    /// Evidence beside it.
    Evidence = "evidence",
    /// Told inside the organisation.
    Internal = "internal",
    /// Complaint or report, with the reason.
    Police = "police",
    /// What the police advise.
    PoliceAdvice = "police-advice",
    /// When one is told how it stands.
    Briefing = "briefing",
    /// Aftercare of one's own.
    Aftercare = "aftercare",
    /// Aftercare of the family.
    FamilyAftercare = "family-aftercare",
    /// Talks that were due.
    Talks = "talks",
    /// Looking back.
    Evaluation = "evaluation",
    /// A reminder of the mental check-up.
    CheckUp = "check-up",
    /// The end of following up.
    Closed = "closed",
}

/// A step, and whether it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which.
    pub step: StepKind,
    /// Done or not; `None` where the dossier cannot tell.
    pub done: Option<bool>,
    /// It is the first that is not done.
    pub next: bool,
}

/// Steps of which the dossier tells at most that they were done: what was read or said, and what is a choice. They have no
/// open box and hold nothing up.
const UNTOLD: [StepKind; 5] =
    [StepKind::StartPack, StepKind::SupportTeam, StepKind::Family, StepKind::Evidence, StepKind::FamilyAftercare];

impl Way {
    fn steps(self) -> &'static [StepKind] {
        use StepKind as S;
        match self {
            Self::Start => &[
                S::Profile,
                S::StartPack,
                S::EmergencyContact,
                S::Protocol,
                S::SecondDevice,
                S::RecoveryCode,
                S::AlarmTest,
                S::SelfScan,
                S::Insurance,
                S::Family,
            ],
            Self::Prevention => &[S::SelfScan, S::HomeMark, S::HomeScan, S::Advice, S::Measures],
            Self::Unease => &[S::Signal, S::SupportTeam, S::FourQuestions, S::SignalsTold, S::ReviewTasks],
            Self::Threat => {
                &[S::Incident, S::Evidence, S::Internal, S::Police, S::SupportTeam, S::PoliceAdvice, S::Briefing]
            }
            Self::After => &[S::Aftercare, S::FamilyAftercare, S::Talks, S::Evaluation, S::CheckUp, S::Closed],
        }
    }
}

/// The steps of a way, with how far one is.
pub fn steps(known: &Known, way: Way) -> Vec<Step> {
    let done = |step: StepKind| match known.done.contains(&step) {
        true => Some(true),
        false if UNTOLD.contains(&step) => None,
        false => Some(false),
    };
    let next = way.steps().iter().find(|step| done(**step) == Some(false));
    way.steps().iter().map(|step| Step { step: *step, done: done(*step), next: next == Some(step) }).collect()
}

/// The way that comes first now. A threat goes before everything, and what is over before what may come.
pub fn way_now(known: &Known) -> Way {
    let open = |way| steps(known, way).iter().any(|step| step.next);
    let done = |step| known.done.contains(&step);
    match () {
        () if done(StepKind::Incident) && !done(StepKind::Aftercare) => Way::Threat,
        () if done(StepKind::Aftercare) && !done(StepKind::Closed) => Way::After,
        () if (done(StepKind::Signal) || known.review_begun) && open(Way::Unease) => Way::Unease,
        () if open(Way::Start) => Way::Start,
        () => Way::Prevention,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(done: &[StepKind]) -> Known {
        Known { done: done.iter().copied().collect(), review_begun: false }
    }

    fn next(known: &Known, way: Way) -> Option<StepKind> {
        steps(known, way).into_iter().find(|step| step.next).map(|step| step.step)
    }

    #[test]
    fn an_empty_phone_begins_at_the_beginning_of_each_way() {
        let empty = known(&[]);
        for way in Way::ALL {
            assert_eq!(next(&empty, *way), way.steps().first().copied());
        }
        assert_eq!(way_now(&empty), Way::Start);
    }

    #[test]
    fn what_comes_first_now_follows_from_what_is_written_down() {
        let mut done = vec![StepKind::Signal];
        assert_eq!(way_now(&known(&done)), Way::Unease);
        assert_eq!(next(&known(&done), Way::Unease), Some(StepKind::FourQuestions));
        done.push(StepKind::Incident);
        assert_eq!(way_now(&known(&done)), Way::Threat);
        assert_eq!(next(&known(&done), Way::Threat), Some(StepKind::Internal), "evidence holds nothing up");
        done.push(StepKind::Aftercare);
        assert_eq!(way_now(&known(&done)), Way::After);
        done.push(StepKind::Closed);
        assert_eq!(way_now(&known(&done)), Way::Unease, "the signals are still open");
    }

    #[test]
    fn a_way_has_one_next_step_until_all_is_done_that_can_be_told() {
        let told: Vec<StepKind> = StepKind::ALL.iter().copied().filter(|step| !UNTOLD.contains(step)).collect();
        for way in Way::ALL {
            for missing in way.steps().iter().filter(|step| told.contains(step)) {
                let others: Vec<StepKind> = told.iter().copied().filter(|step| step != missing).collect();
                assert_eq!(next(&known(&others), *way), Some(*missing));
            }
            assert_eq!(next(&known(&told), *way), None, "{way:?}");
        }
        assert_eq!(way_now(&known(&told)), Way::Prevention);
    }
}
