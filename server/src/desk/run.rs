//! Running a desk: mail in, receipts and orders out, deliveries out, cards fetched. Each a loop of its own that sleeps until
//! something changes or is due, and goes on until the desk stops.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use baken_schemas::api::{self, LiveEvent, Mail, MailKind};
use baken_schemas::crypto::Hash;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::request::RequestKey;
use baken_schemas::time::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::attachments::Wanted;
use super::channels::Line;
use super::store::{self, Sending};
use super::{Desk, DeskError, MailPosition, OutgoingReceipt};
use crate::relay_client::{Backoff, Caller, LiveStream, RelayClient, RelayError, Trust};
use crate::store::{Priority, StoreError};

/// The longest sleep of a loop that waits for something to be due.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The longest wait before the relay is tried again, in milliseconds. Short, since a rung of a ladder may be ten seconds:
/// a desk must not sleep through it when the relay comes back.
const LONGEST_WAIT_MS: u64 = 2_000;
/// The first and the longest wait until a receipt that the relay does not take is tried again, in milliseconds: likewise.
const RECEIPT_RETRY_MS: (i64, i64) = (250, 2_000);
/// How often the log says which channels are not known to work.
const UNPROVEN_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// How long until a card that is not there is asked for again, in milliseconds.
const CARD_RETRY_MS: i64 = 5_000;
/// How long until a photo or sound that could not be fetched is asked for again, in milliseconds.
const ATTACHMENT_RETRY_MS: i64 = 5_000;
/// The worker that takes mail, as its sign of life names it.
const TAKING_MAIL: &str = "mail";

/// How the desk stands with its relay: a desk that hears nothing must say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum RelayLink {
    /// The live stream is open.
    Live {
        /// Since when.
        since: Timestamp,
    },
    /// It is not.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why, in a sentence.
        why: String,
    },
}

/// The loops of a desk.
#[derive(Debug)]
pub struct Runner {
    desk: Arc<Desk>,
    urls: Vec<String>,
    trust: Trust,
    link: watch::Sender<RelayLink>,
    stop: watch::Receiver<bool>,
}

impl Runner {
    /// Loops that reach the relay at `urls`, trusting `trust` until the directory says what to trust. They end when
    /// `stop` becomes true.
    pub fn new(desk: Arc<Desk>, urls: Vec<String>, trust: Trust, stop: watch::Receiver<bool>) -> Self {
        let down = RelayLink::Down { since: desk.now(), why: "starting".to_owned() };
        Self { desk, urls, trust, link: watch::Sender::new(down), stop }
    }

    /// How the desk stands with its relay.
    pub fn link(&self) -> watch::Receiver<RelayLink> {
        self.link.subscribe()
    }

