//! Check-ins of the same person's other devices: a phone may be destroyed whose owner is safe, and the tablet then settles
//! what the phone had started.
//!
//! - **Seeing** asks the relay, which has the newest timers of each as its device signed them, so that a phone can be lost in
//!   the minute after it started one, and with its vault locked. Shown is what a device of the dossier has signed; the moments
//!   are the relay's. What it leaves out is not shown, and goes off as it would have. It takes a PIN: that there is another
//!   device is nobody's business, and what it is called only with the true one.
//! - **Settling** is the same document as on the phone itself, in this device's name, kept and tried like one. Its note is for
//!   the desk that the signed timers name, which watches it, as long as the own directory has that one. The relay takes it of
//!   a device that is in the account's dossier, the desk of one that it knows to be the same person's.
//! - **Extending** starts one here until the later moment, and settles the other once that one is at the relay: in between
//!   both run, and never none. Only who has a check-in's content key can seal its next form, and that is the phone.
//! - **Being settled** by another device is believed on its own signature, held against the keys that the vault last knew,
//!   never on the relay's word: that would let a relay put out every check-in.

use baken_schemas::alarm::{ContentKey, DepositTimers, Fix, FixAbsent, Settlement};
use baken_schemas::api::{self, DepositElsewhere, DepositsElsewhere, SettledElsewhere};
use baken_schemas::cbor;
use baken_schemas::device::Identity;
use baken_schemas::id::{AlarmId, DeviceId, IdempotencyKey};
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use http::Method;
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::start::{NewCheckIn, check_due, check_terms, insert, signed_settlement};
use super::store::{self, Settled};
use crate::alarm::{AlarmOutbox, OrderAuthor, Verdict, active_key, client, desk_for_check_ins, keep_evidence, phone};
use crate::transport::Transport;
use crate::{Baken, BakenError, Context};

/// The most check-ins of other devices that are looked at in one answer.
const MAX_ELSEWHERE: usize = 256;

/// A check-in of another device of this person, as the relay has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ElsewhereView {
    /// The check-in.
    pub check_in: AlarmId,
    /// The device that started it.
    pub device: DeviceId,
    /// What that device is called; `None` until this one has heard, and with a duress PIN.
    pub name: Option<String>,
    /// When it is due, by the relay's clock.
    pub due_at: Timestamp,
    /// When it is raised if nothing comes, by the relay's clock.
    pub raise_at: Timestamp,
    /// Seconds between the moment at which it is due and the raising, as its device signed them.
    pub grace_s: u32,
    /// The desk that watches it, as its device signed that.
    pub desk: DeviceId,
}

impl Baken {
    /// The check-ins of this person's other devices, asked of the relay. What those are called is not said with a duress PIN:
    /// the decoy knows of none.
    ///
    /// # Errors
    /// Those of the PIN, and see [`AlarmOutbox::check_ins_elsewhere`].
    pub async fn check_ins_elsewhere(
        &self,
        pin: &str,
        transport: &dyn Transport,
    ) -> Result<Vec<ElsewhereView>, BakenError> {
        let duress = self.which_pin(pin)?;
        self.note_unlocked(duress);
        let mut others = self.alarm_outbox()?.check_ins_elsewhere(transport, &self.context).await?;
        if duress {
            others.iter_mut().for_each(|other| other.name = None);
        }
        Ok(others)
    }

    /// Settles a check-in of another device. With a duress PIN all is the same, but for what the desk reads.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::CheckInOver`] when it was settled from here already, [`BakenError::NoLadder`], and
    /// those of the disk.
    pub fn settle_check_in_elsewhere(&self, pin: &str, check_in: &ElsewhereView) -> Result<(), BakenError> {
        let duress = self.which_pin(pin)?;
        self.alarm_outbox()?.settle_elsewhere(check_in, duress, &self.context)
    }

