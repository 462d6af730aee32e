//! How a device stands in a circle: the one place that says who reads, writes and looks at the log. The rows are what
//! the log amounts to, kept in the transaction of each record, so that a device that was taken out is refused at its
//! very next request.

use baken_schemas::circle::{CircleKind, MemberState, Membership};
use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::auth::Phone;
use crate::relay::problem::Refusal;
use crate::store::StoreError;

/// Whether a member is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// An owner-to-be.
    Proposed = 0,
    Active = 1,
    /// Frozen, leaving or gone: which of them, and by whom, the log says.
    Out = 2,
}

impl State {
    fn of(state: MemberState) -> Self {
        match state {
            MemberState::Proposed { .. } => Self::Proposed,
            MemberState::Active => Self::Active,
            MemberState::Frozen { .. } | MemberState::Leaving { .. } | MemberState::Gone { .. } => Self::Out,
        }
    }

    fn from_number(number: u8) -> Result<Self, StoreError> {
        [Self::Proposed, Self::Active, Self::Out]
            .into_iter()
            .find(|state| *state as u8 == number)
            .ok_or(StoreError::Damaged)
    }
}

/// A device that is or was in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its writer slot.
    pub(super) slot: u16,
    state: State,
    writes: bool,
    /// It is an owner, and in.
    pub(super) owner: bool,
    /// The highest cursor it has acknowledged, as far as that is on disk.
    pub(super) acknowledged: u64,
    /// When it was last seen to ask for entries, as far as that is on disk.
    pub(super) seen_at: Timestamp,
}

impl Standing {
    /// Refused unless it is in the circle.
    fn present(self) -> Result<Self, Refusal> {
        match self.state {
            State::Active => Ok(self),
            State::Proposed => Err(Refusal::NotMember),
            State::Out => Err(Refusal::Removed),
        }
    }
}

/// How a device stands; `None` when it was never in the circle's log.
fn standing(db: &Connection, circle: CircleId, device: DeviceId) -> Result<Option<Standing>, StoreError> {
    let row = db
        .prepare_cached(
            "SELECT slot, state, writes, owner, acknowledged, seen_at FROM member WHERE circle = ?1 AND device = ?2",
        )?
        .query_row(params![circle.0, device.0], |row| {
            let numbers: (u16, u8) = (row.get(0)?, row.get(1)?);
            Ok((numbers, row.get(2)?, row.get(3)?, row.get(4)?, Timestamp(row.get(5)?)))
        })
        .optional()?;
    row.map(|((slot, state), writes, owner, acknowledged, seen_at)| {
        Ok(Standing { slot, state: State::from_number(state)?, writes, owner, acknowledged, seen_at })
    })
    .transpose()
}

/// A device that reads what is in the circle.
pub(super) fn reader(db: &Connection, circle: CircleId, device: DeviceId) -> Result<Standing, Refusal> {
    standing(db, circle, device)?.ok_or(Refusal::NotMember)?.present()
}

/// A device that is given the circle's entries: who reads, or who comes back to its own account by the recovery code and
/// is in no log yet. What is sealed it can open only with the code.
pub(super) fn entry_reader(db: &Connection, circle: CircleId, phone: &Phone) -> Result<Option<Standing>, Refusal> {
    match standing(db, circle, phone.device)? {
        Some(standing) => standing.present().map(Some),
        None if phone.recovered && is_own(db, circle, phone)? => Ok(None),
        None => Err(Refusal::NotMember),
    }
}

/// A device that writes to the circle.
pub(super) fn writer(db: &Connection, circle: CircleId, device: DeviceId) -> Result<Standing, Refusal> {
    let standing = reader(db, circle, device)?;
    if standing.writes { Ok(standing) } else { Err(Refusal::NotAllowed) }
}

/// An owner, in the circle.
pub(super) fn owner(db: &Connection, circle: CircleId, device: DeviceId) -> Result<Standing, Refusal> {
    let standing = reader(db, circle, device)?;
    if standing.owner { Ok(standing) } else { Err(Refusal::NotAllowed) }
}

/// Every owner that is in the circle.
pub(super) fn owners(db: &Connection, circle: CircleId) -> Result<Vec<DeviceId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT device FROM member WHERE circle = ?1 AND owner = 1 ORDER BY slot")?;
    let owners = statement.query_map([circle.0], |row| row.get(0).map(DeviceId))?;
    Ok(owners.collect::<Result<_, _>>()?)
}

/// Whether the circle's log names the device, whatever became of it.
pub(super) fn is_known(db: &Connection, circle: CircleId, device: DeviceId) -> Result<bool, StoreError> {
    Ok(standing(db, circle, device)?.is_some())
}

/// Whether the device may read the log: it was ever in it, or it belongs to the account that the circle is of. Who was
/// taken out learns there by whom, and who comes back by the recovery code what there is to come back to.
pub(super) fn log_reader(db: &Connection, circle: CircleId, phone: &Phone) -> Result<(), Refusal> {
    if standing(db, circle, phone.device)?.is_some() || is_own(db, circle, phone)? {
        Ok(())
    } else {
        Err(Refusal::NotMember)
    }
}

/// Whether the circle is of the device's own account; never of a guest's.
pub(super) fn is_own(db: &Connection, circle: CircleId, phone: &Phone) -> Result<bool, StoreError> {
    let account = db
        .prepare_cached("SELECT account FROM circle WHERE circle = ?1")?
        .query_row([circle.0], |row| row.get(0).map(AccountId))
        .optional()?;
    Ok(!phone.guest && account == Some(phone.account))
}

/// The number by which the database knows a kind of circle.
pub(super) fn number_of(kind: CircleKind) -> u8 {
    match kind {
        CircleKind::Dossier => 0,
        CircleKind::Family => 1,
        CircleKind::Case => 2,
    }
}

/// Writes down how everybody stands, within the transaction of the record that made it so.
pub(super) fn keep(db: &Connection, membership: &Membership, now: Timestamp) -> Result<(), StoreError> {
    let circle = membership.circle();
    for (slot, (member, state)) in (0_u16..).zip(membership.members()) {
        let device = member.device;
        // Who comes in, or back, holds the floor from now on.
        db.prepare_cached(
            "INSERT INTO member (circle, slot, device, state, writes, owner, seen_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (circle, slot) DO UPDATE SET
                 seen_at = CASE WHEN state <> 1 AND excluded.state = 1 THEN excluded.seen_at ELSE seen_at END,
                 state = excluded.state, writes = excluded.writes, owner = excluded.owner
             WHERE (state, writes, owner) <> (excluded.state, excluded.writes, excluded.owner)",
        )?
        .execute(params![
            circle.0,
            slot,
            device.0,
            State::of(state) as u8,
            membership.may_write(device),
            membership.is_owner(device),
            now.0
        ])?;
        if let (State::Out, Some(cut)) = (State::of(state), membership.cut(slot)) {
            // Its entries past the cut do not count by themselves: nothing is dropped for a checkpoint among them.
            let cut = i64::try_from(cut).unwrap_or(i64::MAX);
            db.prepare_cached("DELETE FROM checkpoint WHERE circle = ?1 AND slot = ?2 AND counter > ?3")?
                .execute(params![circle.0, slot, cut])?;
        }
    }
    Ok(())
}
