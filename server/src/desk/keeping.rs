//! How long alarms are kept: some days after an alarm was closed its key is destroyed, and with it everything that was
//! said and sent of it. What stays says that it was there, how far it got and when: id, hash, receipts without their words,
//! the audit, and what is counted. An officer keeps an alarm longer, with a reason: a complaint, a case.

use std::sync::PoisonError;
use std::time::Duration;

use baken_schemas::alarm::{ReceiptDetail, ReceiptState};
use baken_schemas::cbor;
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use super::figures::{self, Ending};
use super::officers::Officer;
use super::run::Runner;
use super::store;
use super::store::keeping::KeptRow;
use super::{ActError, Desk, DeskError, MAX_WORDS_BYTES, tested};
use crate::audit;
use crate::store::Priority;

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How often it is looked for what is over.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// The most steps in one look, of a few dozen alarms each.
const MAX_STEPS: usize = 256;

/// How long an alarm is kept.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct KeepingView {
    /// When it was closed, by this desk's clock.
    pub closed_at: Option<Timestamp>,
    /// When its content will be destroyed; `None` while it is open, or kept longer.
    pub until: Option<Timestamp>,
    /// Who keeps it longer, and why.
    pub held: Option<HoldView>,
    /// When its content was destroyed.
    pub shredded_at: Option<Timestamp>,
    /// After how many days.
    pub shredded_after_days: Option<u32>,
}

/// An alarm that is kept longer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HoldView {
    /// The officer.
    pub officer: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

impl Desk {
    /// Seals what came before alarms had keys, and destroys what was kept long enough. Whether there may be more.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn keep_step(&self) -> Result<bool, DeskError> {
        let without_key = self.store.read(|db| Ok::<_, DeskError>(store::keeping::without_key(db)?))?;
        for alarm in &without_key {
            self.give_key(*alarm).await?;
        }
        let now = self.now();
        let days = self.channels.kept_days();
        let then = now.plus_ms(-i64::from(days) * DAY_MS);
        let over = self.store.read(|db| Ok::<_, DeskError>(store::keeping::over(db, then)?))?;
        let shredded = over.clone();
        let notes = self
            .store
            .write(Priority::Normal, move |db| {
                for alarm in &shredded {
                    store::keeping::shred(db, *alarm, u32::from(days), now)?;
                }
                Ok::<_, DeskError>(store::keeping::forget_notes(db, then)?)
            })
            .await?;
        if !over.is_empty() || notes > 0 {
            self.opened.lock().unwrap_or_else(PoisonError::into_inner).clear();
            // What the log still holds of it goes too.
            self.store.cut_log().await?;
            tracing::info!(event = "alarms_shredded", count = over.len(), notes);
            self.changed();
        }
        Ok(!without_key.is_empty() || !over.is_empty())
    }

    /// Gives an alarm of before its key, and counts it.
    async fn give_key(&self, alarm: AlarmId) -> Result<(), DeskError> {
        let row = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?;
        let counted = row.map(|row| {
            let known = self.known();
            let opened = self.open_row(&row, &known);
            let tester = tested::tester(row.device, &opened, &known);
            (row.hash, figures::kind_word(opened.kind()), row.received_at, tester)
        });
        let fresh = SymmetricKey::make(&mut self.fork_rng());
        self.store
            .write(Priority::Normal, move |db| {
                store::sealed::give_key(db, alarm, &fresh)?;
                let Some((hash, kind, received_at, tester)) = counted else { return Ok(()) };
                store::figure::add(db, hash, (kind, figures::month_of(received_at)), received_at)?;
                if let Some(account) = tester {
                    store::tested::put(db, account, received_at)?;
                }
                for receipt in store::receipt::of_alarm(db, hash)? {
                    figures::count(db, hash, receipt.state, Ending::Unsaid, receipt.at)?;
                }
                Ok::<_, DeskError>(())
            })
            .await
    }

    /// Keeps an alarm until it is released. One that somebody keeps already stays so.
    ///
    /// # Errors
    /// [`ActError::Unknown`], [`ActError::Words`] without a reason, [`ActError::Shredded`] too late, and the store's.
    pub async fn hold(&self, alarm: AlarmId, officer: &Officer, why: &str) -> Result<(), ActError> {
        let why = why.trim();
        if why.is_empty() || why.len() > MAX_WORDS_BYTES {
            return Err(ActError::Words);
        }
        let detail = ReceiptDetail { officer: officer.name.clone(), text: why.to_owned() };
        let sealed = self.seal_at_rest(&cbor::to_vec(&detail), &mut self.fork_rng());
        let (now, officer) = (self.now(), officer.id);
        self.note_keeping(alarm, officer, "alarm_held", move |db| {
            Ok(store::keeping::hold(db, alarm, (officer, &sealed), now)?)
        })
        .await
    }

    /// Keeps an alarm no longer than others.
    ///
    /// # Errors
    /// [`ActError::Unknown`], [`ActError::Shredded`], and the store's.
    pub async fn release(&self, alarm: AlarmId, officer: &Officer) -> Result<(), ActError> {
        self.note_keeping(alarm, officer.id, "alarm_released", move |db| Ok(store::keeping::release(db, alarm)?)).await
    }

    async fn note_keeping(
        &self,
        alarm: AlarmId,
        officer: super::officers::OfficerId,
        act: &'static str,
        change: impl Fn(&rusqlite::Connection) -> Result<bool, ActError> + Send + 'static,
    ) -> Result<(), ActError> {
        let now = self.now();
        self.store
            .write(Priority::Normal, move |db| {
                store::alarm::find(db, alarm)?.ok_or(ActError::Unknown)?;
                if store::keeping::shredded(db, alarm)?.is_some() {
                    return Err(ActError::Shredded);
                }
                if change(db)? {
                    let (actor, subject) = (officer.to_string(), alarm.to_string());
                    audit::append(db, &audit::Event { at: now, actor: &actor, act, subject: &subject, result: "ok" })?;
                }
                Ok(())
            })
            .await?;
        self.changed();
        Ok(())
    }

    pub(super) fn keeping_view(&self, row: &KeptRow, state: ReceiptState) -> KeepingView {
        let held = row.hold.as_ref().map(|hold| {
            let detail = self.open_at_rest(&hold.reason);
            let detail = detail.and_then(|detail| cbor::from_slice::<ReceiptDetail>(&detail, "a reason").ok());
            let (officer, why) = detail.map(|detail| (detail.officer, detail.text)).unwrap_or_default();
            HoldView { officer, why, since: hold.at }
        });
        let goes = state == ReceiptState::Closed && held.is_none() && row.shredded.is_none();
        let days = i64::from(self.channels.kept_days());
        KeepingView {
            closed_at: row.closed_at,
            until: row.closed_at.filter(|_| goes).map(|at| at.plus_ms(days * DAY_MS)),
            held,
            shredded_at: row.shredded.map(|(at, _)| at),
            shredded_after_days: row.shredded.map(|(_, days)| days),
        }
    }
}

impl Runner {
    /// Destroys what was kept long enough, for ever.
    pub(super) async fn keep(&self) -> Result<(), DeskError> {
        loop {
            for _ in 0..MAX_STEPS {
                if !self.desk().keep_step().await? {
                    break;
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