    /// Starts a check-in here in the place of one of another device, which is settled once this one is at the relay.
    ///
    /// # Errors
    /// Those of the PIN, and see [`AlarmOutbox::start_check_in`]; [`BakenError::CheckInOver`].
    pub fn take_over_check_in(
        &self,
        pin: &str,
        other: &ElsewhereView,
        new: &NewCheckIn,
    ) -> Result<AlarmId, BakenError> {
        let duress = self.which_pin(pin)?;
        let outbox = self.alarm_outbox()?;
        outbox.note_unlocked(duress, &self.context)?;
        outbox.take_over_check_in(other, new, duress, &self.context)
    }
}

impl AlarmOutbox {
    /// The check-ins of this person's other devices, the first due first. What no device of the dossier has signed is kept as
    /// evidence and not shown: a relay would have somebody settle another check-in than they think.
    ///
    /// # Errors
    /// [`BakenError::NotReached`] and the relay's refusals: [`BakenError::Refused`] where this device is not in the dossier.
    pub async fn check_ins_elsewhere(
        &self,
        transport: &dyn Transport,
        context: &Context,
    ) -> Result<Vec<ElsewhereView>, BakenError> {
        let phone = self.read(phone)?;
        let key = context.with_rng(|rng| IdempotencyKey::make(rng));
        let client = client(&phone, transport);
        let found: DepositsElsewhere =
            client.ask(Method::GET, api::DEPOSITS, Vec::new(), key, "the check-ins of other devices").await?;
        let authors = self.order_keys()?.authors;
        let mut views = Vec::new();
        for deposit in found.deposits.iter().take(MAX_ELSEWHERE) {
            match view_of(deposit, &authors) {
                Ok(view) => views.push(view),
                Err(reason) => {
                    self.write(|tx| keep_evidence(tx, None, reason, &cbor::to_vec(deposit), context.now()))?;
                }
            }
        }
        Ok(views)
    }

    /// Settles a check-in of another device.
    ///
    /// # Errors
    /// [`BakenError::CheckInOver`], [`BakenError::NoLadder`] when there is no desk, and those of the disk.
    pub(super) fn settle_elsewhere(
        &self,
        other: &ElsewhereView,
        duress: bool,
        context: &Context,
    ) -> Result<(), BakenError> {
        let phone = self.read(phone)?;
        let settlement = signed_settlement(&phone, (other.check_in, Some(other.desk)), duress, context)?;
        self.write(|tx| keep(tx, other, &settlement, None, context))?;
        self.hurry();
        Ok(())
    }

    /// Starts a check-in in the place of another device's.
    ///
    /// # Errors
    /// See [`Self::start_check_in`]; [`BakenError::CheckInOver`].
    pub(super) fn take_over_check_in(
        &self,
        other: &ElsewhereView,
        new: &NewCheckIn,
        duress: bool,
        context: &Context,
    ) -> Result<AlarmId, BakenError> {
        check_due(new.due_at, context.now())?;
        check_terms(new.silent_after_s, new.grace_s, &new.text)?;
        let phone = self.read(phone)?;
        desk_for_check_ins(&phone).ok_or(BakenError::NoLadder)?;
        let settlement = signed_settlement(&phone, (other.check_in, Some(other.desk)), duress, context)?;
        let own = self.write(|tx| {
            let own = insert(tx, new, 0, context)?;
            keep(tx, other, &settlement, Some(own), context)?;
            Ok(own)
        })?;
        self.hurry();
        Ok(own)
    }
}

/// A check-in as a device of the dossier has signed it: one that was lost may have been taken out since. Else the word for why
/// it is not shown.
fn view_of(deposit: &DepositElsewhere, authors: &[OrderAuthor]) -> Result<ElsewhereView, &'static str> {
    let identity = Identity::verify(&deposit.identity).map_err(|_| "forged")?;
    let identity = identity.value();
    let author = authors.iter().find(|author| (author.device, author.sig) == (identity.device, identity.sig));
    let author = author.ok_or("unknown_author")?;
    let timers = Unverified::<DepositTimers>::parse(&deposit.timers).and_then(|timers| timers.verify(&identity.alarm));
    let timers = timers.map_err(|_| "forged")?.into_value();
    if (timers.deposit, timers.device) != (deposit.deposit, author.device) || deposit.device != author.device {
        return Err("forged");
    }
    Ok(ElsewhereView {
        check_in: timers.deposit,
        device: author.device,
        name: Some(author.name.clone()).filter(|name| !name.is_empty()),
        due_at: deposit.due_at,
        raise_at: deposit.raise_at,
        grace_s: timers.grace_s,
        desk: timers.desk,
    })
}

