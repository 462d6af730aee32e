//! What goes out to machines: made once when something happens, sealed into its row, and sent from there until it is
//! handed over or delivered, a machine refuses it, or the alarm is closed. A machine's answer is kept as that and moves no
//! alarm on. A test of a channel is such a row like any other, and goes the very same way.

mod content;
mod proof;
mod report;
mod supervise;
mod test;
mod wording;

pub(super) use content::About;
pub use proof::{ChannelView, PROOF_LASTS_MS, RecipientView, Standing, channel_views};
pub(super) use supervise::Lines;
pub use supervise::{Line, ReceiverView, Silent};
pub use test::TestError;
pub use wording::warning as warning_words;

use baken_schemas::alarm::{AlarmKind, ReceiptDetail, ReceiptState};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use self::content::{Addressed, Dc09Content, LetterContent, PushContent, Recipient, SmsContent};
use super::config::{Channel, Channels, Means};
use super::opened::Opened;
use super::store::delivery::Settled;
use super::store::{self, AlarmRow, Claim, DeliveryRow, DeliveryState, NewDelivery, RecipientMark};
use super::{Desk, DeskError, open_sealed};
use crate::channel::sms::SmsMessage;
use crate::channel::{Letter, MachineAnswer, Outcome, RetrySchedule, WebhookId, Why};
use crate::dc09::{Report, Sequence};
use crate::store::Priority;

/// How often a test is tried. An alarm's deliveries go on while it is open; a test says what is wrong and ends.
const MAX_TEST_TRIES: u32 = 5;

/// What the last try came to, or what a gateway reported since, as it lies in the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
enum Tried {
    HandedOver(MachineAnswer),
    Delivered(MachineAnswer),
    Failed { why: Why },
    Refused { why: Why },
}

impl Tried {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What lies in the rows of a closed alarm that were still queued.
pub(super) fn given_up() -> String {
    Tried::Failed { why: Why::AlarmClosed }.to_json()
}

/// A message to a machine.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    /// `webhook`, `dc09`, `smtp`, `sms`, `push`, or `gone` when the channel is no longer configured.
    pub channel: &'static str,
    /// Which channel.
    pub name: String,
    /// To whom, so far as tells it from the channel's others; `None` where the channel itself is the one.
    pub to: Option<String>,
    /// What it was told.
    pub event: ReceiptState,
    /// It was a test of the channel.
    pub test: bool,
    /// `queued`, `handed-over` (a machine on the way has it), `delivered` (the machine it is meant for has it), `failed`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// What the machine answered: `204`, `ACK`.
    pub answer: Option<String>,
    /// Which of the receiver's addresses answered.
    pub answered_by: Option<String>,
    /// Why the last try failed.
    pub why: Option<Why>,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
}

/// Views hold to whom things went; none of it belongs into a log.
impl std::fmt::Debug for DeliveryView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeliveryView(…)")
    }
}

impl DeliveryView {
    pub(super) fn of(row: DeliveryRow, channels: &Channels, at_rest: &SymmetricKey) -> Self {
        let (answer, why) = match serde_json::from_str::<Tried>(&row.outcome).ok() {
            Some(Tried::HandedOver(answer) | Tried::Delivered(answer)) => (Some(answer), None),
            Some(Tried::Failed { why } | Tried::Refused { why }) => (None, Some(why)),
            None => (None, None),
        };
        let channel = channels.find(&row.channel);
        let to = channel.filter(|channel| channel.has_recipients()).and_then(|_| {
            let content = open_sealed(at_rest, &row.content)?;
            serde_json::from_slice::<Addressed>(&content).ok().map(Addressed::into_words)
        });
        Self {
            channel: channel.map_or("gone", Channel::kind),
            name: row.channel,
            to,
            event: row.event,
            test: row.is_test,
            state: row.state.as_str(),
            attempts: row.attempts,
            answered_by: answer.as_ref().map(|answer| answer.by.clone()),
            answer: answer.map(|answer| answer.answer),
            why,
            tried_at: (row.attempts > 0).then_some(row.tried_at),
        }
    }
}

fn addresses(recipients: Vec<String>) -> Vec<Recipient> {
    recipients.into_iter().map(|to| Recipient { to, ..Recipient::default() }).collect()
}

/// `p…@politie.example`, `…678`: tells a channel's recipients apart, and is no address to write down.
fn shortened(to: &str) -> String {
    match to.split_once('@') {
        Some((name, domain)) => format!("{}…@{domain}", name.chars().take(1).collect::<String>()),
        None => {
            let digits: Vec<char> = to.chars().collect();
            format!("…{}", digits.iter().skip(digits.len().saturating_sub(3)).collect::<String>())
        }
    }
}

