//! What the dossier tells of how far one is.

use baken_schemas::Language;
use baken_schemas::circle::{CircleKind, MemberState};
use baken_schemas::edition::{Audience, Layer};
use baken_schemas::record::Value;
use baken_schemas::record::words::STELSEL;
use baken_schemas::time::Timestamp;

use crate::guidance::ReadAs;
use crate::record::RecordView;
use crate::{Baken, BakenError};

/// How long an incident, an advice or an evaluation counts for what is going on: a year, in which aftercare has its
/// moments too.
const CURRENT_MS: i64 = 366 * 86_400_000;

/// What is written down, as far as steps ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the step of the same name")]
pub struct Known {
    pub profile: bool,
    pub emergency_contact: bool,
    pub own_edition: bool,
    pub second_device: bool,
    pub recovery_code: bool,
    pub alarm_test: bool,
    pub scan: bool,
    pub insurance: bool,
    pub family_circle: bool,
    pub home_mark: bool,
    pub home_scan: bool,
    pub advice: bool,
    pub measures_chosen: bool,
    pub signals: bool,
    pub signals_told: bool,
    pub review_begun: bool,
    pub review: bool,
    pub review_tasks_done: bool,
    pub incident: bool,
    pub evidence: bool,
    pub reported_inside: bool,
    pub police_decided: bool,
    pub police_advice: bool,
    pub briefing: bool,
    pub aftercare: bool,
    pub family_aftercare: bool,
    pub talks_done: bool,
    pub evaluation: bool,
    pub check_up_planned: bool,
    pub aftercare_ended: bool,
}

