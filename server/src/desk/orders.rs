//! What duress sets going at the relay. A device on which a duress PIN was used has itself frozen in its circles: the
//! order came sealed in its note, as it does in every note; of a note without duress it goes nowhere. And a check-in that
//! was settled with one is raised: so this desk asks in its own name.
//!
//! What officers pass on ([`super::pass_on`]) goes the same way.
//!
//! Tried until the relay has it, like receipts, though with growing waits: it may never take the order of a device that
//! it does not know.

use baken_schemas::alarm::{NoteBody, NoteKind, Raise};
use baken_schemas::api;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;

use super::run::{Runner, idempotency_of};
use super::store::{self, Sending};
use super::{Desk, DeskError, hash_of};
use crate::relay_client::RelayError;
use crate::store::Priority;

/// The first and the longest wait until an order that the relay does not take is tried again, in milliseconds.
const RETRY_MS: (i64, i64) = (250, 60_000);
/// How often an order is tried: for more than a month at the longest wait. What waits that long has been overtaken.
const MAX_TRIES: u32 = 50_000;

/// What waits to be handed to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutgoingKind {
    /// An order by which a device freezes itself.
    Freeze = 0,
    /// The desk's own word that a deposit is to be raised.
    Raise = 1,
    /// An alarm that is handed on to another desk.
    HandingOn = 2,
    /// An alarm that is sent to the next rung.
    Escalation = 3,
}

impl OutgoingKind {
    /// By its number in a row.
    pub(super) fn of(number: i64) -> Option<Self> {
        let all = [Self::Freeze, Self::Raise, Self::HandingOn, Self::Escalation];
        all.into_iter().find(|kind| *kind as i64 == number)
    }

    fn path(self) -> &'static str {
        match self {
            Self::Freeze => api::ORDERS,
            Self::Raise => api::RAISES,
            Self::HandingOn => api::HANDINGS_ON,
            Self::Escalation => api::ESCALATIONS,
        }
    }

    /// What the audit calls it.
    pub(super) fn act(self) -> &'static str {
        match self {
            Self::Freeze => "freeze_handed_on",
            Self::Raise => "raise_asked",
            Self::HandingOn => "alarm_handed_on",
            Self::Escalation => "next_rung_called",
        }
    }
}

/// An order that waits to be handed to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingOrder {
    /// Its hash: also the idempotency key's source.
    pub hash: Hash,
    /// What it is.
    pub kind: OutgoingKind,
    /// Its bytes, as they were signed.
    pub document: Vec<u8>,
    /// How often it was tried.
    pub attempts: u32,
}

impl OutgoingOrder {
    /// What a note of this device has handed on: nothing without duress.
    pub(super) fn of_note(body: &NoteBody, device: DeviceId, desk: &DeviceKeys) -> Vec<Self> {
        if !body.duress {
            return Vec::new();
        }
        let raise = body.alarm.filter(|_| body.kind == NoteKind::Settled).map(|deposit| {
            let document = Signed::make(Raise { deposit, desk: desk.device }, &desk.sig);
            Self { hash: document.hash(), kind: OutgoingKind::Raise, document: document.bytes().to_vec(), attempts: 0 }
        });
        raise.into_iter().chain(Self::freeze(body, device)).collect()
    }

    /// The order of that device about itself; `None` where a note holds none. Whether the device signed it is for the
    /// relay and the other devices to check, who have its key.
    fn freeze(body: &NoteBody, device: DeviceId) -> Option<Self> {
        let document = body.freeze.as_ref()?.to_vec();
        let order = Unverified::<Order>::parse(&document).ok()?;
        let claims = order.claims();
        let is_own = claims.kind == OrderKind::Freeze && claims.device == device;
        is_own.then(|| Self { hash: hash_of(&document), kind: OutgoingKind::Freeze, document, attempts: 0 })
    }
}

impl Desk {
    /// Orders that are due to go to the relay.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn outgoing_orders(&self) -> Result<Vec<OutgoingOrder>, DeskError> {
        let now = self.now();
        self.store.read(|db| Ok(store::order::outgoing(db, now)?))
    }

    /// Orders that the relay does not have, due now or later.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn waiting_orders(&self) -> Result<Vec<OutgoingOrder>, DeskError> {
        self.store.read(|db| Ok(store::order::outgoing(db, Timestamp(i64::MAX))?))
    }

    /// The relay has an order, or will not have it.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn order_settled(&self, hash: Hash, sent: bool) -> Result<(), DeskError> {
        let sending = if sent { Sending::Sent } else { Sending::Refused };
        self.store.write(Priority::Alarm, move |db| Ok::<_, DeskError>(store::order::settle(db, hash, sending)?)).await
    }

    async fn put_off_order(&self, order: &OutgoingOrder) -> Result<(), DeskError> {
        let (first_ms, longest_ms) = RETRY_MS;
        let wait_ms = first_ms.saturating_mul(1 << order.attempts.min(16)).min(longest_ms);
        let (hash, due_at) = (order.hash, self.now().plus_ms(wait_ms));
        self.store.write(Priority::Normal, move |db| Ok::<_, DeskError>(store::order::put_off(db, hash, due_at)?)).await
    }

    fn next_order(&self) -> Result<Option<Timestamp>, DeskError> {
        self.store.read(|db| Ok(store::order::next_due(db)?))
    }
}

impl Runner {
    /// Orders to the relay, until it has each.
    pub(super) async fn post_orders(&self) -> Result<(), DeskError> {
        let mut changes = self.desk().changes();
        loop {
            self.desk().beat("orders");
            changes.borrow_and_update();
            for order in self.desk().outgoing_orders()? {
                self.post_order(&order).await?;
            }
            let next = self.desk().next_order()?;
            self.sleep_until(next, &mut changes).await;
        }
    }

    async fn post_order(&self, order: &OutgoingOrder) -> Result<(), DeskError> {
        let posted = match self.client() {
            Ok(client) => client.post(order.kind.path(), &order.document, idempotency_of(order.hash)).await.map(drop),
            Err(error) => Err(error),
        };
        match posted {
            Ok(()) => self.desk().order_settled(order.hash, true).await,
            // This very order is at fault, and sending it again will not help.
            Err(RelayError::Refused { status: 400 | 409 | 413 | 422, code }) => {
                tracing::error!(event = "order_refused", order = %order.hash, code);
                self.desk().order_settled(order.hash, false).await
            }
            // The relay has nothing to raise: the check-in never came there, or was settled more than a day ago.
            Err(RelayError::Refused { status: 404, .. }) if order.kind == OutgoingKind::Raise => {
                tracing::warn!(event = "nothing_to_raise", order = %order.hash);
                self.desk().order_settled(order.hash, false).await
            }
            Err(error) if order.attempts >= MAX_TRIES => {
                tracing::error!(event = "order_given_up", order = %order.hash, why = %error);
                self.desk().order_settled(order.hash, false).await
            }
            Err(error) => {
                tracing::warn!(event = "order_waiting", order = %order.hash, why = %error);
                self.desk().put_off_order(order).await
            }
        }
    }
}
