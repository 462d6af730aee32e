//! Entries on disk: part of the state, waiting, in quarantine; and what the relay was caught at.

use baken_schemas::cbor;
use baken_schemas::checkpoint::{FieldState, Seen, WriterState};
use baken_schemas::crypto::Hash;
use baken_schemas::entry::Entry;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;

use crate::BakenError;
use crate::circle::{Circle, CircleRow};
use crate::record::register::kept;
use crate::record::time;

/// The most entries that may wait at once. More are left at the relay.
const MAX_WAITING: u64 = 4096;
/// The most entries in quarantine. A relay that sends more is not asked further.
pub(super) const MAX_QUARANTINED: u64 = 4096;

/// The most bytes of either.
const MAX_KEPT_BYTES: u64 = 128 * 1024 * 1024;
/// Fewer entries than this cannot be more bytes than that: each is at most 1 MiB.
const MIN_COUNTED: u64 = 128;

/// Whether more entries wait, or lie in quarantine, than are kept.
pub(super) fn are_too_many(connection: &Connection, circle: CircleRow) -> Result<bool, BakenError> {
    let (waiting, aside) = (count_waiting(connection, circle, None)?, count_quarantined(connection, circle)?);
    if waiting > MAX_WAITING || aside > MAX_QUARANTINED {
        return Ok(true);
    }
    let bytes = |sql: &str| -> Result<u64, BakenError> {
        Ok(connection.prepare_cached(sql)?.query_row([circle.0], |row| counter_of(row, 0))?)
    };
    Ok((waiting > MIN_COUNTED && bytes("SELECT sum(length(bytes)) FROM waiting WHERE circle = ?1")? > MAX_KEPT_BYTES)
        || (aside > MIN_COUNTED
            && bytes("SELECT sum(length(bytes)) FROM quarantine WHERE circle = ?1")? > MAX_KEPT_BYTES))
}

/// Gives an enum its number in the database and back.
macro_rules! numbered {
    ($name:ident { $($variant:ident = $number:literal),+ $(,)? }) => {
        impl $name {
            const ALL: &[(Self, i64)] = &[$((Self::$variant, $number)),+];

            fn number(self) -> i64 {
                match self { $(Self::$variant => $number),+ }
            }
        }
    };
}

/// The variant of a number in the database.
fn of_number<T: Copy>(all: &[(T, i64)], number: i64) -> Result<T, BakenError> {
    let found = all.iter().find(|(_, known)| *known == number).map(|(variant, _)| *variant);
    found.ok_or(BakenError::VaultDamaged { part: "its entries" })
}

/// Why an entry is not applied yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitReason {
    /// An entry it builds on is not here.
    Entry,
    /// The membership log does not name its author or its epoch yet.
    Membership,
    /// A newer version of Baken made it.
    NewerVersion,
    /// Its author was taken out of the circle, and nobody in it has built on this.
    Removed,
    /// It belongs to a checkpoint whose other parts are not here.
    Checkpoint,
}

impl WaitReason {
    fn number(self) -> i64 {
        match self {
            Self::Entry => 0,
            Self::Membership => 1,
            Self::NewerVersion => 2,
            Self::Removed => 3,
            Self::Checkpoint => 4,
        }
    }
}

/// Why an entry was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuarantineReason {
    /// Not an entry of this circle, or cut, or altered in its clear part.
    Malformed,
    /// Of a format that only a newer version of Baken reads. It is tried again after an update.
    NewerFormat,
    /// Altered, or sealed with another key.
    CannotOpen,
    /// Not signed by the device it names.
    Signature,
    /// Its author signed two different entries in one place: its vault was copied, or it lies.
    Fork,
    /// Its author saw another history of some device than this one has.
    Contradicts,
    /// Its author claims what no honest device can have seen, or went back to an older epoch.
    Rules,
}
// From `Fork` on, the author did sign the entry: it is not for the relay to hand over another.
numbered!(QuarantineReason {
    Malformed = 0,
    NewerFormat = 1,
    CannotOpen = 2,
    Signature = 3,
    Fork = 4,
    Contradicts = 5,
    Rules = 6,
});

