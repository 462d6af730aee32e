//! What officers do with an alarm. Each act is a receipt, signed by the desk with the officer's name sealed in it, in the
//! same transaction as the change of state. The first to acknowledge has the alarm.

use baken_schemas::alarm::{Receipt, ReceiptDetail, ReceiptState};
use baken_schemas::cbor;
use baken_schemas::id::AlarmId;

use super::channels::given_up;
use super::figures::{self, Ending};
use super::officers::Officer;
use super::store;
use super::take::{ReceiptToMake, add_deliveries, sending_of};
use super::{ActError, Desk, DeskError, MAX_WORDS_BYTES};
use crate::audit;
use crate::store::Priority;

/// The most receipts that this desk makes for one alarm.
const MAX_RECEIPTS: i64 = 100;

/// What an officer does.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// "I have this one."
    Acknowledge {
        /// Take it too, although another desk has it.
        also: bool,
    },
    /// It is real, and this is how that was found out.
    Verify {
        /// How.
        how: String,
    },
    /// Help is on its way.
    Underway {
        /// What is coming; may be empty.
        what: String,
    },
    /// It is over.
    Close {
        /// With what outcome.
        outcome: String,
    },
}

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Act({})", self.code())
    }
}

impl Act {
    /// The state that it brings about.
    pub fn state(&self) -> ReceiptState {
        match self {
            Self::Acknowledge { .. } => ReceiptState::Seen,
            Self::Verify { .. } => ReceiptState::Verified,
            Self::Underway { .. } => ReceiptState::Underway,
            Self::Close { .. } => ReceiptState::Closed,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "alarm_acknowledged",
            Self::Verify { .. } => "alarm_verified",
            Self::Underway { .. } => "help_underway",
            Self::Close { .. } => "alarm_closed",
        }
    }

    /// The officer's words, checked.
    fn words(&self) -> Result<&str, ActError> {
        let (words, may_be_empty) = match self {
            Self::Acknowledge { .. } => ("", true),
            Self::Verify { how } => (how.trim(), false),
            Self::Underway { what } => (what.trim(), true),
            Self::Close { outcome } => (outcome.trim(), false),
        };
        let fits = words.len() <= MAX_WORDS_BYTES && (may_be_empty || !words.is_empty());
        if fits { Ok(words) } else { Err(ActError::Words) }
    }
}