    /// Runs until stopped.
    ///
    /// # Errors
    /// [`DeskError::Store`] when the database failed: nothing more can be taken.
    pub async fn run(self) -> Result<(), DeskError> {
        self.desk.release_deliveries().await?;
        let mut stop = self.stop.clone();
        self.start_watch(Arc::clone(&self.desk), stop.clone());
        let runner = Arc::new(self);
        // Tasks of their own, so that none waits for what another has at hand; dropping the set ends them.
        let mut loops = JoinSet::new();
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.take_mail().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.post_receipts().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.post_orders().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.watch_check_ins().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.watch_follow_ups().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.make_deliveries().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.watch_channels().await });
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.keep().await });
        for line in runner.desk.start_lines() {
            let this = Arc::clone(&runner);
            loops.spawn(async move { this.watch_receiver(line).await });
        }
        let this = Arc::clone(&runner);
        loops.spawn(async move { this.fetch_attachments().await });
        loops.spawn(async move { runner.fetch_cards().await });
        tokio::select! {
            // A loop that panicked is as good as a store that stopped: the desk must not go on half.
            Some(ended) = loops.join_next() => ended.unwrap_or(Err(StoreError::Stopped.into())),
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        }
    }

    /// The desk.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(super) fn client(&self) -> Result<RelayClient, RelayError> {
        let keys = self.desk.keys();
        let caller = Caller { device: keys.device, key: keys.sig.clone(), which: RequestKey::Sig };
        match self.desk.directory() {
            Some(directory) => {
                let relay = &directory.value().relay;
                RelayClient::new(&relay.urls, &Trust::of_relay(relay), Some(caller))
            }
            None => RelayClient::new(&self.urls, &self.trust, Some(caller)),
        }
    }

    /// Mail, for ever: pages until there is no more, then the live stream until it breaks.
    async fn take_mail(&self) -> Result<(), DeskError> {
        let mut backoff = Backoff::up_to(LONGEST_WAIT_MS);
        loop {
            self.desk.beat(TAKING_MAIL);
            let broken = match self.follow(&mut backoff).await {
                Ok(never) => match never {},
                Err(DeskError::Store(error)) if !matches!(error, StoreError::Busy | StoreError::Full) => {
                    return Err(error.into());
                }
                Err(error) => error,
            };
            let why = broken.to_string();
            tracing::warn!(event = "relay_down", why);
            self.link.send_if_modified(|link| {
                let since = match link {
                    RelayLink::Down { since, .. } => *since,
                    RelayLink::Live { .. } => self.desk.now(),
                };
                let down = RelayLink::Down { since, why: why.clone() };
                std::mem::replace(link, down.clone()) != down
            });
            tokio::time::sleep(backoff.after_failure()).await;
        }
    }

    async fn follow(&self, backoff: &mut Backoff) -> Result<std::convert::Infallible, DeskError> {
        let client = self.client()?;
        // A directory that is older than what is held is the relay's lie or loss: mail is taken all the same.
        let directory = client.directory(self.desk.org()).await?;
        if let Some(ends) = client.certificate_ends() {
            self.desk.note_relay_certificate(ends);
        }
        match self.desk.take_directory(directory.bytes()).await {
            Err(DeskError::OldDirectory { held, found }) => {
                tracing::warn!(event = "old_directory", held, found);
            }
            other => other?,
        }
        // The directory may have brought other addresses and roots.
        let client = self.client()?;
        self.catch_up(&client).await?;
        let mut live = client.live(self.desk.mail_position()?.cursor).await?;
        let generation = self.desk.mail_position()?.generation;
        backoff.succeeded();
        tracing::info!(event = "relay_live");
        self.link.send_replace(RelayLink::Live { since: self.desk.now() });
        loop {
            if let LiveEvent::Mail { cursor, mail } = self.next_event(&mut live).await? {
                self.desk.take_mail(MailPosition { generation, cursor }, &mail).await?;
            }
        }
    }

    /// The next event, with a sign of life while there is none.
    async fn next_event(&self, live: &mut LiveStream) -> Result<LiveEvent, DeskError> {
        let mut next = std::pin::pin!(live.next());
        loop {
            self.desk.beat(TAKING_MAIL);
            tokio::select! {
                event = &mut next => return Ok(event?),
                () = tokio::time::sleep(LONGEST_SLEEP) => {}
            }
        }
    }

    async fn catch_up(&self, client: &RelayClient) -> Result<(), DeskError> {
        loop {
            self.desk.beat(TAKING_MAIL);
            let held = self.desk.mail_position()?;
            let mut page = client.mail(held.cursor).await?;
            if page.generation != held.generation && held.generation != 0 {
                // Restored from a backup: its cursors mean other mail now. All is read again, which doubles nothing.
                tracing::warn!(event = "relay_restored", from = held.generation, to = page.generation);
                page = client.mail(0).await?;
            }
            for item in &page.items {
                let place = MailPosition { generation: page.generation, cursor: item.cursor };
                self.desk.take_mail(place, &readable(&item.bytes)).await?;
            }
            if page.items.is_empty() && held.generation != page.generation {
                self.desk.put_mail_position(MailPosition { generation: page.generation, cursor: 0 }).await?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Receipts to the relay, in order, until it has each.
    async fn post_receipts(&self) -> Result<(), DeskError> {
        let mut changes = self.desk.changes();
        loop {
            self.desk.beat("receipts");
            changes.borrow_and_update();
            let due = self.desk.outgoing_receipts()?;
            if !due.is_empty() {
                self.post(due).await?;
            }
            let next = self.desk.next_receipt()?;
            self.sleep_until(next, &mut changes).await;
        }
    }

    async fn post(&self, due: Vec<OutgoingReceipt>) -> Result<(), DeskError> {
        let client = match self.client() {
            Ok(client) => client,
            Err(error) => return self.put_off_all(&due, &error).await,
        };
        for (position, receipt) in due.iter().enumerate() {
            match client.post(api::RECEIPTS, &receipt.document, idempotency_of(receipt.hash)).await {
                Ok(_) => self.desk.receipt_settled(receipt.hash, true).await?,
                // This very receipt is at fault, and sending it again will not help.
                Err(RelayError::Refused { status: status @ (400 | 409 | 413 | 422), code }) => {
                    tracing::error!(event = "receipt_refused", receipt = %receipt.hash, status, code);
                    self.desk.receipt_settled(receipt.hash, false).await?;
                }
                // Not yet: the relay has still to learn of the alarm or of this desk. Others need not wait for it.
                Err(error @ RelayError::Refused { status: 401 | 403 | 404, .. }) => {
                    self.put_off_all(std::slice::from_ref(receipt), &error).await?;
                }
                Err(error) => return self.put_off_all(&due[position..], &error).await,
            }
        }
        Ok(())
    }

    async fn put_off_all(&self, due: &[OutgoingReceipt], error: &RelayError) -> Result<(), DeskError> {
        tracing::warn!(event = "receipts_waiting", count = due.len(), why = %error);
        let (first_ms, longest_ms) = RECEIPT_RETRY_MS;
        for receipt in due {
            let delay_ms = first_ms.saturating_mul(1 << receipt.attempts.min(16)).min(longest_ms);
            self.desk.put_off_receipt(receipt.hash, self.desk.now().plus_ms(delay_ms)).await?;
        }
        Ok(())
    }

    /// Messages to machines, each on a task of its own.
    async fn make_deliveries(&self) -> Result<(), DeskError> {
        let mut changes = self.desk.changes();
        let mut under_way = JoinSet::new();
        loop {
            self.desk.beat("deliveries");
            changes.borrow_and_update();
            for claim in self.desk.claim_deliveries().await? {
                let desk = Arc::clone(&self.desk);
                under_way.spawn(async move { desk.deliver(claim).await });
            }
            let next = self.desk.next_delivery()?;
            tokio::select! {
                () = self.sleep_until(next, &mut changes) => {}
                Some(done) = under_way.join_next() => if let Ok(outcome) = done { outcome? },
            }
        }
    }

    /// One receiver of an alarm centre, asked whenever it has heard nothing for the agreed time.
    async fn watch_receiver(&self, line: Line) -> Result<(), DeskError> {
        loop {
            let wait_ms = u64::try_from(self.desk.next_question(&line).since_ms(self.desk.now())).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(wait_ms.max(5)).min(LONGEST_SLEEP)).await;
            self.desk.ask_receiver(&line).await;
        }
    }

    /// Says in the log once a day which channels are not known to work.
    async fn watch_channels(&self) -> Result<(), DeskError> {
        loop {
            self.desk.log_unproven()?;
            tokio::time::sleep(UNPROVEN_EVERY).await;
        }
    }

    /// Cards of alarms that brought a key to one.
    async fn fetch_cards(&self) -> Result<(), DeskError> {
        let mut changes = self.desk.changes();
        // Not before this moment. Bounded by the open alarms: what is no longer wanted is forgotten.
        let mut not_before: HashMap<Hash, Timestamp> = HashMap::new();
        loop {
            changes.borrow_and_update();
            let wanted = self.desk.cards_wanted()?;
            not_before.retain(|hash, _| wanted.iter().any(|(wanted, _)| wanted == hash));
            let now = self.desk.now();
            for (hash, device) in wanted {
                if not_before.get(&hash).is_some_and(|at| *at > now) {
                    continue;
                }
                not_before.insert(hash, now.plus_ms(CARD_RETRY_MS));
                let fetched = match self.client() {
                    Ok(client) => client.card(device).await,
                    Err(error) => Err(error),
                };
                match fetched {
                    Ok(Some(card)) => match self.desk.put_card(device, &card).await {
                        Err(DeskError::Store(error)) => return Err(error.into()),
                        Err(error) => tracing::warn!(event = "card_refused", %device, why = %error),
                        Ok(()) => {}
                    },
                    Ok(None) => tracing::info!(event = "no_card", %device),
                    Err(error) => tracing::warn!(event = "card_not_fetched", %device, why = %error),
                }
            }
            let next = not_before.values().min().copied();
            self.sleep_until(next, &mut changes).await;
        }
    }

    /// Photos and sound that updates of open alarms name. One that cannot be had holds up no other for longer than a try.
    async fn fetch_attachments(&self) -> Result<(), DeskError> {
        let mut changes = self.desk.changes();
        let mut complete = HashSet::new();
        let mut not_before: HashMap<Hash, Timestamp> = HashMap::new();
        loop {
            changes.borrow_and_update();
            let wanted = self.desk.attachments_wanted(&mut complete)?;
            not_before.retain(|update, _| wanted.iter().any(|wanted| wanted.update == *update));
            for wanted in wanted {
                if not_before.get(&wanted.update).is_some_and(|at| *at > self.desk.now()) {
                    continue;
                }
                not_before.insert(wanted.update, self.desk.now().plus_ms(ATTACHMENT_RETRY_MS));
                match self.fetch_attachment(&wanted).await {
                    Err(DeskError::Store(error)) => return Err(error.into()),
                    Err(error) => tracing::warn!(event = "attachment_not_fetched", alarm = %wanted.alarm, why = %error),
                    Ok(false) => tracing::warn!(event = "attachment_refused", alarm = %wanted.alarm),
                    Ok(true) => {}
                }
            }
            let next = not_before.values().min().copied();
            self.sleep_until(next, &mut changes).await;
        }
    }

    async fn fetch_attachment(&self, wanted: &Wanted) -> Result<bool, DeskError> {
        let client = self.client()?;
        let blob = &wanted.attachment.blob;
        for chunk in wanted.from..blob.chunks {
            let bytes = client.alarm_chunk(wanted.alarm, blob.blob, chunk).await?;
            self.desk.put_attachment_chunk(wanted, chunk, bytes).await?;
        }
        self.desk.attachment_arrived(wanted).await
    }

    /// Sleeps until something changes or `due`, at most [`LONGEST_SLEEP`].
    pub(super) async fn sleep_until(&self, due: Option<Timestamp>, changes: &mut watch::Receiver<u64>) {
        let wait = due.map_or(LONGEST_SLEEP, |due| {
            let ms = u64::try_from(due.since_ms(self.desk.now())).unwrap_or_default();
            // Never less than a tick, so that something that stays due cannot keep a processor busy.
            Duration::from_millis(ms.max(5)).min(LONGEST_SLEEP)
        });
        // An error means that the desk is gone; then the loop ends with it.
        let _ = tokio::time::timeout(wait, changes.changed()).await;
    }
}

/// The same for every try of one receipt.
pub fn idempotency_of(hash: Hash) -> IdempotencyKey {
    let [key @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash.0;
    IdempotencyKey(key)
}

impl Desk {
    /// Receipts that are due to go to the relay, in order.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn outgoing_receipts(&self) -> Result<Vec<OutgoingReceipt>, DeskError> {
        let now = self.now();
        self.store.read(|db| Ok(store::receipt::outgoing(db, now)?))
    }

    fn next_receipt(&self) -> Result<Option<Timestamp>, DeskError> {
        self.store.read(|db| Ok(store::receipt::next_due(db)?))
    }

    /// The relay has a receipt, or will not have it.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn receipt_settled(&self, hash: Hash, sent: bool) -> Result<(), DeskError> {
        let sending = if sent { Sending::Sent } else { Sending::Refused };
        self.store
            .write(Priority::Alarm, move |db| Ok::<_, DeskError>(store::receipt::settle(db, hash, sending)?))
            .await?;
        self.changed();
        Ok(())
    }

    async fn put_off_receipt(&self, hash: Hash, due_at: Timestamp) -> Result<(), DeskError> {
        self.store.write(Priority::Normal, move |db| Ok(store::receipt::put_off(db, hash, due_at)?)).await
    }

    async fn put_mail_position(&self, place: MailPosition) -> Result<(), DeskError> {
        self.store.write(Priority::Normal, move |db| Ok(store::put_mail_position(db, place)?)).await
    }
}

/// What cannot be read, of a newer relay or a lying one, rings like a damaged alarm: it may be one, and it must not
/// keep what lies behind it from arriving.
pub fn readable(item: &[u8]) -> Mail {
    baken_schemas::cbor::from_slice(item, "a piece of mail")
        .unwrap_or_else(|_| Mail { kind: MailKind::Alarm, document: item.to_vec().into() })
}
