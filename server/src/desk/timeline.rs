//! The timeline of an alarm, for who has to answer for it: what came in and every signed receipt, as one file that
//! `baken-server verify` checks without this desk.

use baken_schemas::alarm::Timeline;
use baken_schemas::id::AlarmId;

use super::officers::Officer;
use super::opened::SignatureView;
use super::store::passed_on::PassedOnKind;
use super::store::{self, Form};
use super::{Desk, DeskError};
use crate::audit;
use crate::store::Priority;

/// The most updates in one timeline; the newest.
const MAX_UPDATES: usize = 2_000;

impl Desk {
    /// The timeline, readable by whoever gets it; `None` when there is no such alarm or none whose sender is proven. Who
    /// took it is in the audit.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn timeline(&self, alarm: AlarmId, officer: &Officer) -> Result<Option<Timeline>, DeskError> {
        let found = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?;
        let Some(row) = found.filter(|row| row.form == Form::Alarm) else { return Ok(None) };
        let (opened, sender) = {
            let known = self.known();
            let sender = known.people.sender(row.device).map(|sender| sender.identity.alarm);
            (self.open_row(&row, &known), sender)
        };
        let directory = self.directory();
        let (Some(directory), Some(sender), SignatureView::Proven) = (directory, sender, opened.signature) else {
            return Ok(None);
        };
        let mut timeline = Timeline::new(directory.bytes(), sender, &row.document, opened.content_key());
        let (updates, receipts, joined, passed_on) = self.store.read(|db| {
            let updates = store::alarm::updates(db, alarm, MAX_UPDATES)?;
            let joined = store::alarm::joined(db, row.hash)?;
            let passed_on = store::passed_on::of_alarm(db, row.hash)?;
            Ok::<_, DeskError>((updates, store::receipt::of_alarm(db, row.hash)?, joined, passed_on))
        })?;
        timeline.family = opened.body().and_then(|body| body.family.clone());
        let text = joined.iter().find(|row| row.form == Form::Sms).map(|row| row.hash);
        timeline.text = text;
        timeline.updates = updates.into_iter().rev().map(|update| update.document.into()).collect();
        timeline.receipts = receipts.into_iter().map(|receipt| receipt.document.into()).collect();
        let handed_on = passed_on.into_iter().filter(|row| row.kind == PassedOnKind::HandedOn);
        let handed_on: Vec<_> = handed_on.map(|row| row.document.into()).collect();
        timeline.handings_on = Some(handed_on).filter(|handed_on| !handed_on.is_empty());
        let (now, actor, subject) = (self.now(), officer.id.to_string(), alarm.to_string());
        self.store
            .write(Priority::Normal, move |db| {
                let event =
                    audit::Event { at: now, actor: &actor, act: "timeline_taken", subject: &subject, result: "ok" };
                audit::append(db, &event)?;
                Ok::<_, DeskError>(())
            })
            .await?;
        Ok(Some(timeline))
    }
}