impl Baken {
    /// What the dossier, the scan and the circles tell now.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn known(&self) -> Result<Known, BakenError> {
        let mut known = Known::default();
        self.know_start(&mut known)?;
        self.know_measures(&mut known)?;
        self.know_unease(&mut known)?;
        self.know_threat(&mut known)?;
        self.know_after(&mut known)?;
        Ok(known)
    }

    fn live(&self, kind: &str) -> Result<Vec<RecordView>, BakenError> {
        let mut records = self.records(Some(kind))?;
        records.retain(|record| !record.deleted);
        Ok(records)
    }

    fn know_start(&self, known: &mut Known) -> Result<(), BakenError> {
        let circles = self.circles()?;
        let home = circles.first();
        let guidance = self.guidance()?;
        let office = self.own_office()?;
        let name = self.of_profile("name")?.is_some_and(|name| !name.trim().is_empty());
        let address =
            self.has_home_address()? || self.live("home")?.iter().any(|home| !home.text("address").is_empty());
        known.profile = name && office.is_some() && address;
        known.emergency_contact = self.live("contact")?.iter().any(|contact| contact.is("emergency"));
        known.own_edition = guidance.states().iter().any(|state| state.layer == Layer::Organisation);
        let in_home = home.into_iter().flat_map(|home| &home.members);
        known.second_device = in_home.filter(|member| member.state == MemberState::Active).count() > 1;
        known.recovery_code = home.is_some_and(|home| home.recoverable);
        known.alarm_test = self.alarm_outbox()?.tests(self.context.now())?.last_success.is_some();
        let scan = guidance.scan(ReadAs { language: Language::Nl, audience: Audience::OfficeHolder, office })?;
        known.scan = scan.next(&self.scan()?).is_none();
        known.family_circle = circles.iter().any(|circle| circle.kind == CircleKind::Family);
        Ok(())
    }

    fn know_measures(&self, known: &mut Known) -> Result<(), BakenError> {
        let measures = self.live("measure")?;
        let of = |measure: &RecordView, field: &str, word: &str| measure.says(field, &Value::Text(word.to_owned()));
        let any = |field: &str, words: &[&str]| {
            measures.iter().any(|measure| words.iter().any(|word| of(measure, field, word)))
        };
        let homes = self.live("home")?;
        let marked = |home: &RecordView| of(home, "pkvw", "certificate") || of(home, "pkvw", "being-arranged");
        known.home_mark = homes.iter().any(marked) || any("type", &["pkvw"]);
        known.home_scan = any("type", &["home-scan"]);
        known.insurance = any("type", &["insurance"]);
        known.advice = any("origin", &["adviser", "police-advice", STELSEL]);
        let chosen = |measure: &RecordView| !of(measure, "status", "proposed") && !measure.text("status").is_empty();
        known.measures_chosen = known.advice && measures.iter().all(chosen);
        let since = self.current_since();
        let asked = |measure: &RecordView| {
            measure.moment("police_asked_at").is_some_and(|at| at >= since)
                || of(measure, "origin", "police-advice")
                || of(measure, "origin", STELSEL)
        };
        known.police_advice = measures.iter().any(asked);
        Ok(())
    }

    fn know_unease(&self, known: &mut Known) -> Result<(), BakenError> {
        let signals = self.signals()?;
        known.signals = signals.signals.iter().any(|signal| signal.item.kind == "signal");
        known.signals_told = signals.untold.is_empty();
        let since = self.current_since();
        let review = self.review()?.filter(|review| review.at.is_some_and(|at| at >= since));
        known.review_begun = review.is_some();
        known.review = review.as_ref().is_some_and(|review| review.next().is_none());
        known.review_tasks_done = review.is_some_and(|review| review.tasks.iter().all(|task| task.done));
        Ok(())
    }

    fn know_threat(&self, known: &mut Known) -> Result<(), BakenError> {
        let since = self.current_since();
        let mut incidents = self.live("incident")?;
        incidents.retain(|incident| incident.moment("happened_at").is_none_or(|at| at >= since));
        known.incident = !incidents.is_empty();
        known.reported_inside = incidents.iter().all(|incident| !incident.text("reported_to").is_empty());
        let decided = |incident: &RecordView| {
            let police = incident.text("police");
            // Not yet is an answer with a reason, or a moment at which it is looked at again.
            let has_why = !incident.text("police_reason").is_empty() || incident.moment("follow_up").is_some();
            !police.is_empty() && (police != "none-yet" || has_why)
        };
        known.police_decided = incidents.iter().all(decided);
        let files = self.live("attachment")?;
        known.evidence =
            files.iter().any(|file| incidents.iter().any(|incident| file.names("of") == Some(incident.record)));
        let now = self.context.now();
        known.briefing =
            self.live("briefing")?.iter().any(|briefing| briefing.moment("next").is_some_and(|at| at > now));
        Ok(())
    }

    fn know_after(&self, known: &mut Known) -> Result<(), BakenError> {
        let (now, since) = (self.context.now(), self.current_since());
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        let plans = self.live("aftercare")?;
        let own: Vec<&RecordView> = plans.iter().filter(|plan| plan.circle == home).collect();
        let newest = own.iter().max_by_key(|plan| (plan.moment("scaled_down_at"), plan.record));
        known.aftercare = newest.is_some();
        known.aftercare_ended = newest.is_some_and(|plan| plan.moment("ended_at").is_some());
        known.family_aftercare = plans.iter().any(|plan| plan.circle != home);
        let talks = self.live("follow-up")?;
        let due = |talk: &&RecordView| {
            talk.moment("when").is_some_and(|at| at < now)
                && newest.is_some_and(|plan| talk.names("of") == Some(plan.record))
        };
        known.talks_done = talks.iter().filter(due).all(|talk| talk.is("done"));
        known.evaluation =
            self.live("evaluation")?.iter().any(|evaluation| evaluation.moment("at").is_none_or(|at| at >= since));
        known.check_up_planned =
            self.live("check-up")?.iter().any(|check_up| check_up.moment("next").is_some_and(|at| at > now));
        Ok(())
    }

    fn current_since(&self) -> Timestamp {
        self.context.now().plus_ms(-CURRENT_MS)
    }
}
