//! What officers do with an alarm. Each act is a receipt, signed by the desk with the officer's name sealed in it, in the
//! same transaction as the change of state. The first to acknowledge has the alarm, until a colleague takes it over or is
//! given it, or nothing follows ([`super::follow_up`]). Who takes or gives says from whom, so that of two at the same moment
//! the first wins.

use baken_schemas::alarm::{Receipt, ReceiptDetail, ReceiptState};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;

use super::channels::given_up;
use super::figures::{self, Ending};
use super::officers::{Officer, OfficerError};
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
    /// "I have it from here on."
    TakeOver {
        /// The receipt by which a colleague has it.
        holding: Hash,
    },
    /// "You have it from here on."
    HandTo {
        /// The receipt by which the officer has it.
        holding: Hash,
        /// The colleague's name.
        to: String,
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
        /// What it was, for the figures.
        ending: Ending,
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
            Self::Acknowledge { .. } | Self::TakeOver { .. } | Self::HandTo { .. } => ReceiptState::Seen,
            Self::Verify { .. } => ReceiptState::Verified,
            Self::Underway { .. } => ReceiptState::Underway,
            Self::Close { .. } => ReceiptState::Closed,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "alarm_acknowledged",
            Self::TakeOver { .. } => "alarm_taken_over",
            Self::HandTo { .. } => "alarm_given_to_colleague",
            Self::Verify { .. } => "alarm_verified",
            Self::Underway { .. } => "help_underway",
            Self::Close { .. } => "alarm_closed",
        }
    }

    /// What the officer says that the alarm was.
    fn ending(&self) -> Ending {
        if let Self::Close { ending, .. } = self { *ending } else { Ending::Unsaid }
    }

    /// The officer's words, checked.
    pub(super) fn words(&self) -> Result<&str, ActError> {
        let (words, may_be_empty) = match self {
            Self::Acknowledge { .. } | Self::TakeOver { .. } | Self::HandTo { .. } => ("", true),
            Self::Verify { how } => (how.trim(), false),
            Self::Underway { what } => (what.trim(), true),
            Self::Close { outcome, .. } => (outcome.trim(), false),
        };
        let fits = words.len() <= MAX_WORDS_BYTES && (may_be_empty || !words.is_empty());
        if fits { Ok(words) } else { Err(ActError::Words) }
    }
}

impl Desk {
    /// The name of another officer of this desk, as it is written down.
    fn colleague(&self, name: &str) -> Result<String, ActError> {
        match self.officers.named(name) {
            Ok(officer) => Ok(officer.name),
            Err(OfficerError::Folder(error)) => Err(DeskError::from(error).into()),
            Err(_) => Err(ActError::UnknownOfficer),
        }
    }