/// Keeps a settlement for another device's check-in: to be sent at once, or once the one in its place is at the relay.
fn keep(
    tx: &Transaction<'_>,
    other: &ElsewhereView,
    settlement: &[u8],
    replaced_by: Option<AlarmId>,
    context: &Context,
) -> Result<(), BakenError> {
    match store::find(tx, other.check_in) {
        Err(BakenError::NoSuchCheckIn) => {}
        Err(error) => return Err(error),
        // Settled while one in its place was under way: that need not be waited for any more.
        Ok(stored) if stored.owner.is_some() && stored.settled == Settled::No => {}
        Ok(_) => return Err(BakenError::CheckInOver),
    }
    // No content of it is known here: the key is none that opens anything, and its row is never sealed.
    let no_key = context.with_rng(|rng| ContentKey::make(rng));
    tx.execute(
        "INSERT INTO check_in (deposit, content_key, started_at, due_at, grace_s, silent_after_s, text, fix, settled,
                               settlement, owner, replaced_by)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, '', ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (deposit) DO UPDATE SET settled = excluded.settled, settlement = excluded.settlement,
                                             replaced_by = excluded.replaced_by",
        params![
            other.check_in.0,
            no_key.as_bytes(),
            context.now().0,
            other.due_at.0,
            other.grace_s,
            cbor::to_vec(&Fix::Absent(FixAbsent::NotYet)),
            replaced_by.is_none(),
            settlement,
            other.device.0,
            replaced_by.map(|own| own.0.to_vec()).unwrap_or_default(),
        ],
    )?;
    Ok(())
}

/// What was started in their place is at the relay, or was settled itself: the settlements of these go out.
pub(super) fn settle_replaced(tx: &Transaction<'_>, own: AlarmId) -> Result<(), BakenError> {
    tx.execute("UPDATE check_in SET settled = 1 WHERE replaced_by = ?1 AND settled = 0 AND owner <> x''", [own.0])?;
    Ok(())
}

/// Judges and keeps that another device has settled a check-in of this one.
pub(crate) fn take_settlement(tx: &Transaction<'_>, bytes: &[u8], now: Timestamp) -> Result<Verdict, BakenError> {
    let refuse = |reason| keep_evidence(tx, None, reason, bytes, now);
    let Ok(told) = cbor::from_slice::<SettledElsewhere>(bytes, "a settlement") else { return refuse("malformed") };
    let Ok(identity) = Identity::verify(&told.identity) else { return refuse("forged") };
    let identity = identity.value();
    if active_key(tx, identity.device)?.is_none_or(|key| key != identity.sig) {
        return refuse("unknown_author");
    }
    let settlement = match Settlement::verify(&told.settlement, &identity.alarm) {
        Ok((settlement, _)) if settlement.value().device == identity.device => settlement.into_value(),
        _ => return refuse("forged"),
    };
    let settled = tx.execute(
        "UPDATE check_in SET settled = 2, settled_by = ?2, settlement = x'', form = x'', refused_status = 0,
                             refused_code = ''
         WHERE deposit = ?1 AND settled = 0 AND raised = 0 AND called = x'' AND owner = x''",
        params![settlement.deposit.0, identity.device.0],
    )?;
    if settled == 0 {
        return Ok(Verdict::Known);
    }
    settle_replaced(tx, settlement.deposit)?;
    Ok(Verdict::SettledElsewhere { check_in: settlement.deposit })
}
