//! What people do to their circles: found one, let a device in, object, take one out, leave.
//!
//! Each act is one record of the membership log: made here, taken by the relay, and only then true here. Where another
//! device's record came first, it is made anew behind that.

use baken_schemas::api;
use baken_schemas::circle::{CircleKind, Cut, LogRecord, MemberRole, MemberState, Operation};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{Value, kind_named};
use baken_schemas::signed::Signed;
use http::Method;

use crate::circle::{self, Circle, Founding};
use crate::client::{SignedClient, idempotency_of, path_with};
use crate::sync::rows;
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// How often a log record is made anew because another device's came first.
const MAX_LOG_TRIES: usize = 8;
/// The relay does not have this circle's log yet.
pub(super) const UNPOSTED: &str = "unposted";

impl Baken {
    /// Founds a family circle, or one for a case, and tells the relay when it can be reached. All of this person's
    /// devices are in it.
    ///
    /// # Errors
    /// [`BakenError::NotOwner`] on a guest's device, [`BakenError::ValueRefused`] for a second dossier,
    /// [`BakenError::Travelling`].
    pub fn found_circle(&self, kind: CircleKind, name: &str) -> Result<CircleId, BakenError> {
        if kind == CircleKind::Dossier {
            return Err(BakenError::ValueRefused);
        }
        let id = self.context.with_rng(|rng| CircleId::make(rng));
        self.with_vault(|open| {
            let home = open.circles.home().membership();
            if open.travel.is_some() {
                return Err(BakenError::Travelling);
            }
            if open.account().is_none() || !home.is_owner(open.keys.device) {
                return Err(BakenError::NotOwner);
            }
            let founding = Founding {
                circle: id,
                kind,
                root: home.root(),
                signer: &open.keys.sig,
                recovery: home.recovery().cloned(),
            };
            let tx = open.vault.connection.transaction()?;
            let circle = self.context.with_rng(|rng| Circle::found(&tx, founding, &open.keys, rng))?;
            setting::write_of(&tx, circle.row(), UNPOSTED, &true)?;
            tx.commit()?;
            open.circles.add(circle);
            Ok(())
        })?;
        let (home, device) = self.with_vault(|open| Ok((open.circles.home().id(), open.keys.device)))?;
        // In the dossier, so that this person's other devices find it; in the circle, for those who join.
        self.name_circle(home, id, name)?;
        self.name_circle(id, id, name)?;
        self.name_in(id, device, &self.own_name()?)?;
        Ok(id)
    }

    fn name_circle(&self, within: CircleId, circle: CircleId, name: &str) -> Result<(), BakenError> {
        let kind = kind_named("circle").ok_or(BakenError::UnknownKind)?;
        let field = kind.field_named("name").ok_or(BakenError::UnknownField)?;
        self.edit(within, RecordId(circle.0), kind.number, vec![(field.number, Value::Text(name.to_owned()))])
    }