/// Tells a recipient from the channel's others without naming it.
pub(super) fn mark_of(at_rest: &SymmetricKey, to: &str) -> RecipientMark {
    if to.is_empty() {
        return RecipientMark::default();
    }
    let mark = at_rest.derive("baken/desk-recipient/v0", &[to.as_bytes()]);
    RecipientMark(mark.as_bytes().iter().take(8).copied().collect())
}

impl Desk {
    /// The messages for an event, to be added in the transaction of the event itself.
    pub(super) fn deliveries_for(
        &self,
        row: &AlarmRow,
        opened: &Opened,
        event: ReceiptState,
        detail: Option<&ReceiptDetail>,
    ) -> Vec<NewDelivery> {
        let kind = opened.kind();
        let about = About::Alarm { row, opened, event, detail };
        let told = self.channels.list.iter().filter(|channel| channel.tells(event, kind));
        told.flat_map(|channel| self.deliveries_to(channel, &about, (row.hash, event))).collect()
    }

    /// One message for each recipient of a channel.
    pub(super) fn deliveries_to(
        &self,
        channel: &Channel,
        about: &About<'_>,
        (hash, event): (Hash, ReceiptState),
    ) -> Vec<NewDelivery> {
        let now = self.now();
        let mut rng = self.fork_rng();
        let recipients: Vec<Recipient> = match (&channel.means, about) {
            (Means::Push(_), _) => {
                let browsers = self.browsers().into_iter();
                browsers.map(|browser| Recipient { to: browser.id, shown: browser.shown }).collect()
            }
            // A test goes to everybody who can ever be told: who is not on duty today is so tomorrow.
            (_, About::Test { .. }) => addresses(self.channels.recipients(channel)),
            (_, About::Alarm { .. } | About::Warning { .. }) => addresses(self.channels.recipients_now(channel, now)),
        };
        let each = recipients.iter().map(|recipient| NewDelivery {
            hash,
            alarm: about.id(),
            is_test: matches!(about, About::Test { .. }),
            channel: channel.name.clone(),
            recipient: mark_of(&self.at_rest, &recipient.to),
            event,
            occasion: 0,
            content: self.seal_at_rest(self.content_for(channel, recipient, about).as_bytes(), &mut rng),
            is_dc09: matches!(channel.means, Means::Dc09(_)),
            due_at: now,
        });
        each.collect()
    }

    /// Takes what is due, for one worker each.
    pub(super) async fn claim_deliveries(&self) -> Result<Vec<Claim>, DeskError> {
        let now = self.now();
        self.store.write(Priority::Normal, move |db| Ok(store::delivery::claim(db, now)?)).await
    }

    /// Gives every lease back, at start.
    pub(super) async fn release_deliveries(&self) -> Result<(), DeskError> {
        self.store.write(Priority::Normal, |db| Ok(store::delivery::release_all(db)?)).await
    }

    /// When the next delivery is due.
    pub(super) fn next_delivery(&self) -> Result<Option<Timestamp>, DeskError> {
        self.store.read(|db| Ok(store::delivery::next_due(db)?))
    }

    /// Tries one delivery once, and writes down what came of it.
    pub(super) async fn deliver(&self, claim: Claim) -> Result<(), DeskError> {
        let outcome = self.try_once(&claim).await;
        let settled = self.settle(&claim, outcome);
        if matches!(settled.state, DeliveryState::Queued | DeliveryState::Failed) {
            let last = settled.state == DeliveryState::Failed;
            tracing::warn!(event = "delivery_failed", channel = claim.channel, alarm = %claim.alarm, last);
        }
        self.store
            .write(Priority::Normal, move |db| Ok::<_, DeskError>(store::delivery::finish(db, &claim, &settled)?))
            .await?;
        self.changed();
        Ok(())
    }

    fn settle(&self, claim: &Claim, outcome: Outcome) -> Settled {
        let now = self.now();
        let attempts = claim.attempts.saturating_add(1);
        let (state, tried, reference) = match outcome {
            Outcome::Delivered(answer) => (DeliveryState::Delivered, Tried::Delivered(answer), String::new()),
            Outcome::HandedOver { answer, reference } => {
                (DeliveryState::HandedOver, Tried::HandedOver(answer), reference)
            }
            Outcome::Refused { why } => (DeliveryState::Failed, Tried::Refused { why }, String::new()),
            Outcome::Retry { why } if claim.is_test && attempts >= MAX_TEST_TRIES => {
                (DeliveryState::Failed, Tried::Failed { why }, String::new())
            }
            Outcome::Retry { why } => (DeliveryState::Queued, Tried::Failed { why }, String::new()),
        };
        let due_at = match state {
            DeliveryState::Queued => now.plus_ms(RetrySchedule::ALARM.delay_ms(attempts, &mut self.fork_rng())),
            _ => now,
        };
        Settled { state, outcome: tried.to_json(), reference, now, due_at }
    }

