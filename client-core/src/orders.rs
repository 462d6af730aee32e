//! Orders from afar: a device of this person locks or wipes another one that is lost, and devices on which a duress PIN
//! was used are frozen by the others.
//!
//! An order to lock or wipe is signed and kept here first, and handed to the relay then or with the next sync. Whether
//! it was carried out nobody can say: a locked phone holds no key that its author could check a word of it by.
//!
//! The other way round, each sync notes in the alarm outbox whose orders count, so that they can be checked with the
//! vault locked, and prepares the order by which this device freezes itself. That one goes sealed to the desk with
//! every note, true or not; the desk has it carried out on duress alone. It names how far the membership log was known
//! when it was signed, and a later record that freezes the device or lets it back in overtakes it: so one order freezes
//! once, on whichever device it arrives and however often it is brought. `circle::freeze` carries it out.

use baken_schemas::api;
use baken_schemas::circle::{CircleKind, MemberRole, MemberState};
use baken_schemas::id::DeviceId;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::record::kind_named;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use http::Method;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::alarm::{AlarmOutbox, OrderAuthor, OrderKeys, OrdersDue, Round};
use crate::baken::UnlockedVault;
use crate::circle::freeze;
use crate::client::{SignedClient, idempotency_of};
use crate::devices::DeviceNames;
use crate::record::store::About;
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// The orders that were given here.
const GIVEN: &str = "orders_given";
/// The number of the last of them.
const LAST_NUMBER: &str = "last_order_number";
/// The most orders that are remembered: the newest of each kind for every device there can be at a time.
const MAX_GIVEN: usize = 128;

/// An order that was given here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Given {
    #[n(0)]
    document: ByteVec,
    #[n(1)]
    handed_at: Option<Timestamp>,
}

/// An order that was given on this device. Whether it was carried out is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// The device it is about.
    pub device: DeviceId,
    /// What was ordered.
    pub kind: OrderKind,
    /// When, by this device's clock.
    pub given_at: Timestamp,
    /// Since when the relay has it, by this device's clock; `None` until then.
    pub handed_at: Option<Timestamp>,
}

