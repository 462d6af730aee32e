//! What must follow once an officer has seen an alarm. Verifying, help on its way or closing follows; so does another desk
//! that has it. Where nothing does within the time that `desk.toml` gives, the alarm rings again: the desk signs `reopened`,
//! and calls everybody out over its channels as if it had just come in.
//!
//! A deadline is a column of the alarm's row, written in the transaction of the act that it follows on; whoever looks
//! after it is due reopens, so a killed desk makes up for it when it starts.

use baken_schemas::alarm::{Receipt, ReceiptState};
use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;

use super::run::Runner;
use super::store::{self, AlarmRow};
use super::take::{ReceiptToMake, add_deliveries, sending_of};
use super::{Desk, DeskError};
use crate::audit;
use crate::store::Priority;

impl Desk {
    /// Reopens every alarm on which nothing followed in time. Gives the moment at which the next is due.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn reopen_overdue(&self) -> Result<Option<Timestamp>, DeskError> {
        let (now, wait_ms) = (self.now(), self.channels.follow_up_ms);
        // A clock that was set back since keeps nobody waiting longer than the whole wait.
        let latest = now.plus_ms(wait_ms);
        if self.store.read(|db| Ok::<_, DeskError>(store::alarm::follows_after(db, latest)?))? {
            self.store
                .write(Priority::Alarm, move |db| Ok::<_, DeskError>(store::alarm::bound_follow_ups(db, latest)?))
                .await?;
        }
        for row in self.store.read(|db| Ok::<_, DeskError>(store::alarm::unfollowed(db, now)?))? {
            self.reopen(&row).await?;
        }
        self.store.read(|db| Ok(store::alarm::next_follow_up(db)?))
    }

    async fn reopen(&self, row: &AlarmRow) -> Result<(), DeskError> {
        let opened = self.open_row(row, &self.known());
        let mut deliveries =
            if row.folded { Vec::new() } else { self.deliveries_for(row, &opened, ReceiptState::Reopened, None) };
        let (keys, now) = (self.keys.clone(), self.now());
        let to_make = ReceiptToMake { state: ReceiptState::Reopened, at: now, sending: sending_of(row.form) };
        let (alarm, hash): (_, Hash) = (row.alarm, row.hash);
        self.store
            .write(Priority::Alarm, move |db| {
                // Read anew: an officer may have acted since.
                if !store::alarm::is_unfollowed(db, hash, now)? {
                    return Ok(());
                }
                let occasion = store::receipt::count_of(db, hash, ReceiptState::Reopened)?;
                let receipt = Receipt {
                    alarm,
                    alarm_hash: hash,
                    state: ReceiptState::Reopened,
                    at: now,
                    by: keys.device,
                    prev: store::receipt::last_own(db, hash)?,
                    detail: Vec::new(),
                };
                let signed = baken_schemas::signed::Signed::make(receipt, &keys.sig);
                store::receipt::add(db, &to_make.row(&signed, Vec::new()))?;
                store::alarm::follow_by(db, hash, None)?;
                store::alarm::stand(db, hash, now)?;
                deliveries.iter_mut().for_each(|delivery| delivery.occasion = occasion);
                add_deliveries(db, &deliveries)?;
                let subject = alarm.to_string();
                let event =
                    audit::Event { at: now, actor: "desk", act: "alarm_reopened", subject: &subject, result: "ok" };
                audit::append(db, &event)?;
                Ok::<_, DeskError>(())
            })
            .await?;
        tracing::warn!(event = "alarm_reopened", %alarm);
        self.changed();
        Ok(())
    }
}

impl Runner {
    /// Alarms on which nothing follows.
    pub(super) async fn watch_follow_ups(&self) -> Result<(), DeskError> {
        let mut changes = self.desk().changes();
        loop {
            changes.borrow_and_update();
            let next = self.desk().reopen_overdue().await?;
            self.sleep_until(next, &mut changes).await;
        }
    }
}
