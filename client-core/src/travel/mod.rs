//! Travelling: the dossier is not on this phone. What a border guard or a thief takes from it, with the PIN or without,
//! it does not have, and no PIN can be forced that would show it; another device of the person has it.
//!
//! [`Baken::travel`] leaves the dossier, and puts a vault in its place that holds copies of what is to come along, in a
//! circle of its own that is never sent. Alarms go on as before: their outbox is not touched. [`Baken::pair_start`] and
//! what follows bring the phone back, as a new device: [`back`].
//!
//! The decoy stays as it was. With it open, everything here looks as on a phone that does not travel.

mod back;
mod start;

pub(crate) use back::waiting;

use baken_schemas::cbor;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{DELETED, FieldNumber, KindNumber, Value};
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};
use rusqlite::Connection;
use serde::Serialize;

use crate::baken::UnlockedVault;
use crate::record::{deletion, store};
use crate::vault::setting;
use crate::{Baken, BakenError};

/// In the vault of a phone that travels: [`Travel`].
const TRAVEL: &str = "travel";
/// Kinds that come along where nobody says which.
pub const DEFAULT_KINDS: [&str; 1] = ["contact"];
/// The most records that come along.
const MAX_KEPT: usize = 10_000;

/// What a phone that travels remembers.
#[derive(Clone, Encode, Decode)]
pub(crate) struct Travel {
    #[n(0)]
    pub(crate) since: Timestamp,
    #[n(1)]
    kept: Vec<Kept>,
    /// The dossier that it comes back into.
    #[n(2)]
    home: CircleId,
}

impl std::fmt::Debug for Travel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Travel").field("since", &self.since).finish_non_exhaustive()
    }
}

/// A record that came along, as it was.
#[derive(Clone, Encode, Decode)]
struct Kept {
    #[n(0)]
    circle: CircleId,
    #[n(1)]
    record: RecordId,
    #[n(2)]
    kind: KindNumber,
    #[n(3)]
    fields: Vec<KeptField>,
}

#[derive(Clone, Encode, Decode)]
struct KeptField {
    #[n(0)]
    field: FieldNumber,
    #[n(1)]
    value: Value,
}

/// A field that was changed on the way: what it was, and what it is now.
#[derive(Clone, Encode, Decode)]
struct Changed {
    /// Where it belongs; `None` for what is new, and goes into the dossier.
    #[n(0)]
    circle: Option<CircleId>,
    #[n(1)]
    record: RecordId,
    #[n(2)]
    kind: KindNumber,
    #[n(3)]
    field: FieldNumber,
    #[n(4)]
    before: Value,
    #[n(5)]
    now: Value,
    /// It has been put into the dossier.
    #[n(6)]
    put: bool,
}

/// That a phone travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TravelView {
    /// Since when, by this device's clock.
    pub since: Timestamp,
    /// How many records came along.
    pub kept: usize,
    /// How many fields were changed or added since; they go into the dossier on return.
    pub changed: usize,
    /// It is paired again, and waits until another device lets it in.
    pub waits: bool,
}

impl Travel {
    /// What the vault remembers of it; `None` on a phone that does not travel.
    pub(crate) fn read(connection: &Connection) -> Result<Option<Self>, BakenError> {
        setting::read(connection, TRAVEL)
    }

    /// Whether a record came along.
    pub(crate) fn has(&self, record: RecordId) -> bool {
        self.kept.iter().any(|kept| kept.record == record)
    }

    fn value_before(&self, record: RecordId, field: FieldNumber) -> Value {
        let kept = self.kept.iter().find(|kept| kept.record == record);
        let field = kept.and_then(|kept| kept.fields.iter().find(|kept| kept.field == field));
        field.map_or(Value::Empty, |field| field.value.clone())
    }
}

impl Baken {
    /// Whether the vault that is open is that of a phone which travels.
    pub(crate) fn is_travelling(&self) -> bool {
        self.with_vault(|open| Ok(open.travel.is_some())).unwrap_or(false)
    }

    /// Since when this phone travels, and with what; `None` when it does not.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn travelling(&self) -> Result<Option<TravelView>, BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let Some(travel) = open.travel.clone() else { return Ok(None) };
            let changed = changes(open, &travel, now)?.len();
            let waits = back::is_returning(&open.vault.connection)?;
            Ok(Some(TravelView { since: travel.since, kept: travel.kept.len(), changed, waits }))
        })
    }
}

/// What was changed on the way, in the order the records came.
fn changes(open: &UnlockedVault, travel: &Travel, now: Timestamp) -> Result<Vec<Changed>, BakenError> {
    let (connection, home) = (&open.vault.connection, open.circles.home());
    store::settle(connection, home, now)?;
    let mut changes = Vec::new();
    for (record, kind, fields) in store::all_fields(connection, home.row())? {
        if deletion::is_own(kind) {
            continue;
        }
        let circle = travel.kept.iter().find(|kept| kept.record == record).map(|kept| kept.circle);
        for state in fields {
            // One device wrote all of it: one value stands.
            let Some(now) = state.puts.last().map(|put| put.value.clone()) else { continue };
            let before = travel.value_before(record, state.field);
            let never_deleted = state.field == DELETED && before == Value::Empty && now == Value::Bool(false);
            if now != before && !never_deleted {
                changes.push(Changed { circle, record, kind, field: state.field, before, now, put: false });
            }
        }
    }
    Ok(changes)
}

/// How many bytes what is kept takes at most: a setting is read whole.
fn fits(travel: &Travel) -> bool {
    const MAX_BYTES: usize = 16 * 1024 * 1024;
    travel.kept.len() <= MAX_KEPT && cbor::to_vec(travel).len() <= MAX_BYTES
}
