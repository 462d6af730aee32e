//! One round: asks the relay for everything that is due, and keeps what comes back. The planning is in `schedule`, the
//! judging in `receipts`; here is only the order of asking, keeping and noting.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use baken_schemas::alarm::ReceiptState;
use baken_schemas::api::{self, Documents, Page};
use baken_schemas::cbor;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::order::OrderKind;
use baken_schemas::request::RequestKey;
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use http::Method;
use rusqlite::{Transaction, params};

use crate::alarm::outbox::{Phone, phone};
use crate::alarm::receipts::{Verdict, keep_evidence, take_mail, take_receipt};
use crate::alarm::schedule::{Job, Outcome, Schedule};
use crate::alarm::{AlarmOutbox, view};
use crate::checkin::{self, CheckInNews, Proven};
use crate::client::{SignedClient, idempotency_of, path_with};
use crate::timer;
use crate::transport::Transport;
use crate::{BakenError, Context};

/// How long one try to send an alarm may take. The next try then uses a new connection if need be.
const ALARM_TIMEOUT: Duration = Duration::from_secs(10);
/// The most pages of mail that one round reads; the rest is read in the next.
const MAX_MAIL_PAGES: usize = 64;
/// The most receipts of one alarm that are looked at in one answer.
const MAX_RECEIPTS: usize = 4_096;

/// What one round brought.
#[derive(Debug, Default)]
pub struct Round {
    /// Alarms that were found stored in it: proven by a receipt.
    pub stored: Vec<AlarmId>,
    /// Receipts that count and were not known before.
    pub receipts: Vec<(AlarmId, ReceiptState)>,
    /// Alarms that a desk handed on to another.
    pub handed_on: Vec<AlarmId>,
    /// Documents that do not count, by reason.
    pub refused: Vec<&'static str>,
    /// A responder has sent an alarm of this phone on.
    pub sent_on: bool,
    /// A newer directory was taken: where the relay is may have changed.
    pub new_directory: bool,
    /// Orders of other devices that count and were not known before.
    pub orders: Vec<OrderKind>,
    /// Alarms of others, in which something is new.
    pub incoming: Vec<AlarmId>,
    /// What a person is to be told of check-ins.
    pub check_ins: Vec<CheckInNews>,
    /// The last thing that went wrong with asking. Nothing is given up for it.
    pub error: Option<BakenError>,
}

impl Round {
    /// Whether something shown has changed.
    pub fn changed(&self) -> bool {
        self.sent_on
            || !self.receipts.is_empty()
            || !self.handed_on.is_empty()
            || !self.incoming.is_empty()
            || !self.refused.is_empty()
            || self.new_directory
            || !self.check_ins.is_empty()
    }

    pub(super) fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Counts { alarm, state } => {
                if state == ReceiptState::Stored {
                    self.stored.push(alarm);
                }
                self.receipts.push((alarm, state));
            }
            Verdict::Incoming { alarm } => self.incoming.push(alarm),
            Verdict::HandedOn { alarm } => self.handed_on.push(alarm),
            Verdict::Directory { .. } => self.new_directory = true,
            Verdict::Ordered { kind } => self.orders.push(kind),
            Verdict::SentOn => self.sent_on = true,
            Verdict::SettledElsewhere { check_in } => self.check_ins.push(CheckInNews::SettledElsewhere(check_in)),
            Verdict::Known | Verdict::Probed => {}
            Verdict::Refused { reason } => self.refused.push(reason),
        }
    }
}

impl AlarmOutbox {
    /// Asks the relay for everything that is due now: sends what waits, fetches receipts and mail.
    ///
    /// The network's errors are in [`Round::error`]; what failed is due again later. May be cancelled anywhere.
    ///
    /// # Errors
    /// Those of the disk only.
    pub async fn deliver(&self, transport: &dyn Transport, context: &Context) -> Result<Round, BakenError> {
        self.prepare_texts(context)?;
        let phone = self.read(phone)?;
        let client = client(&phone, transport);
        let mut round = Round::default();
        // A disk too full for what is kept of check-ins stops no alarm from being sent.
        let check_ins = self.keep_check_ins(context);
        let now = context.now();
        let open = self.open_jobs(now)?;
        let due = self.schedule().due(&open, now);
        let (alarms, others): (Vec<Job>, Vec<Job>) = due.into_iter().partition(|job| matches!(job, Job::Alarm(_)));
        // All alarms at once: one that hangs holds up no other.
        let sends = alarms.into_iter().map(|job| async move { (job, self.send(&client, job).await) });
        for (job, answer) in futures_util::future::join_all(sends).await {
            self.settle(job, answer, &mut round, context)?;
        }
        round.check_ins.extend(check_ins?);
        for job in others {
            let answer = self.ask(&client, job, context).await;
            let lost = answer.as_ref().is_err_and(is_of_the_way);
            self.settle(job, answer, &mut round, context)?;
            if lost {
                // Not asked, so not failed: what is left stays due.
                break;
            }
        }
        Ok(round)
    }