    async fn try_once(&self, claim: &Claim) -> Outcome {
        let unwritable = Outcome::Refused { why: Why::Unwritable };
        // A channel or a recipient that was taken out of the configuration is sent nothing more.
        let Some(channel) = self.channels.find(&claim.channel) else { return unwritable };
        let Some(content) = self.open_at_rest(&claim.content) else { return unwritable };
        match &channel.means {
            Means::Webhook(webhook) => {
                let Ok(content) = std::str::from_utf8(&content) else { return unwritable };
                let Ok(id) = message_id(claim).parse::<WebhookId>() else { return unwritable };
                webhook.send(&id, content, &*self.clock).await
            }
            Means::Dc09(centre) => {
                let Ok(content) = serde_json::from_slice::<Dc09Content>(&content) else { return unwritable };
                let Ok(sequence) = Sequence::try_from(claim.dc09_number) else { return unwritable };
                let report = Report {
                    event: content.event,
                    text: content.text,
                    position: content.position,
                    occurred_at: content.occurred_at,
                    verify_at: None,
                };
                let sender = centre.sender(content.account, self.clock.clone());
                let outcome = sender.send(sequence, &report, &mut self.fork_rng()).await;
                self.heard_from(&channel.name, &outcome);
                outcome
            }
            Means::Smtp(mail) => {
                let Ok(content) = serde_json::from_slice::<LetterContent>(&content) else { return unwritable };
                if !self.channels.recipients(channel).contains(&content.to) {
                    return unwritable;
                }
                let mark = data_encoding::HEXLOWER.encode(&claim.recipient.0);
                let letter = Letter {
                    id: &format!("{}-{mark}", message_id(claim)),
                    to: &content.to,
                    subject: &content.subject,
                    text: &content.text,
                    made_at: content.made_at,
                };
                mail.send(&letter, &*self.clock).await
            }
            Means::Sms(sms) => {
                let Ok(content) = serde_json::from_slice::<SmsContent>(&content) else { return unwritable };
                if !self.channels.recipients(channel).contains(&content.to) {
                    return unwritable;
                }
                let message = SmsMessage { number: claim.number, to: &content.to, text: &content.text };
                sms.send(&message, &*self.clock).await
            }
            Means::Push(push) => {
                let Ok(content) = serde_json::from_slice::<PushContent>(&content) else { return unwritable };
                let gone = Outcome::Refused { why: Why::Unsubscribed };
                let endpoint = match self.endpoint(&content.to) {
                    Ok(Some(endpoint)) => endpoint,
                    Ok(None) => return gone,
                    // That nothing could be read says nothing of the browser.
                    Err(error) => {
                        tracing::error!(event = "browser_not_read", why = %error);
                        return Outcome::Retry { why: Why::NotRead };
                    }
                };
                let how = (content.urgency, content.ttl_s);
                let outcome = push.send(&endpoint, how, &self.vapid, &*self.clock).await;
                if outcome == gone
                    && let Err(error) = self.end_subscription(&content.to).await
                {
                    tracing::error!(event = "subscription_not_ended", why = %error);
                }
                outcome
            }
        }
    }
}

/// One id for each alarm, state and occasion, on every try.
fn message_id(claim: &Claim) -> String {
    let id = id_of(claim.alarm, if claim.is_test { None } else { Some(claim.event) });
    if claim.occasion == 0 { id } else { format!("{id}-{}", claim.occasion + 1) }
}

fn id_of(alarm: AlarmId, event: Option<ReceiptState>) -> String {
    let state = event.and_then(|event| serde_json::to_value(event).ok());
    let state = state.as_ref().and_then(|state| state.as_str()).unwrap_or("test");
    format!("{alarm}-{state}")
}

/// Kinds that must not be shown where the person could be seen by others.
pub(super) fn is_discreet(kind: AlarmKind) -> bool {
    matches!(kind, AlarmKind::Silent | AlarmKind::Duress)
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_recipient_is_told_apart_and_not_named() {
        assert_eq!(shortened("piket@politie.example"), "p…@politie.example");
        assert_eq!(shortened("+31612345678"), "…678");
    }
}