/// What the relay, or a device, was caught at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Two different entries of one device in one place.
    Fork,
    /// An entry of this very device that it does not know: its folder was copied or restored from a backup.
    OwnFork,
    /// An entry that a peer has seen is not handed over.
    Withheld,
    /// The relay has forgotten what it had acknowledged, without saying that it was restored.
    RolledBack,
    /// The membership log contradicts the one this device has checked: the relay shows two, or a record that breaks
    /// the rules.
    LogConflict,
    /// A peer has seen a membership record that the relay does not hand over.
    LogWithheld,
    /// The relay acknowledged an entry that this device never made.
    Invented,
}
numbered!(FindingKind {
    Fork = 0,
    OwnFork = 1,
    Withheld = 2,
    RolledBack = 3,
    LogConflict = 4,
    LogWithheld = 5,
    Invented = 6,
});

/// The place of an entry: its author's slot and counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) slot: u16,
    pub(crate) counter: u64,
}

impl Place {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { slot: entry.header().slot, counter: entry.header().counter }
    }
}

fn signed(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

fn counter_of(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(|counter| u64::try_from(counter).unwrap_or(0))
}

fn hash_of(bytes: &[u8]) -> Result<Hash, BakenError> {
    Hash::from_slice(bytes).ok_or(BakenError::VaultDamaged { part: "its entries" })
}

/// The last entry of a writer that is part of the state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) counter: u64,
    pub(crate) epoch: u32,
    pub(crate) hash: Hash,
}