    /// Milliseconds until there is something to ask again or to tell of a check-in, at most 20 seconds.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn next_due_ms(&self, now: Timestamp) -> Result<i64, BakenError> {
        let open = self.open_jobs(now)?;
        let asks_ms = self.schedule().next_ms(&open, now);
        let held_ms = self.next_held_ms(now)?;
        let news_ms = self.read(|db| checkin::next_news_ms(db, now))?;
        Ok([held_ms, news_ms].into_iter().flatten().fold(asks_ms, i64::min))
    }

    /// Makes everything due at once: the network came back, or a person asks.
    pub fn hurry(&self) {
        self.schedule().all_due();
        self.bell.notify_one();
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a job went. Only an error of the disk comes out of here.
    fn settle(
        &self,
        job: Job,
        answer: Result<Answer, BakenError>,
        round: &mut Round,
        context: &Context,
    ) -> Result<(), BakenError> {
        let now = context.now();
        let outcome = match answer {
            Ok(Answer::Asked(verdicts)) => {
                verdicts.into_iter().for_each(|verdict| round.add(verdict));
                Outcome::Done { seen: self.is_seen(job)? }
            }
            Ok(Answer::Sent(body)) => self.keep_answer(job, &body, round, now)?,
            Ok(Answer::Over) => Outcome::Done { seen: false },
            Err(BakenError::Refused { status, code }) if is_refusal(status) => {
                match job {
                    Job::Alarm(alarm) => self.note_refusal(alarm, status, &code)?,
                    Job::Said(said) => self.note_said_refused(said, &code)?,
                    Job::Note(note) => self.note_refused(note)?,
                    Job::CheckIn(check_in) | Job::Settlement(check_in) => {
                        self.write(|tx| checkin::note_refusal(tx, check_in, status, &code))?;
                    }
                    Job::Chunk(alarm, seq, chunk) => self.note_chunk_refused(alarm, seq, chunk)?,
                    Job::SmsContext(_) | Job::Update(..) | Job::Receipts(_) | Job::Mail => {}
                }
                round.error = Some(BakenError::Refused { status, code });
                Outcome::Refused
            }
            Err(error) if is_of_the_disk(&error) => return Err(error),
            Err(error) => {
                round.error = Some(error);
                Outcome::Failed
            }
        };
        context.with_rng(|rng| self.schedule().note(job, outcome, now, rng));
        Ok(())
    }

    /// Keeps the relay's answer to what was sent. For an alarm that is its receipt, and nothing else will do.
    fn keep_answer(&self, job: Job, body: &Bytes, round: &mut Round, now: Timestamp) -> Result<Outcome, BakenError> {
        match job {
            Job::Update(alarm, seq) => {
                self.note_update_stored(alarm, seq)?;
                Ok(Outcome::Done { seen: false })
            }
            Job::Said(said) => {
                round.incoming.extend(self.note_said(said)?);
                Ok(Outcome::Done { seen: false })
            }
            Job::Note(note) => {
                self.note_stored(note)?;
                Ok(Outcome::Done { seen: false })
            }
            Job::SmsContext(context) => {
                self.note_context_stored(context)?;
                Ok(Outcome::Done { seen: false })
            }
            Job::Alarm(alarm) => {
                let verdict = self.write(|tx| take_receipt(tx, body, Some(alarm), now))?;
                let proven = match &verdict {
                    Verdict::Counts { alarm: about, .. } | Verdict::HandedOn { alarm: about } => *about == alarm,
                    Verdict::Known | Verdict::Probed => true,
                    _ => false,
                };
                round.add(verdict);
                Ok(if proven { Outcome::Done { seen: false } } else { Outcome::Failed })
            }
            Job::CheckIn(check_in) => {
                let directory = self.directory()?;
                Ok(outcome_of(self.write(|tx| checkin::keep_answer(tx, check_in, body, &directory))?))
            }
            Job::Settlement(check_in) => {
                let directory = self.directory()?;
                Ok(outcome_of(self.write(|tx| checkin::keep_settlement_answer(tx, check_in, body, &directory))?))
            }
            Job::Chunk(alarm, seq, chunk) => {
                self.note_chunk_stored(alarm, seq, chunk)?;
                Ok(Outcome::Done { seen: false })
            }
            Job::Receipts(_) | Job::Mail => Ok(Outcome::Done { seen: false }),
        }
    }

    /// Sends what is sealed for this very try.
    async fn send_check_in(
        &self,
        client: &SignedClient<'_>,
        job: Job,
        context: &Context,
    ) -> Result<Answer, BakenError> {
        let phone = self.read(phone)?;
        let (path, body) = match job {
            Job::CheckIn(id) => (api::DEPOSITS, self.write(|tx| checkin::next_form(tx, id, &phone, context))?),
            Job::Settlement(id) => (api::SETTLEMENTS, self.write(|tx| checkin::settlement(tx, id))?),
            _ => return Ok(Answer::Over),
        };
        let Some(body) = body else { return Ok(Answer::Over) };
        let key = idempotency_of(path, &body);
        let sent = client.send(Method::POST, path, body, key);
        let answer = timer::timeout(ALARM_TIMEOUT, sent).await.unwrap_or(Err(BakenError::NotReached))?;
        Ok(Answer::Sent(answer))
    }

    fn is_seen(&self, job: Job) -> Result<bool, BakenError> {
        let Job::Receipts(alarm) = job else { return Ok(false) };
        self.read(|db| view::is_seen(db, alarm))
    }

    async fn send(&self, client: &SignedClient<'_>, job: Job) -> Result<Answer, BakenError> {
        let Some(document) = self.document(job)? else { return Ok(Answer::Asked(Vec::new())) };
        if let Job::Alarm(alarm) = job {
            // A disk too full for that stops no alarm.
            let _ = self.note_tried(alarm);
        }
        let path = match job {
            Job::Alarm(_) => api::ALARMS,
            Job::Said(said) if self.is_escalation(said)? => api::ESCALATIONS,
            Job::Said(_) => api::RECEIPTS,
            Job::Note(_) => api::NOTES,
            Job::SmsContext(_) => api::SMS_CONTEXTS,
            Job::Update(..) | Job::Settlement(_) | Job::CheckIn(_) | Job::Receipts(_) | Job::Mail | Job::Chunk(..) => {
                api::UPDATES
            }
        };
        // The same document is the same write, whenever and by whichever process it is sent again.
        let key = idempotency_of(path, &document);
        let sent = client.send(Method::POST, path, document, key);
        let answer = timer::timeout(ALARM_TIMEOUT, sent).await.unwrap_or(Err(BakenError::NotReached))?;
        Ok(Answer::Sent(answer))
    }

    async fn ask(&self, client: &SignedClient<'_>, job: Job, context: &Context) -> Result<Answer, BakenError> {
        match job {
            Job::Alarm(_) | Job::Said(_) | Job::Note(_) | Job::SmsContext(_) | Job::Update(..) => {
                self.send(client, job).await
            }
            Job::Settlement(_) | Job::CheckIn(_) => self.send_check_in(client, job, context).await,
            Job::Receipts(alarm) => self.ask_receipts(client, alarm, context).await.map(Answer::Asked),
            Job::Mail => self.ask_mail(client, context).await.map(Answer::Asked),
            Job::Chunk(alarm, seq, chunk) => self.send_chunk(client, (alarm, seq, chunk), context).await,
        }
    }

    async fn ask_receipts(
        &self,
        client: &SignedClient<'_>,
        alarm: AlarmId,
        context: &Context,
    ) -> Result<Vec<Verdict>, BakenError> {
        let path = path_with(api::ALARM_RECEIPTS, alarm)?;
        let key = context.with_rng(|rng| IdempotencyKey::make(rng));
        let answer: Documents = client.ask(Method::GET, &path, Vec::new(), key, "an alarm's receipts").await?;
        let now = context.now();
        self.write(|tx| {
            let documents = answer.documents.iter().take(MAX_RECEIPTS);
            documents.map(|document| take_receipt(tx, document, Some(alarm), now)).collect()
        })
    }

    async fn ask_mail(&self, client: &SignedClient<'_>, context: &Context) -> Result<Vec<Verdict>, BakenError> {
        let mut verdicts = Vec::new();
        for _ in 0..MAX_MAIL_PAGES {
            let place = self.read(mail_place)?;
            let path = format!("{}?after={}", api::MAIL, place.cursor);
            let key = context.with_rng(|rng| IdempotencyKey::make(rng));
            let page: Page = client.ask(Method::GET, &path, Vec::new(), key, "a page of mail").await?;
            let now = context.now();
            let (taken, more) = self.write(|tx| keep_page(tx, &place, &page, now))?;
            verdicts.extend(taken);
            if !more {
                break;
            }
        }
        // After the mail, so that nothing waits for it.
        self.ask_audit(client, context).await?;
        Ok(verdicts)
    }
}