impl Desk {
    /// Does what an officer asks. Acknowledging again what one already has is no error and has no effect.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act(&self, alarm: AlarmId, officer: &Officer, act: &Act) -> Result<(), ActError> {
        self.act_ending(alarm, officer, act, Ending::Unsaid).await
    }

    /// As [`Self::act`], with a word on how the alarm ended, which counts where the act closes it.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act_ending(
        &self,
        alarm: AlarmId,
        officer: &Officer,
        act: &Act,
        ending: Ending,
    ) -> Result<(), ActError> {
        match self.act_once(alarm, officer, act, ending).await {
            // The alarm's other form may have come at that very moment, and is shown in its place.
            Err(ActError::Unknown) => self.act_once(alarm, officer, act, ending).await,
            acted => acted,
        }
    }

    async fn act_once(&self, alarm: AlarmId, officer: &Officer, act: &Act, ending: Ending) -> Result<(), ActError> {
        let words = act.words()?.to_owned();
        let row = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?.ok_or(ActError::Unknown)?;
        if matches!(act, Act::Acknowledge { .. }) && self.is_held_by(&row, officer)? {
            return Ok(());
        }
        let opened = self.open_row(&row, &self.known());
        let detail = ReceiptDetail { officer: officer.name.clone(), text: words };
        let deliveries = self.deliveries_for(&row, &opened, act.state(), Some(&detail));
        let mut rng = self.fork_rng();
        let at_rest = self.seal_at_rest(&cbor::to_vec(&detail), &mut rng);
        let content = opened.content_key().cloned();
        let (keys, now) = (self.keys.clone(), self.now());
        let to_make = ReceiptToMake { state: act.state(), at: now, sending: sending_of(row.form) };
        let (code, hash, officer_id) = (act.code(), row.hash, officer.id);
        let also = matches!(act, Act::Acknowledge { also: true });
        self.store
            .write(Priority::Alarm, move |db| {
                // Read anew: between the look and this moment another officer may have acted.
                let row = store::alarm::find(db, alarm)?.filter(|row| row.hash == hash).ok_or(ActError::Unknown)?;
                let taken_here = store::receipt::is_taken_here(db, hash)?;
                may_act(to_make.state, row.state, taken_here, also)?;
                if store::receipt::count_own(db, hash)? >= MAX_RECEIPTS {
                    return Err(ActError::TooMany);
                }
                let receipt = Receipt {
                    alarm,
                    alarm_hash: hash,
                    state: to_make.state,
                    at: now,
                    by: keys.device,
                    prev: store::receipt::last_own(db, hash)?,
                    detail: Vec::new(),
                };
                // Without the alarm's content key nobody could read the detail: the phone then sees that it was seen,
                // and by which desk.
                let sealed_detail = content.as_ref().map(|content| (&detail, content));
                let signed = Receipt::make(receipt, sealed_detail, &keys.sig, &mut rng)?;
                store::receipt::add(db, &to_make.row(&signed, at_rest.clone()))?;
                store::alarm::advance(db, hash, to_make.state, now)?;
                figures::count(db, hash, to_make.state, ending, now)?;
                if to_make.state == ReceiptState::Closed {
                    store::delivery::give_up_queued(db, hash, &given_up())?;
                }
                add_deliveries(db, &deliveries)?;
                let (actor, subject) = (officer_id.to_string(), alarm.to_string());
                audit::append(
                    db,
                    &audit::Event { at: now, actor: &actor, act: code, subject: &subject, result: "ok" },
                )?;
                Ok(())
            })
            .await?;
        self.changed();
        Ok(())
    }
}

/// The rules of who may do what when.
fn may_act(wanted: ReceiptState, state: ReceiptState, taken_here: bool, also: bool) -> Result<(), ActError> {
    if state == ReceiptState::Closed {
        return Err(ActError::Closed);
    }
    if wanted != ReceiptState::Seen {
        return if taken_here { Ok(()) } else { Err(ActError::NotTaken) };
    }
    if taken_here || (state.is_by_human() && !also) { Err(ActError::Held) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReceiptState as S;

    #[test]
    fn the_first_has_it_and_the_rest_follows_from_that() {
        for state in [S::Received, S::Exhausted] {
            assert!(may_act(S::Seen, state, false, false).is_ok());
            assert!(matches!(may_act(S::Verified, state, false, false), Err(ActError::NotTaken)));
        }
        // Another officer here; another desk; another desk, and this one too.
        assert!(matches!(may_act(S::Seen, S::Seen, true, true), Err(ActError::Held)));
        assert!(matches!(may_act(S::Seen, S::Verified, false, false), Err(ActError::Held)));
        assert!(may_act(S::Seen, S::Verified, false, true).is_ok());
        for wanted in [S::Verified, S::Underway, S::Closed] {
            assert!(may_act(wanted, S::Underway, true, false).is_ok());
            assert!(matches!(may_act(wanted, S::Underway, false, false), Err(ActError::NotTaken)));
        }
        assert!(matches!(may_act(S::Seen, S::Closed, false, true), Err(ActError::Closed)));
    }

    #[test]
    fn words_are_asked_where_they_matter_and_bounded() {
        assert!(Act::Verify { how: "  ".to_owned() }.words().is_err());
        assert!(Act::Underway { what: String::new() }.words().is_ok());
        assert!(Act::Close { outcome: "x".repeat(MAX_WORDS_BYTES + 1) }.words().is_err());
        assert_eq!(Act::Close { outcome: " klaar ".to_owned() }.words().unwrap(), "klaar");
    }
}
