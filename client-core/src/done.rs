//! What the dossier tells of things that were asked for, had or done. Readiness and the guided steps both ask here, so that
//! they differ only where they mean to: a step is over once one has asked, readiness is what one has.

use baken_schemas::Language;
use baken_schemas::edition::Audience;
use baken_schemas::record::Value;
use baken_schemas::record::words::HomeMark;

use crate::guidance::ReadAs;
use crate::record::RecordView;
use crate::scan::ScanView;
use crate::{Baken, BakenError};

impl Baken {
    /// The records of a kind that are not deleted.
    pub(crate) fn live(&self, kind: &str) -> Result<Vec<RecordView>, BakenError> {
        let mut records = self.records(Some(kind))?;
        records.retain(|record| !record.deleted);
        Ok(records)
    }

    /// Somebody is to be called in an emergency.
    pub(crate) fn has_emergency_contact(&self) -> Result<bool, BakenError> {
        Ok(self.live("contact")?.iter().any(|contact| contact.is("emergency")))
    }

    /// A home has the quality mark, or it is being arranged; or a measure to that end was decided on.
    pub(crate) fn has_home_mark(&self) -> Result<bool, BakenError> {
        let marks = [HomeMark::Met.tag(), HomeMark::UnderWay.tag()];
        Ok(self.live("home")?.iter().any(|home| says(home, "pkvw", &marks))
            || self.has_measure("pkvw", &["decided", "done"])?)
    }

    /// A home scan was asked for, whatever became of it.
    pub(crate) fn home_scan_asked(&self) -> Result<bool, BakenError> {
        Ok(self.live("measure")?.iter().any(|measure| says(measure, "type", &["home-scan"])))
    }

    /// A home scan was had.
    pub(crate) fn home_scan_had(&self) -> Result<bool, BakenError> {
        self.has_measure("home-scan", &["done"])
    }

    /// The alarm was tested, however long ago.
    pub(crate) fn alarm_tested_once(&self) -> Result<bool, BakenError> {
        Ok(self.tests()?.last_success.is_some())
    }

    /// The alarm was tested, and it is not time for another test.
    pub(crate) fn alarm_tested_lately(&self) -> Result<bool, BakenError> {
        Ok(!self.tests()?.is_due)
    }

    /// The round of the self-scan that was begun last has no question left.
    pub(crate) fn self_scan_finished(&self) -> Result<bool, BakenError> {
        Ok(self.asked()?.next(&self.scan()?).is_none())
    }

    /// Every question of the self-scan was answered, in this round or the one before.
    pub(crate) fn self_scan_had(&self) -> Result<bool, BakenError> {
        let (kept, asked) = (self.scan()?, self.asked()?);
        let answered = |question: u8| {
            let mut answers = kept.answers().iter();
            answers.any(|answer| answer.question == question && (answer.reply.is_some() || answer.before.is_some()))
        };
        Ok(!asked.questions.is_empty() && asked.questions.iter().all(|question| answered(question.id)))
    }

    /// The self-scan as this office-holder is asked it.
    fn asked(&self) -> Result<ScanView, BakenError> {
        let who = ReadAs { language: Language::Nl, audience: Audience::OfficeHolder, office: self.own_office()? };
        self.guidance()?.scan(who)
    }

    fn has_measure(&self, of_type: &str, status: &[&str]) -> Result<bool, BakenError> {
        let fits = |measure: &RecordView| says(measure, "type", &[of_type]) && says(measure, "status", status);
        Ok(self.live("measure")?.iter().any(fits))
    }
}

/// Whether a field says one of these words.
pub(crate) fn says(record: &RecordView, field: &str, words: &[&str]) -> bool {
    words.iter().any(|word| record.says(field, &Value::Text((*word).to_owned())))
}
