//! Aftercare: a plan, and the moments at which somebody asks how it is, long after it has become quiet.
//!
//! A person's own plan is in the dossier. The family's is in the family circle, is theirs, and says nothing that the
//! dossier says: neither side's moments, helpers or outcomes are on the other.

use baken_schemas::Language;
use baken_schemas::circle::CircleKind;
use baken_schemas::edition::{Audience, Date};
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;

use crate::guidance::ReadAs;
use crate::record::RecordView;
use crate::{Baken, BakenError};

/// The months after which there is a moment where the edition says nothing that can be read: our own proposal.
const MONTHS: [u32; 4] = [1, 3, 6, 12];
/// The most moments of a plan, and the latest, in months.
const MAX_MOMENTS: usize = 12;
pub(crate) const MAX_MONTHS: u32 = 120;
/// A moment is at ten in the morning.
const HOUR_MS: i64 = 3_600_000;
const AT_HOUR: i64 = 10;

/// Whom aftercare is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AftercareFor {
    /// The person.
    Own,
    /// Partner and family.
    Family,
}

impl AftercareFor {
    /// The word of [`baken_schemas::record::words::AFTERCARE`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Family => "family",
        }
    }
}

/// A plan that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its record.
    pub plan: RecordId,
    /// The circle it is in.
    pub circle: CircleId,
    /// Its moments, the first first.
    pub moments: Vec<(RecordId, Timestamp)>,
}

impl Baken {
    /// Starts aftercare from the day that measures were scaled down, with a moment after each of these months. A plan
    /// that runs already is gone on with, and gets the moments it lacks: twice is once.
    ///
    /// # Errors
    /// [`BakenError::NoFamilyCircle`], and as [`Self::create_in`].
    pub fn start_aftercare(&self, whom: AftercareFor, from: Date, language: Language) -> Result<Started, BakenError> {
        let (home, kind) = self.with_vault(|open| {
            let home = open.circles.home();
            Ok((home.id(), home.membership().kind()))
        })?;
        // On a family member's phone there is one circle, and what is started there is the family's.
        let whom = if kind == CircleKind::Family { AftercareFor::Family } else { whom };
        let circle = if whom == AftercareFor::Own { home } else { self.family_circle()? };
        let text = |nl: &str, en: &str| Value::Text(language.pick(nl, en).to_owned());
        let word = Value::Text(whom.word().to_owned());
        let runs = |plan: &RecordView| {
            !plan.deleted && plan.circle == circle && plan.says("for", &word) && plan.moment("ended_at").is_none()
        };
        let plan = match self.records(Some("aftercare"))?.iter().find(|plan| runs(plan)) {
            Some(plan) => plan.record,
            None => self.create_in(
                circle,
                "aftercare",
                vec![
                    ("title".to_owned(), text("Nazorg", "Aftercare")),
                    ("for".to_owned(), word),
                    ("scaled_down_at".to_owned(), Value::Int(from.start().0)),
                ],
            )?,
        };
        let there = self.records(Some("follow-up"))?;
        let mut moments = Vec::new();
        for months in self.aftercare_months() {
            let when = plus_months(from, months).start().plus_ms(AT_HOUR * HOUR_MS);
            let same = |moment: &&RecordView| moment.names("of") == Some(plan) && moment.moment("when") == Some(when);
            if let Some(moment) = there.iter().find(same) {
                moments.push((moment.record, when));
                continue;
            }
            let fields = vec![
                ("title".to_owned(), text("Hoe gaat het?", "How are you?")),
                ("when".to_owned(), Value::Int(when.0)),
                ("of".to_owned(), Value::Bytes(plan.0.to_vec())),
            ];
            moments.push((self.create_in(circle, "follow-up", fields)?, when));
        }
        Ok(Started { plan, circle, moments })
    }

    /// Notes who helps. Whose choice it is follows from the plan: the person's own is in the dossier, the family's in
    /// their circle.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn choose_helper(&self, plan: RecordId, helper: &str) -> Result<(), BakenError> {
        self.put(plan, vec![("helper".to_owned(), Value::Text(helper.to_owned()))])
    }

    /// The months that the edition proposes; our own where it says none.
    pub fn aftercare_months(&self) -> Vec<u32> {
        let who = ReadAs { language: Language::Nl, audience: Audience::OfficeHolder, office: None };
        let fact = self.guidance().and_then(|guidance| guidance.fact(who, "aftercare-moments"));
        let said = fact.map(|fact| numbers(&fact.text)).unwrap_or_default();
        if said.is_empty() { MONTHS.to_vec() } else { said }
    }

    fn family_circle(&self) -> Result<CircleId, BakenError> {
        let circles = self.circles()?;
        let family = circles.iter().find(|circle| circle.kind == CircleKind::Family);
        family.map(|circle| circle.circle).ok_or(BakenError::NoFamilyCircle)
    }
}

/// The numbers of months in a sentence, in order, each once.
fn numbers(text: &str) -> Vec<u32> {
    let parsed = text.split(|char: char| !char.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    let mut months: Vec<u32> = parsed.filter(|months| (1..=MAX_MONTHS).contains(months)).collect();
    months.sort_unstable();
    months.dedup();
    months.truncate(MAX_MOMENTS);
    months
}

/// The same day of a later month; the month's last day where it has no such day.
pub(crate) fn plus_months(from: Date, months: u32) -> Date {
    let text = from.to_string();
    let mut parts = text.split('-').filter_map(|part| part.parse::<i64>().ok());
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else { return from };
    let month = month - 1 + i64::from(months);
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12) + 1);
    let date = |day: i64| format!("{year:04}-{month:02}-{day:02}").parse().ok();
    // Every month has 28 days.
    (28..=day.max(28)).rev().map(|last| last.min(day)).find_map(date).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn a_month_later_is_the_same_day_or_the_last_of_the_month() {
        for (from, months, expected) in [
            ("2026-11-27", 1, "2026-12-27"),
            ("2026-11-27", 3, "2027-02-27"),
            ("2026-11-30", 3, "2027-02-28"),
            ("2023-12-31", 2, "2024-02-29"),
            ("2026-01-31", 12, "2027-01-31"),
            ("2026-12-01", 6, "2027-06-01"),
        ] {
            assert_eq!(plus_months(date(from), months), date(expected), "{from} + {months}");
        }
    }

    #[test]
    fn months_are_read_out_of_the_sentence_of_the_edition() {
        assert_eq!(numbers("na 1, 3, 6 en 12 maanden"), [1, 3, 6, 12]);
        assert_eq!(numbers("na 12 en 2 en 2 maanden, niet 0 of 4000000000000"), [2, 12]);
        assert!(numbers("elke maand").is_empty());
    }

    proptest! {
        #[test]
        fn later_months_are_later(days in 0_i64..40_000, a in 0_u32..60, b in 0_u32..60) {
            let from = date("2000-01-01").plus_days(days);
            let (sooner, later) = (plus_months(from, a.min(b)), plus_months(from, a.max(b)));
            prop_assert!(sooner >= from && later >= sooner);
            prop_assert!(later.since(from) <= i64::from(a.max(b)) * 31);
        }
    }
}