impl Baken {
    /// Orders another device of this person to lock or wipe itself, whatever became of it in the circle. It does so
    /// with the next connection, if it knew this device when its vault was last open there. A wipe takes nothing out of
    /// a circle.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NotOwner`] on a guest's device and one that is out, [`BakenError::NoSuchDevice`]
    /// for this device, one that is no owner of the dossier, and for [`OrderKind::Freeze`]. Those of the network: the
    /// order is then kept, and handed in by the next [`Baken::sync`].
    pub async fn order(
        &self,
        transport: &dyn Transport,
        device: DeviceId,
        kind: OrderKind,
        pin: &str,
    ) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        let keys = self.device_keys()?;
        let now = self.context.now();
        self.with_vault(|open| give(open, device, kind, now))?;
        self.hand_in_orders(&SignedClient::of_device(transport, &keys)).await
    }

    /// The orders that were given here, the newest of each kind for each device.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn orders(&self) -> Result<Vec<OrderView>, BakenError> {
        let view = |given: &Given| {
            let order = *Unverified::<Order>::parse(&given.document)?.claims();
            let Order { device, kind, made_at: given_at, .. } = order;
            Ok(OrderView { device, kind, given_at, handed_at: given.handed_at })
        };
        self.given_orders()?.iter().map(view).collect()
    }

    fn given_orders(&self) -> Result<Vec<Given>, BakenError> {
        self.with_vault(|open| Ok(setting::read(&open.vault.connection, GIVEN)?.unwrap_or_default()))
    }

    /// Hands the relay the orders that it does not have yet.
    pub(crate) async fn hand_in_orders(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        let mut failed = None;
        for given in self.given_orders()?.into_iter().filter(|given| given.handed_at.is_none()) {
            let body = given.document.to_vec();
            let key = idempotency_of(api::ORDERS, &body);
            match client.send(Method::POST, api::ORDERS, body, key).await {
                Ok(_) => self.note_handed(&given.document)?,
                Err(error @ BakenError::Refused { .. }) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn note_handed(&self, document: &ByteVec) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let mut all: Vec<Given> = setting::read(&open.vault.connection, GIVEN)?.unwrap_or_default();
            all.iter_mut().filter(|given| given.document == *document).for_each(|given| given.handed_at = Some(now));
            setting::write(&open.vault.connection, GIVEN, &all)
        })
    }

    /// Notes in the alarm outbox whose orders count and what this device has prepared, and forgets the orders of
    /// others that the log has overtaken.
    pub(crate) fn note_order_keys(&self) -> Result<(), BakenError> {
        let Some(outbox) = self.outbox_if_there()? else { return Ok(()) };
        let (before, heard, now) = (outbox.order_keys()?, outbox.freezes_heard()?, self.context.now());
        let about = About::kinds(kind_named("device").map(|kind| kind.number));
        let (keys, overtaken) = self.with_settled_about(about, |open| {
            let home = open.circles.home();
            let names = DeviceNames::read(&open.vault.connection, home)?;
            Ok((order_keys(open, &names, &before, now), freeze::overtaken(&open.vault.connection, home, &heard)?))
        })?;
        if keys != before {
            outbox.keep_order_keys(&keys)?;
        }
        overtaken.into_iter().try_for_each(|device| outbox.forget_freeze(device))
    }

    /// The alarm outbox; `None` before this device has one.
    pub(crate) fn outbox_if_there(&self) -> Result<Option<std::sync::Arc<AlarmOutbox>>, BakenError> {
        match self.alarm_outbox() {
            Ok(outbox) => Ok(Some(outbox)),
            Err(BakenError::NotActivated) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is ordered of this device and not carried out. Nothing where the outbox cannot tell: unlocking does not
    /// fail because the outbox does.
    pub(crate) fn orders_due(&self) -> OrdersDue {
        self.alarm_outbox().and_then(|outbox| outbox.orders_due()).unwrap_or_default()
    }

    /// Carries out what is ordered of this device, after a round of mail.
    ///
    /// # Errors
    /// [`BakenError::WipedFromAfar`], and those of the disk.
    pub(crate) fn obey(&self, round: &Round) -> Result<(), BakenError> {
        let due = self.alarm_outbox()?.orders_due()?;
        if due.wipe {
            self.wipe()?;
            return Err(BakenError::WipedFromAfar);
        }
        if due.lock {
            self.lock();
        }
        if round.orders.contains(&OrderKind::Freeze) {
            // A sync carries it out.
            self.edited.notify_one();
        }
        Ok(())
    }
}

/// Signs and keeps an order.
fn give(open: &mut UnlockedVault, device: DeviceId, kind: OrderKind, now: Timestamp) -> Result<(), BakenError> {
    let (home, own) = (open.circles.home().membership(), open.keys.device);
    if home.kind() != CircleKind::Dossier || !home.is_owner(own) {
        return Err(BakenError::NotOwner);
    }
    if kind == OrderKind::Freeze || device == own || !home.was_owner(device) {
        return Err(BakenError::NoSuchDevice);
    }
    let tx = open.vault.connection.transaction()?;
    // By the clock, so that a vault that was put back from a copy does not give a number twice; and never lower.
    let last: u64 = setting::read(&tx, LAST_NUMBER)?.unwrap_or(0);
    let number = last.saturating_add(1).max(u64::try_from(now.0).unwrap_or(0));
    let order = Order { circle: home.circle(), device, author: own, kind, number, made_at: now };
    let document = ByteVec::from(Signed::make(order, &open.keys.sig).bytes().to_vec());
    let mut all: Vec<Given> = setting::read(&tx, GIVEN)?.unwrap_or_default();
    all.retain(|given| {
        let before = Unverified::<Order>::parse(&given.document);
        before.is_ok_and(|before| (before.claims().device, before.claims().kind) != (device, kind))
    });
    let surplus = all.len().saturating_sub(MAX_GIVEN - 1);
    all.drain(..surplus);
    all.push(Given { document, handed_at: None });
    setting::write(&tx, LAST_NUMBER, &number)?;
    setting::write(&tx, GIVEN, &all)?;
    tx.commit()?;
    Ok(())
}

/// Whose orders count here, by the log, and the order by which this device freezes itself. One that was prepared before
/// stays as long as the log does.
fn order_keys(open: &UnlockedVault, names: &DeviceNames, before: &OrderKeys, now: Timestamp) -> OrderKeys {
    let (home, own) = (open.circles.home().membership(), open.keys.device);
    if home.kind() != CircleKind::Dossier || !home.was_owner(own) {
        return OrderKeys::default();
    }
    let owners = home.members().filter(|(member, _)| member.role == MemberRole::Owner && member.device != own);
    let mut authors: Vec<OrderAuthor> = owners
        .filter(|(_, state)| matches!(state, MemberState::Active | MemberState::Frozen { .. }))
        .map(|(member, state)| OrderAuthor {
            device: member.device,
            sig: member.sig,
            active: state == MemberState::Active,
            name: names.of(member.device).unwrap_or_default(),
        })
        .collect();
    authors.sort_unstable();
    let number = home.head().seq.saturating_add(1);
    let circle = home.circle();
    let is_current = Unverified::<Order>::parse(&before.freeze)
        .is_ok_and(|order| (order.claims().circle, order.claims().number) == (circle, number));
    let freeze = if is_current {
        before.freeze.clone()
    } else {
        let order = Order { circle, device: own, author: own, kind: OrderKind::Freeze, number, made_at: now };
        Signed::make(order, &open.keys.sig).bytes().to_vec()
    };
    OrderKeys { dossier: Some(circle), authors, freeze }
}
