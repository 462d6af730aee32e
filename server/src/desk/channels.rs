//! What goes out to machines: made once when something happens, sealed into its row, and sent from there until a
//! machine has it, it refuses, or the alarm is closed. A machine's answer is kept as that and moves no alarm on.

use baken_schemas::alarm::{AlarmKind, Fix, Position, ReceiptDetail, ReceiptState};
use baken_schemas::id::{AccountId, AlarmId};
use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::config::{Channel, Means};
use super::opened::{Opened, SignatureView};
use super::store::{self, AlarmRow, Claim, DeliveryState, NewDelivery};
use super::{Desk, DeskError, PlaceView};
use crate::channel::{Outcome, RetrySchedule, WebhookId, Why};
use crate::dc09::events::Event;
use crate::dc09::{Report, Sequence};
use crate::store::Priority;

/// What a DC-09 message is made of, the same on every try.
#[derive(Serialize, Deserialize)]
struct Dc09Content {
    event: Event,
    text: String,
    position: Option<Position>,
    occurred_at: Timestamp,
    account: Option<AccountId>,
}

/// What the last try came to, as it lies in the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub(super) enum Tried {
    Delivered(crate::channel::MachineAnswer),
    Failed { why: Why },
    Refused { why: Why },
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
        let now = self.now();
        let mut rng = self.fork_rng();
        let told = self.channels.0.iter().filter(|channel| channel.tells(event, kind));
        told.map(|channel| {
            let (content, is_dc09) = match channel.means {
                Means::Webhook { .. } => (self.webhook_body(channel, row, opened, event, detail), false),
                Means::Dc09 { .. } => (self.dc09_content(channel, row, opened), true),
            };
            NewDelivery {
                hash: row.hash,
                alarm: row.alarm,
                channel: channel.name.clone(),
                event,
                content: self.seal_at_rest(content.as_bytes(), &mut rng),
                is_dc09,
                due_at: now,
            }
        })
        .collect()
    }

    fn link(&self, alarm: AlarmId) -> String {
        format!("{}/alarms/{alarm}", self.console_url)
    }

    fn webhook_body(
        &self,
        channel: &Channel,
        row: &AlarmRow,
        opened: &Opened,
        event: ReceiptState,
        detail: Option<&ReceiptDetail>,
    ) -> String {
        let mut data = json!({ "alarm": row.alarm, "state": event, "console": self.link(row.alarm) });
        if channel.include.kind {
            data["kind"] = json!(opened.kind());
        }
        if channel.include.person {
            let known = self.known();
            let person = known.people.sender(row.device).map(|sender| sender.person.clone());
            data["person"] = json!(person.map(|person| json!({ "name": person.name, "office": person.office })));
            data["proven"] = json!(opened.signature == SignatureView::Proven);
        }
        if channel.include.position {
            data["position"] = json!(position_of(opened).map(|position| PlaceView::from(&position)));
        }
        if channel.include.officer
            && let Some(detail) = detail
        {
            data["officer"] = json!(detail.officer);
            data["text"] = json!(detail.text);
        }
        json!({ "type": "baken.alarm", "timestamp": self.now().to_rfc3339(), "data": data }).to_string()
    }

    fn dc09_content(&self, channel: &Channel, row: &AlarmRow, opened: &Opened) -> String {
        // What cannot be opened may be anything: an alarm centre gets the kind that makes it act.
        let event = opened.kind().map_or(Event::Panic, Event::from);
        let known = self.known();
        let sender = known.people.sender(row.device);
        let text = match sender {
            Some(sender) if channel.include.person => {
                format!("Baken {} {}", sender.person.office, sender.person.name)
            }
            _ => "Baken".to_owned(),
        };
        let content = Dc09Content {
            event,
            text,
            position: position_of(opened).filter(|_| channel.include.position),
            occurred_at: row.received_at,
            account: sender.map(|sender| sender.account),
        };
        serde_json::to_string(&content).unwrap_or_default()
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
        let mut rng = self.fork_rng();
        let now = self.now();
        let (state, tried, due_at) = match outcome {
            Outcome::Delivered(answer) => (DeliveryState::Delivered, Tried::Delivered(answer), now),
            Outcome::Refused { why } => (DeliveryState::Refused, Tried::Refused { why }, now),
            Outcome::Retry { why } => {
                let delay_ms = RetrySchedule::ALARM.delay_ms(claim.attempts.saturating_add(1), &mut rng);
                (DeliveryState::Waiting, Tried::Failed { why }, now.plus_ms(delay_ms))
            }
        };
        let channel = claim.channel.clone();
        if state != DeliveryState::Delivered {
            tracing::warn!(event = "delivery_failed", channel, alarm = %claim.alarm, final_ = state == DeliveryState::Refused);
        }
        let tried = serde_json::to_string(&tried).unwrap_or_default();
        self.store
            .write(Priority::Normal, move |db| {
                Ok::<_, DeskError>(store::delivery::finish(db, &claim, state, &tried, (now, due_at))?)
            })
            .await?;
        self.changed();
        Ok(())
    }

    async fn try_once(&self, claim: &Claim) -> Outcome {
        let unwritable = Outcome::Refused { why: Why::Unwritable };
        // A channel that was taken out of the configuration has nobody to send to.
        let Some(channel) = self.channels.find(&claim.channel) else { return unwritable };
        let Some(content) = self.open_at_rest(&claim.content).and_then(|plain| String::from_utf8(plain).ok()) else {
            return unwritable;
        };
        match &channel.means {
            Means::Webhook { webhook, .. } => {
                let Ok(id) = webhook_id(claim.alarm, claim.event).parse::<WebhookId>() else { return unwritable };
                webhook.send(&id, &content, &*self.clock).await
            }
            Means::Dc09 { .. } => {
                let Ok(content) = serde_json::from_str::<Dc09Content>(&content) else { return unwritable };
                let Some(sender) = channel.dc09_sender(content.account, self.clock.clone()) else { return unwritable };
                let Ok(sequence) = Sequence::try_from(claim.dc09_number) else { return unwritable };
                let report = Report {
                    event: content.event,
                    text: content.text,
                    position: content.position,
                    occurred_at: content.occurred_at,
                    verify_at: None,
                };
                sender.send(sequence, &report, &mut self.fork_rng()).await
            }
        }
    }
}

/// One id for each alarm and state, on every try.
fn webhook_id(alarm: AlarmId, event: ReceiptState) -> String {
    let state = serde_json::to_value(event).ok().and_then(|state| state.as_str().map(str::to_owned));
    format!("{alarm}-{}", state.unwrap_or_default())
}

fn position_of(opened: &Opened) -> Option<Position> {
    match opened.body()?.fix {
        Fix::At(position) => Some(position),
        Fix::Absent(_) => None,
    }
}

/// Kinds that must not be shown where the person could be seen by others.
pub(super) fn is_discreet(kind: AlarmKind) -> bool {
    matches!(kind, AlarmKind::Silent | AlarmKind::Duress)
}
