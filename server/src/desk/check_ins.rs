//! Watching check-ins: a relay that does not raise one, because it lies or is dead, is noticed.
//!
//! The relay sends the desk the timers of each check-in, signed by the phone and without content. One that falls due and
//! is not handed over rings here by itself, named from this desk's roster. Not before the relay has had its time: after
//! an outage it waits for as long as that took, at most ten minutes, and so does the desk.

use baken_schemas::alarm::DepositTimers;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;

use super::opened::{self, SignatureView};
use super::run::{RelayLink, Runner};
use super::store::watch::Overdue;
use super::store::{self, Form, MailPosition, NewAlarm};
use super::take::Ringing;
use super::{Desk, DeskError, hash_of};
use crate::store::Priority;

/// How long after its grace a check-in is to be handed over.
const MARGIN_MS: i64 = 2 * 60_000;
/// How long since the relay was last lost or found: what it waits after an outage, and a minute.
const SETTLED_LINK_MS: i64 = 11 * 60_000;
/// The longest that any state of the link puts it off: a relay could break off and come back without end.
const LONGEST_MARGIN_MS: i64 = 30 * 60_000;

/// When a check-in rings here that was to be raised at `raise_at`, the link being as it is since `link_since`.
fn rings_at(raise_at: Timestamp, link_since: Timestamp) -> Timestamp {
    raise_at.plus_ms(MARGIN_MS).max(link_since.plus_ms(SETTLED_LINK_MS).min(raise_at.plus_ms(LONGEST_MARGIN_MS)))
}

impl Desk {
    /// Takes the timers of a check-in that this desk is to watch.
    pub(super) async fn take_timers(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let signature = opened::signature::<DepositTimers>(&document, &self.known().people, |timers| timers.device);
        let timers = Unverified::<DepositTimers>::parse(&document).ok().map(|timers| *timers.claims());
        let own = |timers: &DepositTimers| timers.desk == self.keys.device;
        if let Some(timers) = timers.filter(|timers| !own(timers) && signature == SignatureView::Proven) {
            return self.leave_watch(place, timers).await;
        }
        let believed = matches!(signature, SignatureView::Proven | SignatureView::UnknownDevice);
        let Some(timers) = timers.filter(own).filter(|_| believed) else {
            return self.pass_over(place, "timers_taken", hash, false).await;
        };
        let now = self.now();
        self.store
            .write(Priority::Alarm, move |db| {
                if super::take::advance_mail(db, place)? {
                    store::watch::keep_time(db, now)?;
                    store::watch::take(db, &timers, &document, now)?;
                }
                Ok(())
            })
            .await
    }

    /// The phone has another desk watch a check-in.
    async fn leave_watch(&self, place: MailPosition, timers: DepositTimers) -> Result<(), DeskError> {
        self.store
            .write(Priority::Alarm, move |db| {
                if super::take::advance_mail(db, place)? {
                    store::watch::leave(db, &timers)?;
                }
                Ok(())
            })
            .await
    }

    /// Rings for every check-in that should have been handed over, the link to the relay being as it is since
    /// `link_since`. When there is next something to look at.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn ring_overdue(&self, link_since: Timestamp) -> Result<Option<Timestamp>, DeskError> {
        let now = self.now();
        if self.store.read(|db| Ok::<_, DeskError>(store::watch::is_ahead(db, now)?))? {
            self.store.write(Priority::Alarm, move |db| Ok::<_, DeskError>(store::watch::keep_time(db, now)?)).await?;
        }
        for overdue in self.store.read(|db| Ok::<_, DeskError>(store::watch::due(db, now)?))? {
            if rings_at(overdue.raise_at, link_since) <= now {
                self.ring_for(overdue).await?;
            }
        }
        let next = self.store.read(|db| Ok::<_, DeskError>(store::watch::next(db)?))?;
        Ok(next.map(|raise_at| rings_at(raise_at, link_since)))
    }

    async fn ring_for(&self, overdue: Overdue) -> Result<(), DeskError> {
        let hash = hash_of(&overdue.document);
        let new = NewAlarm {
            // An id of its own: should the alarm come after all, it is shown beside this.
            alarm: super::take::id_of(hash),
            hash,
            form: Form::NotHandedOver,
            device: overdue.device,
            document: overdue.document.clone(),
            received_at: self.now(),
            brings_key: false,
        };
        tracing::error!(event = "check_in_not_handed_over", deposit = %overdue.deposit);
        self.ring(new, Ringing::NotHandedOver(overdue)).await?;
        self.changed();
        Ok(())
    }
}

impl Runner {
    /// Check-ins that the relay does not hand over.
    pub(super) async fn watch_check_ins(&self) -> Result<(), DeskError> {
        let (mut changes, link) = (self.desk().changes(), self.link());
        loop {
            self.desk().beat("check-ins");
            changes.borrow_and_update();
            let since = match *link.borrow() {
                RelayLink::Live { since } | RelayLink::Down { since, .. } => since,
            };
            let next = self.desk().ring_overdue(since).await?;
            self.sleep_until(next, &mut changes).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    #[test]
    fn a_link_that_broke_puts_it_off_for_as_long_as_the_relay_may_wait_and_not_without_end() {
        let due = Timestamp(100 * MINUTE_MS);
        let at = |link_minute: i64| rings_at(due, Timestamp(link_minute * MINUTE_MS)).0 / MINUTE_MS;
        assert_eq!(at(0), 102);
        assert_eq!(at(91), 102);
        assert_eq!(at(95), 106);
        assert_eq!(at(110), 121);
        assert_eq!(at(129), 130);
        assert_eq!(at(10_000), 130);
    }
}