    /// Does what an officer asks, with an alarm and those that are folded behind it. Acknowledging again what one already
    /// has is no error and has no effect.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act(&self, alarm: AlarmId, officer: &Officer, act: &Act) -> Result<(), ActError> {
        self.act_alone(alarm, officer, act).await?;
        self.act_on_folded(alarm, officer, act).await
    }

    /// As [`Self::act`], with this very alarm only.
    pub(super) async fn act_alone(&self, alarm: AlarmId, officer: &Officer, act: &Act) -> Result<(), ActError> {
        match self.act_once(alarm, officer, act).await {
            // The alarm's other form may have come at that very moment, and is shown in its place.
            Err(ActError::Unknown) => self.act_once(alarm, officer, act).await,
            acted => acted,
        }
    }

    async fn act_once(&self, alarm: AlarmId, officer: &Officer, act: &Act) -> Result<(), ActError> {
        let words = act.words()?.to_owned();
        let row = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?.ok_or(ActError::Unknown)?;
        let is_holder = self.is_held_by(&row, officer)?;
        let holder = match act {
            Act::Acknowledge { .. } | Act::TakeOver { .. } if is_holder => return Ok(()),
            Act::HandTo { .. } if !is_holder => return Err(ActError::Held),
            Act::HandTo { to, .. } => self.colleague(to)?,
            _ => officer.name.clone(),
        };
        if matches!(act, Act::HandTo { .. }) && holder == officer.name {
            return Ok(());
        }
        let opened = self.open_row(&row, &self.known());
        let detail = ReceiptDetail { officer: holder, text: words };
        // Of a flood machines are told once.
        let mut deliveries =
            if row.folded { Vec::new() } else { self.deliveries_for(&row, &opened, act.state(), Some(&detail)) };
        let mut rng = self.fork_rng();
        let at_rest = self.seal_at_rest(&cbor::to_vec(&detail), &mut rng);
        let content = opened.content_key().cloned();
        let (keys, now) = (self.keys.clone(), self.now());
        let to_make = ReceiptToMake { state: act.state(), at: now, sending: sending_of(row.form) };
        let (code, hash, officer_id) = (act.code(), row.hash, officer.id);
        let act = act.clone();
        let follow_up_ms = self.channels.follow_up_ms;
        self.store
            .write(Priority::Alarm, move |db| {
                // Read anew: between the look and this moment another officer may have acted.
                let row = store::alarm::find(db, alarm)?.filter(|row| row.hash == hash).ok_or(ActError::Unknown)?;
                may_act(&act, row.state, store::receipt::holding_here(db, hash)?)?;
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
                let occasion = store::receipt::count_of(db, hash, to_make.state)?;
                store::receipt::add(db, &to_make.row(&signed, at_rest.clone()))?;
                store::alarm::stand(db, hash, now)?;
                figures::count(db, hash, to_make.state, act.ending(), now)?;
                let takes = to_make.state == ReceiptState::Seen;
                store::alarm::follow_by(db, hash, takes.then(|| now.plus_ms(follow_up_ms)))?;
                if to_make.state == ReceiptState::Closed {
                    store::delivery::give_up_queued(db, hash, &given_up())?;
                }
                if takes {
                    deliveries.iter_mut().for_each(|delivery| delivery.occasion = occasion);
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

/// The rules of who may do what when. `held` is the receipt by which an officer of this desk has the alarm.
fn may_act(act: &Act, state: ReceiptState, held: Option<Hash>) -> Result<(), ActError> {
    if state == ReceiptState::Closed {
        return Err(ActError::Closed);
    }
    match act {
        // Nothing followed, whoever had it: it is anybody's again.
        Act::Acknowledge { .. } if state == ReceiptState::Reopened => Ok(()),
        Act::Acknowledge { also } if held.is_some() || (state.is_by_human() && !also) => Err(ActError::Held),
        Act::Acknowledge { .. } => Ok(()),
        _ if held.is_none() => Err(ActError::NotTaken),
        Act::TakeOver { holding } | Act::HandTo { holding, .. } if held != Some(*holding) => Err(ActError::Held),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReceiptState as S;

    const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };
    const ALSO: Act = Act::Acknowledge { also: true };
    const HELD: Option<Hash> = Some(Hash([1; 32]));

    #[test]
    fn the_first_has_it_and_the_rest_follows_from_that() {
        let verify = Act::Verify { how: "gebeld".to_owned() };
        for state in [S::Received, S::Exhausted, S::Reopened] {
            assert!(may_act(&ACKNOWLEDGE, state, None).is_ok());
            assert!(matches!(may_act(&verify, state, None), Err(ActError::NotTaken)));
        }
        // Another officer here; another desk; another desk, and this one too.
        assert!(matches!(may_act(&ALSO, S::Seen, HELD), Err(ActError::Held)));
        assert!(matches!(may_act(&ACKNOWLEDGE, S::Verified, None), Err(ActError::Held)));
        assert!(may_act(&ALSO, S::Verified, None).is_ok());
        for act in [
            verify,
            Act::Underway { what: String::new() },
            Act::Close { outcome: "klaar".to_owned(), ending: Ending::Unsaid },
        ] {
            assert!(may_act(&act, S::Underway, HELD).is_ok());
            assert!(matches!(may_act(&act, S::Underway, None), Err(ActError::NotTaken)));
        }
        assert!(matches!(may_act(&ALSO, S::Closed, None), Err(ActError::Closed)));
    }

    #[test]
    fn what_is_passed_on_is_passed_on_by_the_receipt_that_holds_it() {
        let to = || "Agent Bakker".to_owned();
        for (held, ok) in [(HELD, true), (Some(Hash([2; 32])), false), (None, false)] {
            assert_eq!(may_act(&Act::TakeOver { holding: Hash([1; 32]) }, S::Seen, held).is_ok(), ok);
            assert_eq!(may_act(&Act::HandTo { holding: Hash([1; 32]), to: to() }, S::Verified, held).is_ok(), ok);
        }
        let late = may_act(&Act::TakeOver { holding: Hash([1; 32]) }, S::Closed, HELD);
        assert!(matches!(late, Err(ActError::Closed)), "{late:?}");
        // The relay reopened it over an officer's head: anybody may take it, and the officer may go on.
        assert!(may_act(&ACKNOWLEDGE, S::Reopened, HELD).is_ok());
        assert!(may_act(&Act::Underway { what: String::new() }, S::Reopened, HELD).is_ok());
    }

    #[test]
    fn words_are_asked_where_they_matter_and_bounded() {
        assert!(Act::Verify { how: "  ".to_owned() }.words().is_err());
        assert!(Act::Underway { what: String::new() }.words().is_ok());
        assert!(Act::Close { outcome: "x".repeat(MAX_WORDS_BYTES + 1), ending: Ending::Unsaid }.words().is_err());
        assert_eq!(Act::Close { outcome: " klaar ".to_owned(), ending: Ending::Unsaid }.words().unwrap(), "klaar");
    }
}