fn outcome_of(proven: Proven) -> Outcome {
    match proven {
        Proven::Kept | Proven::Raised => Outcome::Done { seen: false },
        Proven::Nothing => Outcome::Failed,
    }
}

/// What a try brought.
pub(super) enum Answer {
    /// There was nothing to send any more.
    Over,
    /// The body of a 2xx to what was sent.
    Sent(Bytes),
    /// What came in, judged and kept.
    Asked(Vec<Verdict>),
}

/// How far the mail is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MailPlace {
    pub(super) cursor: u64,
    /// `None` before the first page.
    generation: Option<u64>,
}

pub(super) fn mail_place(db: &rusqlite::Connection) -> Result<MailPlace, BakenError> {
    let (cursor, generation): (i64, i64) =
        db.query_row("SELECT mail_cursor, mail_generation FROM phone", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(MailPlace { cursor: cursor.cast_unsigned(), generation: (generation != -1).then(|| generation.cast_unsigned()) })
}

/// Keeps a page and moves the cursor behind it, both or neither. Says whether to ask for another.
fn keep_page(
    tx: &Transaction<'_>,
    asked: &MailPlace,
    page: &Page,
    now: Timestamp,
) -> Result<(Vec<Verdict>, bool), BakenError> {
    if mail_place(tx)? != *asked {
        // The live stream or another process has read on meanwhile.
        return Ok((Vec::new(), true));
    }
    if asked.generation.is_some_and(|generation| generation != page.generation) {
        set_place(tx, 0, page.generation)?;
        AlarmOutbox::leave_contexts_again(tx)?;
        return Ok((Vec::new(), true));
    }
    let mut verdicts = Vec::new();
    let mut cursor = asked.cursor;
    for item in &page.items {
        if item.cursor <= cursor {
            return Err(BakenError::NotTrustworthy { what: "its mail does not count upwards" });
        }
        cursor = item.cursor;
        verdicts.push(match cbor::from_slice(&item.bytes, "mail") {
            Ok(mail) => take_mail(tx, &mail, now)?,
            Err(_) => keep_evidence(tx, None, "malformed", &item.bytes, now)?,
        });
    }
    set_place(tx, cursor, page.generation)?;
    Ok((verdicts, page.more && !page.items.is_empty()))
}

fn set_place(tx: &Transaction<'_>, cursor: u64, generation: u64) -> Result<(), BakenError> {
    tx.execute(
        "UPDATE phone SET mail_cursor = ?1, mail_generation = ?2",
        params![cursor.cast_signed(), generation.cast_signed()],
    )?;
    Ok(())
}

pub(crate) fn client<'a>(phone: &'a Phone, transport: &'a dyn Transport) -> SignedClient<'a> {
    SignedClient { transport, device: phone.device, request_key: RequestKey::Alarm, key: &phone.alarm_key }
}

/// A 4xx that means no; not the ones that mean later.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 429)
}

/// The way to the relay is what failed, so asking more is of no use now.
fn is_of_the_way(error: &BakenError) -> bool {
    matches!(error, BakenError::NotReached | BakenError::Untrusted | BakenError::OutOfDate)
}

fn is_of_the_disk(error: &BakenError) -> bool {
    matches!(
        error,
        BakenError::Disk(_)
            | BakenError::DiskFull
            | BakenError::Database(_)
            | BakenError::VaultDamaged { .. }
            | BakenError::DirectoryInvalid(_)
    )
}
