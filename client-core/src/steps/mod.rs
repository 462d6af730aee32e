//! Where one is on a way through the Leidraad, and what comes next: taking office (F1), prevention (F2), unease (F3), a
//! threat (F4), scaling down and aftercare (F7).
//!
//! Nothing of this is stored. [`Known`] is drawn from records, the scan and the circles; [`steps`] is a pure function of
//! it. What nobody can tell from those (that a chapter was read, that somebody called) has no tick and holds nothing up.
//! Not here: the command or screen that does a step.

mod known;
mod words;

pub use known::Known;

use serde::Serialize;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$variant_doc:meta])* $variant:ident = $tag:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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
    };
}

words! {
    /// A way through the Leidraad.
    Way:
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
    StepKind:
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

/// The steps of a way, with how far one is.
pub fn steps(known: &Known, way: Way) -> Vec<Step> {
    use StepKind as S;
    let told = |done: bool| Some(done);
    let all: Vec<(StepKind, Option<bool>)> = match way {
        Way::Start => vec![
            (S::Profile, told(known.profile)),
            (S::StartPack, None),
            (S::EmergencyContact, told(known.emergency_contact)),
            (S::Protocol, told(known.own_edition)),
            (S::SecondDevice, told(known.second_device)),
            (S::RecoveryCode, told(known.recovery_code)),
            (S::AlarmTest, told(known.alarm_test)),
            (S::SelfScan, told(known.scan)),
            (S::Insurance, told(known.insurance)),
            (S::Family, known.family_circle.then_some(true)),
        ],
        Way::Prevention => vec![
            (S::SelfScan, told(known.scan)),
            (S::HomeMark, told(known.home_mark)),
            (S::HomeScan, told(known.home_scan)),
            (S::Advice, told(known.advice)),
            (S::Measures, told(known.measures_chosen)),
        ],
        Way::Unease => vec![
            (S::Signal, told(known.signals)),
            (S::SupportTeam, None),
            (S::FourQuestions, told(known.review)),
            (S::SignalsTold, told(known.signals && known.signals_told)),
            (S::ReviewTasks, told(known.review && known.review_tasks_done)),
        ],
        Way::Threat => vec![
            (S::Incident, told(known.incident)),
            (S::Evidence, known.evidence.then_some(true)),
            (S::Internal, told(known.incident && known.reported_inside)),
            (S::Police, told(known.incident && known.police_decided)),
            (S::SupportTeam, None),
            (S::PoliceAdvice, told(known.police_advice)),
            (S::Briefing, told(known.briefing)),
        ],
        Way::After => vec![
            (S::Aftercare, told(known.aftercare)),
            // Theirs to choose, as is whether there is one.
            (S::FamilyAftercare, known.family_aftercare.then_some(true)),
            (S::Talks, told(known.aftercare && known.talks_done)),
            (S::Evaluation, told(known.evaluation)),
            (S::CheckUp, told(known.check_up_planned)),
            (S::Closed, told(known.aftercare_ended)),
        ],
    };
    let next = all.iter().position(|(_, done)| *done == Some(false));
    all.iter().enumerate().map(|(at, (step, done))| Step { step: *step, done: *done, next: next == Some(at) }).collect()
}

/// The way that comes first now. A threat goes before everything, and what is over before what may come.
pub fn way_now(known: &Known) -> Way {
    let open = |way| steps(known, way).iter().any(|step| step.next);
    match () {
        () if known.incident && !known.aftercare => Way::Threat,
        () if known.aftercare && !known.aftercare_ended => Way::After,
        () if (known.signals || known.review_begun) && open(Way::Unease) => Way::Unease,
        () if open(Way::Start) => Way::Start,
        () => Way::Prevention,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn next(known: &Known, way: Way) -> Option<StepKind> {
        steps(known, way).into_iter().find(|step| step.next).map(|step| step.step)
    }

    #[test]
    fn an_empty_phone_begins_at_the_beginning_of_each_way() {
        let known = Known::default();
        let first: Vec<_> = Way::ALL.iter().map(|way| next(&known, *way).unwrap()).collect();
        let expected =
            [StepKind::Profile, StepKind::SelfScan, StepKind::Signal, StepKind::Incident, StepKind::Aftercare];
        assert_eq!(first, expected);
        assert_eq!(way_now(&known), Way::Start);
    }

    #[test]
    fn what_comes_first_now_follows_from_what_is_written_down() {
        let signals = Known { signals: true, ..Known::default() };
        assert_eq!(way_now(&signals), Way::Unease);
        assert_eq!(next(&signals, Way::Unease), Some(StepKind::FourQuestions));
        let threat = Known { incident: true, ..signals };
        assert_eq!(way_now(&threat), Way::Threat);
        assert_eq!(next(&threat, Way::Threat), Some(StepKind::Internal), "evidence holds nothing up");
        let after = Known { aftercare: true, ..threat };
        assert_eq!(way_now(&after), Way::After);
        let over = Known { aftercare_ended: true, ..after };
        assert_eq!(way_now(&over), Way::Unease, "the signals are still open");
    }

    #[test]
    fn a_way_has_one_next_step_until_all_is_done_that_can_be_told() {
        let all = Known {
            profile: true,
            emergency_contact: true,
            own_edition: true,
            second_device: true,
            recovery_code: true,
            alarm_test: true,
            scan: true,
            insurance: true,
            family_circle: true,
            home_mark: true,
            home_scan: true,
            advice: true,
            measures_chosen: true,
            signals: true,
            signals_told: true,
            review_begun: true,
            review: true,
            review_tasks_done: true,
            incident: true,
            evidence: true,
            reported_inside: true,
            police_decided: true,
            police_advice: true,
            briefing: true,
            aftercare: true,
            family_aftercare: true,
            talks_done: true,
            evaluation: true,
            check_up_planned: true,
            aftercare_ended: true,
        };
        for way in Way::ALL {
            assert_eq!(next(&all, *way), None, "{way:?}");
            assert_eq!(steps(&Known::default(), *way).iter().filter(|step| step.next).count(), 1);
        }
        assert_eq!(way_now(&all), Way::Prevention);
    }
}