pub(crate) fn head(connection: &Connection, circle: CircleRow, slot: u16) -> Result<Option<Head>, BakenError> {
    let row: Option<(u64, u32, Vec<u8>)> = connection
        .prepare_cached(
            "SELECT counter, epoch, hash FROM entry WHERE circle = ?1 AND slot = ?2 ORDER BY counter DESC LIMIT 1",
        )?
        .query_row((circle.0, slot), |row| Ok((counter_of(row, 0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    row.map(|(counter, epoch, hash)| Ok(Head { counter, epoch, hash: hash_of(&hash)? })).transpose()
}

/// The hash of an entry that is part of the state.
pub(super) fn applied(connection: &Connection, circle: CircleRow, place: Place) -> Result<Option<Hash>, BakenError> {
    let hash: Option<Vec<u8>> = connection
        .prepare_cached("SELECT hash FROM entry WHERE circle = ?1 AND slot = ?2 AND counter = ?3")?
        .query_row((circle.0, place.slot, signed(place.counter)), |row| row.get(0))
        .optional()?;
    hash.map(|hash| hash_of(&hash)).transpose()
}

/// What a writer had taken in by its last entry here, in order of slot.
pub(crate) fn seen(connection: &Connection, circle: CircleRow, slot: u16) -> Result<Vec<Seen>, BakenError> {
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT seen FROM writer WHERE circle = ?1 AND slot = ?2")?
        .query_row((circle.0, slot), |row| row.get(0))
        .optional()?;
    bytes.map_or(Ok(Vec::new()), |bytes| kept(&bytes))
}

/// Remembers what a writer has taken in. What is known already costs no write.
pub(crate) fn write_seen(
    connection: &Connection,
    circle: CircleRow,
    slot: u16,
    seen: &[Seen],
) -> Result<(), BakenError> {
    connection
        .prepare_cached(
            "INSERT INTO writer (circle, slot, seen) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET seen = ?3 WHERE seen <> ?3",
        )?
        .execute((circle.0, slot, cbor::to_vec(&seen.to_vec())))?;
    Ok(())
}

/// The newest entry of every writer, in order of slot.
pub(crate) fn heads(connection: &Connection, circle: CircleRow) -> Result<Vec<(u16, Head)>, BakenError> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT slot FROM writer WHERE circle = ?1 ORDER BY slot")?;
    let slots = statement.query_map([circle.0], |row| row.get(0))?.collect::<Result<Vec<u16>, _>>()?;
    let heads = slots.into_iter().map(|slot| Ok(head(connection, circle, slot)?.map(|head| (slot, head))));
    heads.filter_map(Result::transpose).collect()
}

/// The newest moment that anything in a circle was written at, by its writers' clocks.
pub(crate) fn newest_moment(connection: &Connection, circle: CircleRow) -> Result<Timestamp, BakenError> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(hlc) FROM fresh WHERE circle = ?1")?
        .query_row([circle.0], |row| row.get(0))?;
    let of_records = newest_put(connection, circle)?;
    let newest = u64::try_from(newest.unwrap_or(0)).unwrap_or(0).max(of_records);
    Ok(time::moment(newest))
}

fn newest_put(connection: &Connection, circle: CircleRow) -> Result<u64, BakenError> {
    let mut statement = connection.prepare_cached("SELECT body FROM record WHERE circle = ?1")?;
    let mut rows = statement.query([circle.0])?;
    let mut newest = 0;
    while let Some(row) = rows.next()? {
        let fields: Vec<FieldState> = kept(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        newest = fields.iter().flat_map(|field| &field.puts).map(|put| put.hlc).fold(newest, u64::max);
    }
    Ok(newest)
}

/// Makes an entry part of the state; `keep` keeps its bytes, for this device's own.
pub(crate) fn insert_applied(
    connection: &Connection,
    circle: CircleRow,
    entry: &Entry,
    keep: bool,
) -> Result<(), BakenError> {
    let header = entry.header();
    connection
        .prepare_cached(
            "INSERT INTO entry (circle, slot, counter, epoch, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            circle.0,
            header.slot,
            signed(header.counter),
            header.epoch,
            entry.hash().0,
            keep.then(|| entry.bytes()),
        ))?;
    Ok(())
}

/// Makes an entry that a checkpoint covers its writer's head, without its bytes.
pub(super) fn insert_head(connection: &Connection, circle: CircleRow, writer: &WriterState) -> Result<(), BakenError> {
    connection
        .prepare_cached(
            "INSERT INTO entry (circle, slot, counter, epoch, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5, NULL)",
        )?
        .execute((circle.0, writer.slot, signed(writer.counter), writer.epoch, writer.hash.0))?;
    Ok(())
}

/// This device's own entries behind a counter, in order, up to a number and about as many bytes.
pub(super) fn own_after(
    connection: &Connection,
    circle: CircleRow,
    slot: u16,
    counter: u64,
    max_items: usize,
    max_bytes: usize,
) -> Result<Vec<Vec<u8>>, BakenError> {
    let mut statement = connection.prepare_cached(
        "SELECT bytes FROM entry WHERE circle = ?1 AND slot = ?2 AND counter > ?3 AND bytes IS NOT NULL
         ORDER BY counter LIMIT ?4",
    )?;
    let mut rows = statement.query((circle.0, slot, signed(counter), i64::try_from(max_items).unwrap_or(i64::MAX)))?;
    let (mut entries, mut total) = (Vec::new(), 0usize);
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        total = total.saturating_add(bytes.len());
        if total > max_bytes && !entries.is_empty() {
            break;
        }
        entries.push(bytes);
    }
    Ok(entries)
}

/// Keeps an entry until what it needs is there.
pub(super) fn insert_waiting(
    connection: &Connection,
    circle: CircleRow,
    entry: &Entry,
    reason: WaitReason,
    needs: Option<Place>,
) -> Result<(), BakenError> {
    connection
        .prepare_cached(
            "INSERT INTO waiting (circle, slot, counter, hash, reason, needs_slot, needs_counter, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET reason = ?5, needs_slot = ?6, needs_counter = ?7",
        )?
        .execute((
            circle.0,
            entry.header().slot,
            signed(entry.header().counter),
            entry.hash().0,
            reason.number(),
            needs.map(|place| place.slot),
            needs.map(|place| signed(place.counter)),
            entry.bytes(),
        ))?;
    Ok(())
}

/// Takes waiting entries of one place out.
pub(super) fn take_waiting(
    connection: &Connection,
    circle: CircleRow,
    place: Place,
) -> Result<Vec<Vec<u8>>, BakenError> {
    let taken = connection
        .prepare_cached("DELETE FROM waiting WHERE circle = ?1 AND slot = ?2 AND counter = ?3 RETURNING bytes")?
        .query_map((circle.0, place.slot, signed(place.counter)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(taken)
}

/// The first waiting place of every writer that has one, whether or not it comes next.
pub(super) fn waiting_writers(connection: &Connection, circle: CircleRow) -> Result<Vec<Place>, BakenError> {
    let writers = connection
        .prepare_cached("SELECT slot, MIN(counter) FROM waiting WHERE circle = ?1 GROUP BY slot")?
        .query_map([circle.0], |row| Ok(Place { slot: row.get(0)?, counter: counter_of(row, 1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(writers)
}

/// Entries that others wait for and that were not handed over: neither here, nor waiting, nor in quarantine though
/// their author did sign them.
pub(super) fn missing(connection: &Connection, circle: CircleRow) -> Result<Vec<Place>, BakenError> {
    let missing = connection
        .prepare_cached(
            "SELECT DISTINCT needs_slot, needs_counter FROM waiting AS w
             WHERE w.circle = ?1 AND needs_slot IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM entry AS e
                               WHERE e.circle = ?1 AND e.slot = w.needs_slot AND e.counter >= w.needs_counter)
               AND NOT EXISTS (SELECT 1 FROM waiting AS o
                               WHERE o.circle = ?1 AND o.slot = w.needs_slot AND o.counter = w.needs_counter)
               AND NOT EXISTS (SELECT 1 FROM quarantine AS q
                               WHERE q.circle = ?1 AND q.slot = w.needs_slot AND q.counter = w.needs_counter
                                 AND q.reason >= ?2)
             ORDER BY needs_slot, needs_counter LIMIT 256",
        )?
        .query_map((circle.0, QuarantineReason::Fork.number()), |row| {
            Ok(Place { slot: row.get(0)?, counter: counter_of(row, 1)? })
        })?
        .collect::<Result<_, _>>()?;
    Ok(missing)
}

/// The writers whose waiting entries build on this place or a later one of the same writer.
pub(super) fn waiting_on(connection: &Connection, circle: CircleRow, place: Place) -> Result<Vec<u16>, BakenError> {
    let writers = connection
        .prepare_cached(
            "SELECT DISTINCT slot FROM waiting WHERE circle = ?1 AND needs_slot = ?2 AND needs_counter >= ?3",
        )?
        .query_map((circle.0, place.slot, signed(place.counter)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(writers)
}

/// How many entries wait for this reason.
pub(super) fn count_waiting(
    connection: &Connection,
    circle: CircleRow,
    reason: Option<WaitReason>,
) -> Result<u64, BakenError> {
    let count = connection
        .prepare_cached("SELECT count(*) FROM waiting WHERE circle = ?1 AND (?2 IS NULL OR reason = ?2)")?
        .query_row((circle.0, reason.map(WaitReason::number)), |row| counter_of(row, 0))?;
    Ok(count)
}

/// Puts an entry aside; a second time is fine.
pub(super) fn quarantine(
    connection: &Connection,
    circle: CircleRow,
    bytes: &[u8],
    place: Option<Place>,
    reason: QuarantineReason,
    now: Timestamp,
) -> Result<bool, BakenError> {
    let added = connection
        .prepare_cached(
            "INSERT INTO quarantine (circle, hash, slot, counter, reason, at, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute((
            circle.0,
            Hash::of("baken/entry-hash/v0", &[bytes]).0,
            place.map(|place| place.slot),
            place.map(|place| signed(place.counter)),
            reason.number(),
            now.0,
            bytes,
        ))?;
    Ok(added > 0)
}

/// An entry that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineView {
    /// The circle that the relay handed it over for.
    pub circle: CircleId,
    /// Hash of its bytes.
    pub hash: Hash,
    /// The device it claims to be of, where the header could be read and names one that the circle knows.
    pub device: Option<DeviceId>,
    /// Its author's slot, where the header could be read.
    pub slot: Option<u16>,
    /// Its counter, where the header could be read.
    pub counter: Option<u64>,
    /// Why.
    pub reason: QuarantineReason,
    /// When, by this device's clock.
    pub at: Timestamp,
    /// Size in bytes.
    pub size: u64,
}

/// What is in quarantine, oldest first, at most [`MAX_QUARANTINED`].
pub(super) fn quarantined(connection: &Connection, circle: &Circle) -> Result<Vec<QuarantineView>, BakenError> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, slot, counter, reason, at, length(bytes) FROM quarantine WHERE circle = ?1 ORDER BY at, hash",
    )?;
    let mut rows = statement.query([circle.row().0])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        let slot: Option<u16> = row.get(1)?;
        views.push(QuarantineView {
            circle: circle.id(),
            device: slot.and_then(|slot| circle.device(slot)),
            hash: hash_of(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?,
            slot,
            counter: row.get::<_, Option<i64>>(2)?.and_then(|counter| u64::try_from(counter).ok()),
            reason: of_number(QuarantineReason::ALL, row.get(3)?)?,
            at: Timestamp(row.get(4)?),
            size: counter_of(row, 5)?,
        });
    }
    Ok(views)
}

pub(super) fn count_quarantined(connection: &Connection, circle: CircleRow) -> Result<u64, BakenError> {
    let count = connection
        .prepare_cached("SELECT count(*) FROM quarantine WHERE circle = ?1")?
        .query_row([circle.0], |row| counter_of(row, 0))?;
    Ok(count)
}

/// Takes out what was put aside for being of a newer format, to try it again.
pub(super) fn take_newer_format(connection: &Connection, circle: CircleRow) -> Result<Vec<Vec<u8>>, BakenError> {
    let taken = connection
        .prepare_cached("DELETE FROM quarantine WHERE circle = ?1 AND reason = ?2 RETURNING bytes")?
        .query_map((circle.0, QuarantineReason::NewerFormat.number()), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(taken)
}

/// Notes what the relay or a device was caught at; a second time is fine.
pub(super) fn find(
    connection: &Connection,
    circle: CircleRow,
    kind: FindingKind,
    place: Place,
    now: Timestamp,
) -> Result<bool, BakenError> {
    let added = connection
        .prepare_cached(
            "INSERT INTO finding (circle, kind, slot, counter, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute((circle.0, kind.number(), place.slot, signed(place.counter), now.0))?;
    Ok(added > 0)
}

/// Forgets that entries were withheld which have come after all.
pub(super) fn mend_withheld(connection: &Connection, circle: CircleRow) -> Result<(), BakenError> {
    connection
        .prepare_cached(
            "DELETE FROM finding WHERE circle = ?1 AND kind = ?2 AND EXISTS
             (SELECT 1 FROM entry AS e
              WHERE e.circle = ?1 AND e.slot = finding.slot AND e.counter >= finding.counter)",
        )?
        .execute((circle.0, FindingKind::Withheld.number()))?;
    Ok(())
}

/// Forgets findings that have proven to be none.
pub(super) fn mend(connection: &Connection, circle: CircleRow, kind: FindingKind) -> Result<(), BakenError> {
    connection
        .prepare_cached("DELETE FROM finding WHERE circle = ?1 AND kind = ?2")?
        .execute((circle.0, kind.number()))?;
    Ok(())
}

/// What the relay or a device was caught at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// What.
    pub kind: FindingKind,
    /// In which circle.
    pub circle: CircleId,
    /// The device concerned; `None` where it is about the membership log.
    pub device: Option<DeviceId>,
    /// That device's slot.
    pub slot: u16,
    /// The counter of the entry, or the number of the log record.
    pub counter: u64,
    /// When it was found, by this device's clock.
    pub at: Timestamp,
}

pub(super) fn findings(connection: &Connection, circle: &Circle) -> Result<Vec<FindingView>, BakenError> {
    let mut statement = connection
        .prepare_cached("SELECT kind, slot, counter, at FROM finding WHERE circle = ?1 ORDER BY at LIMIT 256")?;
    let mut rows = statement.query([circle.row().0])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, slot) = (of_number(FindingKind::ALL, row.get(0)?)?, row.get(1)?);
        let is_of_log = matches!(kind, FindingKind::LogConflict | FindingKind::LogWithheld);
        views.push(FindingView {
            kind,
            circle: circle.id(),
            device: if is_of_log { None } else { circle.device(slot) },
            slot,
            counter: counter_of(row, 2)?,
            at: Timestamp(row.get(3)?),
        });
    }
    Ok(views)
}
