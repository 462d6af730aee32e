//! What the dossier tells of how far one is.

use std::collections::BTreeSet;

use baken_schemas::circle::{CircleKind, MemberState};
use baken_schemas::edition::Layer;
use baken_schemas::record::words::Origin;
use baken_schemas::time::Timestamp;

use crate::done::says;
use crate::guidance::LayerState;
use crate::record::RecordView;
use crate::steps::StepKind;
use crate::{Baken, BakenError};

/// How long an incident, an advice or an evaluation counts for what is going on: a year, in which aftercare has its
/// moments too.
const CURRENT_MS: i64 = 366 * 86_400_000;

/// What is written down, as far as steps ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The steps that are done.
    pub done: BTreeSet<StepKind>,
    /// The four questions were begun.
    pub review_begun: bool,
}

impl Known {
    fn note(&mut self, step: StepKind, done: bool) {
        if done {
            self.done.insert(step);
        }
    }
}

impl Baken {
    /// What the dossier, the scan and the circles tell now.
    ///
    /// # Errors
    /// [`BakenError::Locked`]; [`BakenError::NotOwner`] on a guest's device, which has no dossier.
    pub fn known(&self) -> Result<Known, BakenError> {
        if self.with_vault(|open| Ok(open.account().is_none()))? {
            return Err(BakenError::NotOwner);
        }
        let mut known = Known::default();
        self.know_start(&mut known)?;
        self.know_measures(&mut known)?;
        self.know_unease(&mut known)?;
        self.know_threat(&mut known)?;
        self.know_after(&mut known)?;
        Ok(known)
    }

    fn know_start(&self, known: &mut Known) -> Result<(), BakenError> {
        let circles = self.circles()?;
        let home = circles.first();
        let guidance = self.guidance()?;
        let office = self.own_office()?;
        let name = self.of_profile("name")?.is_some_and(|name| !name.trim().is_empty());
        let address =
            self.has_home_address()? || self.live("home")?.iter().any(|home| !home.text("address").is_empty());
        known.note(StepKind::Profile, name && office.is_some() && address);
        known.note(StepKind::EmergencyContact, self.has_emergency_contact()?);
        let is_own = |state: &LayerState| state.layer == Layer::Organisation && state.version > 0;
        known.note(StepKind::Protocol, guidance.states().iter().any(is_own));
        let in_home = home.into_iter().flat_map(|home| &home.members);
        known.note(StepKind::SecondDevice, in_home.filter(|member| member.state == MemberState::Active).count() > 1);
        known.note(StepKind::RecoveryCode, home.is_some_and(|home| home.recoverable));
        known.note(StepKind::AlarmTest, self.alarm_tested_once()?);
        known.note(StepKind::SelfScan, self.self_scan_finished()?);
        known.note(StepKind::Family, circles.iter().any(|circle| circle.kind == CircleKind::Family));
        Ok(())
    }

    fn know_measures(&self, known: &mut Known) -> Result<(), BakenError> {
        let measures = self.live("measure")?;
        let any = |field: &str, words: &[&str]| measures.iter().any(|measure| says(measure, field, words));
        known.note(StepKind::HomeMark, self.has_home_mark()?);
        known.note(StepKind::HomeScan, self.home_scan_asked()?);
        known.note(StepKind::Insurance, any("type", &["insurance"]));
        let has_advice = any("origin", &[Origin::Adviser.tag(), Origin::PoliceAdvice.tag(), Origin::System.tag()]);
        known.note(StepKind::Advice, has_advice);
        let chosen =
            |measure: &RecordView| !says(measure, "status", &["proposed"]) && !measure.text("status").is_empty();
        known.note(StepKind::Measures, has_advice && measures.iter().all(chosen));
        let since = self.current_since();
        let asked = |measure: &RecordView| {
            measure.moment("police_asked_at").is_some_and(|at| at >= since)
                || says(measure, "origin", &[Origin::PoliceAdvice.tag(), Origin::System.tag()])
        };
        known.note(StepKind::PoliceAdvice, measures.iter().any(asked));
        Ok(())
    }