    /// Takes a device out of a circle: from its next request on it gets nothing, and what is written from now on it
    /// cannot open. An owner may object for a day.
    ///
    /// # Errors
    /// [`BakenError::NotOwner`], [`BakenError::NoSuchDevice`], [`BakenError::WrongPin`], and those of the network.
    pub async fn remove_device(
        &self,
        transport: &dyn Transport,
        circle: CircleId,
        device: DeviceId,
        pin: &str,
    ) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        self.remove_member(&client, circle, device).await?;
        // From the next alarm on it is sealed without them.
        self.note_family()
    }

    pub(super) async fn remove_member(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        device: DeviceId,
    ) -> Result<(), BakenError> {
        self.append(client, circle, |circle, keys| match circle.membership().state(device) {
            Some(MemberState::Active | MemberState::Frozen { .. }) => {
                let readers = circle.membership().without(device)?;
                let epoch = self.context.with_rng(|rng| circle.epoch_for(&readers, rng))?;
                let cut = Cut { device, counter: self.head_counter(circle, device)? };
                Ok(Some(circle.record(Operation::Remove { cut, epoch }, keys)))
            }
            // Taken out already, by this device or another.
            Some(MemberState::Leaving { .. } | MemberState::Gone { .. }) => Ok(None),
            Some(MemberState::Proposed { .. }) => Ok(Some(circle.record(Operation::Veto { device }, keys))),
            None => Err(BakenError::NoSuchDevice),
        })
        .await
    }

    pub(super) async fn freeze_member(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        device: DeviceId,
    ) -> Result<(), BakenError> {
        self.append(client, circle, |circle, keys| match circle.membership().state(device) {
            Some(MemberState::Active) => {
                let cut = Cut { device, counter: self.head_counter(circle, device)? };
                Ok(Some(circle.record(Operation::Freeze { cut }, keys)))
            }
            // Another device came first.
            _ => Ok(None),
        })
        .await
    }

    /// The counter of a device's last entry that is here. The vault must not be in use by the caller.
    fn head_counter(&self, circle: &Circle, device: DeviceId) -> Result<u64, BakenError> {
        let Some(slot) = circle.membership().slot(device) else { return Ok(0) };
        self.with_vault(|open| {
            Ok(rows::head(&open.vault.connection, circle.row(), slot)?.map_or(0, |head| head.counter))
        })
    }

    /// Objects: a proposed device stays out, a removed or frozen owner comes back.
    ///
    /// # Errors
    /// As [`Self::remove_device`]; [`BakenError::Format`] when nothing waits about the device.
    pub async fn veto(&self, transport: &dyn Transport, circle: CircleId, device: DeviceId) -> Result<(), BakenError> {
        self.act(transport, circle, Operation::Veto { device }).await
    }

    /// Lets in at once a device that another device of this person has proposed.
    ///
    /// # Errors
    /// As [`Self::veto`], and of the PIN.
    pub async fn confirm_device(
        &self,
        transport: &dyn Transport,
        circle: CircleId,
        device: DeviceId,
        pin: &str,
    ) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        self.act(transport, circle, Operation::Confirm { device }).await
    }

    /// Keeps a device out until another owner lifts it; also this one.
    ///
    /// # Errors
    /// As [`Self::veto`].
    pub async fn freeze_device(
        &self,
        transport: &dyn Transport,
        circle: CircleId,
        device: DeviceId,
    ) -> Result<(), BakenError> {
        let counter = self.counter_of(circle, device)?;
        self.act(transport, circle, Operation::Freeze { cut: Cut { device, counter } }).await
    }

    /// Makes a member a viewer, or a viewer a member.
    ///
    /// # Errors
    /// As [`Self::veto`].
    pub async fn set_role(
        &self,
        transport: &dyn Transport,
        circle: CircleId,
        device: DeviceId,
        role: MemberRole,
    ) -> Result<(), BakenError> {
        let counter = self.counter_of(circle, device)?;
        self.act(transport, circle, Operation::Role { cut: Cut { device, counter }, role }).await
    }

    /// Leaves a circle. What was shared until then stays on this device.
    ///
    /// # Errors
    /// As [`Self::veto`]; [`BakenError::Format`] for the last owner while others are in it.
    pub async fn leave_circle(&self, transport: &dyn Transport, circle: CircleId) -> Result<(), BakenError> {
        let device = self.with_vault(|open| Ok(open.keys.device))?;
        let counter = self.counter_of(circle, device)?;
        self.act(transport, circle, Operation::Leave { counter }).await
    }

    /// Leaves a circle once all that was written and attached here, in any circle, is at the relay; fine if it was left
    /// before.
    pub(crate) async fn leave_when_all_is_sent(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
    ) -> Result<(), BakenError> {
        self.append(client, circle, |circle, keys| {
            let status = self.status()?;
            let is_in = circle.membership().is_active(keys.device);
            if status.pending > 0 || (is_in && status.attachments_pending > 0) {
                return Err(BakenError::NotAllSent);
            }
            if !is_in {
                return Ok(None);
            }
            let counter = self.head_counter(circle, keys.device)?;
            Ok(Some(circle.record(Operation::Leave { counter }, keys)))
        })
        .await
    }

    fn counter_of(&self, circle: CircleId, device: DeviceId) -> Result<u64, BakenError> {
        let circle = self.with_vault(|open| open.circles.get(circle).cloned())?;
        circle.membership().member(device).ok_or(BakenError::NoSuchDevice)?;
        self.head_counter(&circle, device)
    }

    /// One record of the log, and what an owner's device owes the circle after it.
    async fn act(&self, transport: &dyn Transport, circle: CircleId, operation: Operation) -> Result<(), BakenError> {
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        self.post_unposted(&client, circle).await?;
        self.append(&client, circle, |circle, keys| Ok(Some(circle.record(operation.clone(), keys)))).await?;
        self.do_duties(&client, circle).await
    }

    /// Appends a record to the log at the relay and here. `make` gives none when nothing is left to do.
    pub(crate) async fn append(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        make: impl Fn(&Circle, &DeviceKeys) -> Result<Option<Signed<LogRecord>>, BakenError>,
    ) -> Result<(), BakenError> {
        let path = path_with(api::LOG, circle)?;
        for _ in 0..MAX_LOG_TRIES {
            self.pull_log(client, circle).await?;
            // Made outside the vault's lock: making may look into it.
            let (now, keys) = self.with_vault(|open| Ok((open.circles.get(circle)?.clone(), open.keys.clone())))?;
            let Some(record) = make(&now, &keys)? else { return Ok(()) };
            // A record that the rules refuse is told here, not by the relay.
            now.membership().clone().apply(record.bytes())?;
            let key = idempotency_of(&path, record.bytes());
            match client.send(Method::POST, &path, record.bytes().to_vec(), key).await {
                Ok(_) => {
                    self.pull_log(client, circle).await?;
                    return self.check_taken(circle, &record);
                }
                Err(BakenError::Refused { status: 409, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(BakenError::NotTrustworthy { what: "it never takes a membership record" })
    }

    /// Whether the log that the relay hands out has the record that it said it took. What was asked for is done only
    /// then.
    fn check_taken(&self, circle: CircleId, record: &Signed<LogRecord>) -> Result<(), BakenError> {
        let there =
            self.with_vault(|open| open.circles.get(circle)?.log_hash(&open.vault.connection, record.value().seq))?;
        if there == Some(record.hash()) {
            return Ok(());
        }
        Err(BakenError::NotTrustworthy { what: "it took a membership record and does not hand it out" })
    }

    /// Hands the relay the log of a circle that was founded here.
    pub(crate) async fn post_unposted(&self, client: &SignedClient<'_>, circle: CircleId) -> Result<(), BakenError> {
        let (row, unposted, records) = self.with_vault(|open| {
            let (connection, row) = (&open.vault.connection, open.circles.get(circle)?.row());
            let unposted: bool = setting::read_of(connection, row, UNPOSTED)?.unwrap_or(false);
            Ok((row, unposted, circle::records_from(connection, row, 0)?))
        })?;
        if !unposted {
            return Ok(());
        }
        let path = path_with(api::LOG, circle)?;
        for record in records {
            let key = idempotency_of(&path, &record);
            client.send(Method::POST, &path, record, key).await?;
        }
        self.with_vault(|open| setting::remove_of(&open.vault.connection, row, UNPOSTED))
    }
}