    fn know_unease(&self, known: &mut Known) -> Result<(), BakenError> {
        let signals = self.signals()?;
        let is_there = signals.signals.iter().any(|signal| signal.item.kind == "signal");
        known.note(StepKind::Signal, is_there);
        known.note(StepKind::SignalsTold, is_there && signals.untold.is_empty());
        let since = self.current_since();
        let review = self.review()?.filter(|review| review.at.is_some_and(|at| at >= since));
        known.review_begun = review.is_some();
        if let Some(review) = review.filter(|review| review.next().is_none()) {
            known.note(StepKind::FourQuestions, true);
            known.note(StepKind::ReviewTasks, review.tasks.iter().all(|task| task.done));
        }
        Ok(())
    }

    fn know_threat(&self, known: &mut Known) -> Result<(), BakenError> {
        let since = self.current_since();
        let mut incidents = self.live("incident")?;
        incidents.retain(|incident| incident.moment("happened_at").is_none_or(|at| at >= since));
        if incidents.is_empty() {
            return Ok(());
        }
        known.note(StepKind::Incident, true);
        let inside = |incident: &RecordView| !incident.text("reported_to").is_empty();
        known.note(StepKind::Internal, incidents.iter().all(inside));
        let decided = |incident: &RecordView| {
            let police = incident.text("police");
            // Not yet is an answer with a reason, or a moment at which it is looked at again.
            let has_why = !incident.text("police_reason").is_empty() || incident.moment("follow_up").is_some();
            !police.is_empty() && (police != "none-yet" || has_why)
        };
        known.note(StepKind::Police, incidents.iter().all(decided));
        let belongs = |file: &RecordView| incidents.iter().any(|incident| file.names("of") == Some(incident.record));
        known.note(StepKind::Evidence, self.live("attachment")?.iter().any(belongs));
        let now = self.context.now();
        let agreed = |briefing: &RecordView| briefing.moment("next").is_some_and(|at| at > now);
        known.note(StepKind::Briefing, self.live("briefing")?.iter().any(agreed));
        Ok(())
    }

    fn know_after(&self, known: &mut Known) -> Result<(), BakenError> {
        let (now, since) = (self.context.now(), self.current_since());
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        let plans = self.live("aftercare")?;
        let incidents = self.live("incident")?;
        let newest_incident = incidents.iter().filter_map(|incident| incident.moment("happened_at")).max();
        // A plan that had ended when something new happened is of what was before.
        let overtaken = |plan: &RecordView| plan.moment("ended_at").is_some_and(|ended| newest_incident > Some(ended));
        let own: Vec<&RecordView> = plans.iter().filter(|plan| plan.circle == home && !overtaken(plan)).collect();
        let newest = own.iter().max_by_key(|plan| (plan.moment("scaled_down_at"), plan.record));
        known.note(StepKind::Aftercare, newest.is_some());
        known.note(StepKind::Closed, newest.is_some_and(|plan| plan.moment("ended_at").is_some()));
        known.note(StepKind::FamilyAftercare, plans.iter().any(|plan| plan.circle != home));
        let talks = self.live("follow-up")?;
        let due = |talk: &&RecordView| {
            talk.moment("when").is_some_and(|at| at < now)
                && newest.is_some_and(|plan| talk.names("of") == Some(plan.record))
        };
        known.note(StepKind::Talks, newest.is_some() && talks.iter().filter(due).all(|talk| talk.is("done")));
        let looked_back = |evaluation: &RecordView| evaluation.moment("at").is_none_or(|at| at >= since);
        known.note(StepKind::Evaluation, self.live("evaluation")?.iter().any(looked_back));
        let planned = |check_up: &RecordView| check_up.moment("next").is_some_and(|at| at > now);
        known.note(StepKind::CheckUp, self.live("check-up")?.iter().any(planned));
        Ok(())
    }

    fn current_since(&self) -> Timestamp {
        self.context.now().plus_ms(-CURRENT_MS)
    }
}
