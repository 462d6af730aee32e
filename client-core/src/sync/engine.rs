//! The sans-I/O engine: bytes out, bytes in, events. It knows no network; a driver, a simulation or a test carries the
//! bytes.
//!
//! What comes in is believed only as far as it proves itself. An entry is applied when it opens under an epoch key of
//! the log, its author signed it, it continues that author's chain, and everything it builds on is here. If something
//! it needs may still come, it waits, up to a bound. If it can never be right, it goes to quarantine: kept and shown,
//! never dropped. What its author says of others' last entries exposes a relay that hides or rolls back.
//!
//! A whole page is one transaction, with the cursor in it.

use std::iter::Peekable;

use baken_schemas::FormatError;
use baken_schemas::api::PAGE_ITEMS;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, SCHEMA, WriterHead, next_header};
use baken_schemas::id::DeviceId;
use baken_schemas::record::{Change, MAX_CHANGES, decode_changes, encode_changes};
use rusqlite::{Connection, Transaction};

use crate::circle::Circle;
use crate::record::register::PutCheck;
use crate::record::store::{self, PendingEdit};
use crate::record::time;
use crate::sync::rows::{self, FindingKind, Place, QuarantineReason, WaitReason};
use crate::vault::setting;
use crate::{BakenError, Context};

/// The bytes of values and clocks that one entry holds at most: well below the format's limit.
const MAX_BATCH_BYTES: usize = 384 * 1024;
/// The most entries sealed in one go, and the most edits looked at for them.
const MAX_SEALED_AT_ONCE: usize = 256;
const MAX_PENDING_AT_ONCE: usize = 4 * MAX_CHANGES;
/// The most bytes handed out in one go, below the API's limit of a body.
const MAX_OUTGOING_BYTES: usize = 3 * 1024 * 1024;

/// The last own counter that the relay has acknowledged.
pub(super) const STORED: &str = "stored_counter";
/// How far this device has read the relay's entries.
pub(super) const CURSOR: &str = "entries_cursor";

/// What an incoming entry led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEvent {
    /// Part of the state now.
    Applied {
        /// Its author.
        by: DeviceId,
        /// How many changes it holds.
        changes: usize,
    },
    /// One of this device's own, or one that was taken in before.
    Known,
    /// It waits.
    Waits(WaitReason),
    /// It was put aside.
    Quarantined(QuarantineReason),
    /// The relay or a device was caught at something.
    Found(FindingKind),
}

/// Where an entry belongs.
enum Verdict {
    Known,
    Applied { by: DeviceId, changes: usize },
    Waits { reason: WaitReason, needs: Option<Place> },
    Refused(QuarantineReason),
}

/// One device's side of syncing one circle.
pub(crate) struct Sync<'a> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) circle: &'a Circle,
    pub(crate) keys: &'a DeviceKeys,
    pub(crate) context: &'a Context,
}

impl Sync<'_> {
    /// Seals what is pending, and gives this device's entries that the relay has not acknowledged, in order. Call it
    /// again after [`Self::stored`] until it gives none.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`] when the device is not in the circle, [`BakenError::Database`].
    pub(crate) fn outgoing(&mut self) -> Result<Vec<Vec<u8>>, BakenError> {
        let slot = self.circle.own_slot().ok_or(BakenError::NotActivated)?;
        let tx = self.connection.transaction()?;
        let mut pending = store::pending(&tx, MAX_PENDING_AT_ONCE)?.into_iter().peekable();
        for _ in 0..MAX_SEALED_AT_ONCE {
            if !seal_next(&tx, self.circle, self.keys, self.context, slot, &mut pending)? {
                break;
            }
        }
        let stored: u64 = setting::read(&tx, STORED)?.unwrap_or(0);
        tx.commit()?;
        rows::own_after(self.connection, slot, stored, PAGE_ITEMS, MAX_OUTGOING_BYTES)
    }

    /// The relay says it has this device's entries up to `counter`, the last with this hash.
    ///
    /// # Errors
    /// [`BakenError::NotTrustworthy`] when it has another entry there than this device made, or forgot some.
    pub(crate) fn stored(&mut self, counter: u64, hash: Hash) -> Result<(), BakenError> {
        let slot = self.circle.own_slot().ok_or(BakenError::NotActivated)?;
        let place = Place { slot, counter };
        let before: u64 = setting::read(self.connection, STORED)?.unwrap_or(0);
        let kind = match rows::applied(self.connection, place)? {
            Some(own) if own == hash && counter >= before => {
                return setting::write(self.connection, STORED, &counter);
            }
            Some(own) if own == hash => FindingKind::RolledBack,
            _ => FindingKind::OwnFork,
        };
        rows::find(self.connection, kind, place, self.context.now())?;
        Err(BakenError::NotTrustworthy { what: "it answers with another last entry of this device" })
    }

    /// Takes in entries in the relay's order, and where to go on reading. All or nothing is durable on return.
    ///
    /// # Errors
    /// [`BakenError::NotTrustworthy`] when more than bounds allow would wait or lie in quarantine: nothing changed then,
    /// and the relay still has them. [`BakenError::Database`].
    pub(crate) fn incoming(&mut self, entries: &[&[u8]], cursor: Option<u64>) -> Result<Vec<SyncEvent>, BakenError> {
        let tx = self.connection.transaction()?;
        let mut intake = Intake { tx, circle: self.circle, context: self.context, events: Vec::new() };
        for bytes in entries {
            intake.take(bytes)?;
        }
        intake.drain()?;
        let Intake { tx, events, .. } = intake;
        if rows::are_too_many(&tx)? {
            return Err(BakenError::NotTrustworthy { what: "it hands over more unusable entries than are kept" });
        }
        if let Some(cursor) = cursor {
            setting::write(&tx, CURSOR, &cursor)?;
        }
        tx.commit()?;
        Ok(events)
    }

    /// Tries again what waited for the membership log, or was of a format that an older version could not read.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn retry(&mut self) -> Result<Vec<SyncEvent>, BakenError> {
        let newer = rows::take_newer_format(self.connection)?;
        let newer: Vec<&[u8]> = newer.iter().map(Vec::as_slice).collect();
        self.incoming(&newer, None)
    }

    /// Entries that peers have seen and that the relay has not handed over.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn missing(&self) -> Result<Vec<Place>, BakenError> {
        rows::missing(self.connection)
    }
}

/// Seals the next batch of pending edits into an entry; false when there is none.
fn seal_next(
    tx: &Transaction<'_>,
    circle: &Circle,
    keys: &DeviceKeys,
    context: &Context,
    slot: u16,
    pending: &mut Peekable<impl Iterator<Item = PendingEdit>>,
) -> Result<bool, BakenError> {
    let Some(hlc) = pending.peek().map(|edit| edit.hlc) else { return Ok(false) };
    let mut changes: Vec<Change> = Vec::new();
    let (mut last, mut size) = (0, 0usize);
    // An entry has one time: it holds edits of one time.
    let fits = |edit: &PendingEdit, count: usize, size: usize| {
        let has_room = count < MAX_CHANGES && size.saturating_add(size_of_change(&edit.change)) <= MAX_BATCH_BYTES;
        edit.hlc == hlc && (count == 0 || has_room)
    };
    while let Some(edit) = pending.next_if(|edit| fits(edit, changes.len(), size)) {
        size = size.saturating_add(size_of_change(&edit.change));
        last = edit.row;
        changes.push(edit.change);
    }
    let Some((epoch, key)) = circle.current_epoch() else { return Ok(false) };
    let body = EntryBody {
        device: keys.device,
        hlc,
        heads: heads(tx, circle, slot)?,
        schema: SCHEMA,
        changes: encode_changes(&changes)?,
    };
    let previous = rows::head(tx, slot)?.map(|head| (head.counter, head.hash));
    let entry = context.with_rng(|rng| {
        let header = next_header(circle.membership().circle(), epoch, slot, previous, rng);
        Entry::seal(header, &body, key, &keys.sig, rng)
    })?;
    rows::insert_applied(tx, &entry, true)?;
    store::sealed_up_to(tx, last)?;
    Ok(true)
}

/// About what a change takes in an entry, never less.
fn size_of_change(change: &Change) -> usize {
    baken_schemas::cbor::to_vec(&change.value).len().saturating_add(64).saturating_add(change.clock.len() * 12)
}

/// The newest entry of every other writer.
fn heads(tx: &Transaction<'_>, circle: &Circle, own: u16) -> Result<Vec<WriterHead>, BakenError> {
    let mut heads = Vec::new();
    for slot in (0..circle.membership().members().len()).filter_map(|slot| u16::try_from(slot).ok()) {
        if slot != own
            && let Some(head) = rows::head(tx, slot)?
        {
            heads.push(WriterHead { slot, counter: head.counter, hash: head.hash });
        }
    }
    Ok(heads)
}

/// Taking in one page, inside its transaction.
struct Intake<'a> {
    tx: Transaction<'a>,
    circle: &'a Circle,
    context: &'a Context,
    events: Vec<SyncEvent>,
}

impl Intake<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), BakenError> {
        let entry = match Entry::parse(bytes) {
            Ok(entry) if entry.header().circle == self.circle.membership().circle() => entry,
            Err(FormatError::WrongDocument { .. }) => {
                return self.put_aside(bytes, None, QuarantineReason::NewerFormat);
            }
            _ => return self.put_aside(bytes, None, QuarantineReason::Malformed),
        };
        let verdict = self.judge(&entry)?;
        self.settle(&entry, verdict)
    }

    /// Applies what has become ready, until nothing more does. Every round but the last takes an entry out of the
    /// waiting ones, whose number is bounded.
    fn drain(&mut self) -> Result<(), BakenError> {
        loop {
            let mut moved = false;
            for place in rows::waiting_writers(&self.tx)? {
                for bytes in rows::take_waiting(&self.tx, place)? {
                    let Ok(entry) = Entry::parse(&bytes) else {
                        self.put_aside(&bytes, Some(place), QuarantineReason::Malformed)?;
                        continue;
                    };
                    match self.judge(&entry)? {
                        Verdict::Waits { reason, needs } => rows::insert_waiting(&self.tx, &entry, reason, needs)?,
                        verdict => {
                            self.settle(&entry, verdict)?;
                            moved = true;
                        }
                    }
                }
            }
            if !moved {
                return rows::mend_withheld(&self.tx);
            }
        }
    }

    fn settle(&mut self, entry: &Entry, verdict: Verdict) -> Result<(), BakenError> {
        match verdict {
            Verdict::Known => self.events.push(SyncEvent::Known),
            Verdict::Applied { by, changes } => self.events.push(SyncEvent::Applied { by, changes }),
            Verdict::Waits { reason, needs } => {
                rows::insert_waiting(&self.tx, entry, reason, needs)?;
                self.events.push(SyncEvent::Waits(reason));
            }
            Verdict::Refused(reason) => {
                let place = Place::of(entry);
                if reason == QuarantineReason::Fork {
                    self.found_fork(place)?;
                }
                self.put_aside(entry.bytes(), Some(place), reason)?;
            }
        }
        Ok(())
    }

    /// Opens an entry with the key of its epoch and checks its author's signature.
    fn open(&self, entry: &Entry) -> Result<Opened, QuarantineReason> {
        let header = entry.header();
        let (Some(author), Some(key)) =
            (self.circle.membership().writer(header.slot), self.circle.epoch_key(header.epoch))
        else {
            return Ok(Opened::Waits(WaitReason::Membership));
        };
        match entry.open(key, author.device, &author.sig) {
            Ok(body) => Ok(Opened::Body(author.device, Box::new(body))),
            Err(FormatError::Sealed { .. }) => Err(QuarantineReason::CannotOpen),
            Err(FormatError::Signature { .. }) => Err(QuarantineReason::Signature),
            Err(_) => Err(QuarantineReason::Malformed),
        }
    }

    /// Applies an entry, or says why not. It is opened first: what cannot be verified must not fill the waiting ones.
    fn judge(&mut self, entry: &Entry) -> Result<Verdict, BakenError> {
        let place = Place::of(entry);
        let known = rows::applied(&self.tx, place)?;
        if known == Some(entry.hash()) {
            return Ok(Verdict::Known);
        }
        let (by, body) = match self.open(entry) {
            Ok(Opened::Body(by, body)) => (by, body),
            Ok(Opened::Waits(reason)) => return Ok(Verdict::Waits { reason, needs: None }),
            Err(reason) => return Ok(Verdict::Refused(reason)),
        };
        if known.is_some() || Some(place.slot) == self.circle.own_slot() {
            // Really signed by its author, in a place where this device has another, or, of its own, none.
            return Ok(Verdict::Refused(QuarantineReason::Fork));
        }
        let header = entry.header();
        let head = rows::head(&self.tx, header.slot)?;
        let next = head.map_or(1, |head| head.counter.saturating_add(1));
        if header.counter > next {
            let needs = Some(Place { slot: header.slot, counter: next });
            return Ok(Verdict::Waits { reason: WaitReason::Entry, needs });
        }
        if header.prev != head.map_or(Hash::ZERO, |head| head.hash) {
            return Ok(Verdict::Refused(QuarantineReason::Fork));
        }
        if head.is_some_and(|head| head.epoch > header.epoch) {
            return Ok(Verdict::Refused(QuarantineReason::Rules));
        }
        if let Some(verdict) = self.check_heads(header.slot, &body.heads)? {
            return Ok(verdict);
        }
        if body.schema > SCHEMA {
            return Ok(Verdict::Waits { reason: WaitReason::NewerVersion, needs: None });
        }
        let Ok(changes) = decode_changes(&body.changes) else {
            return Ok(Verdict::Refused(QuarantineReason::Rules));
        };
        self.apply(entry, by, body.hlc, changes)
    }

    /// Compares what the author had seen of others with what is here.
    fn check_heads(&mut self, author: u16, heads: &[WriterHead]) -> Result<Option<Verdict>, BakenError> {
        for head in heads.iter().filter(|head| head.slot != author) {
            let place = Place { slot: head.slot, counter: head.counter };
            let own = Some(head.slot) == self.circle.own_slot();
            match rows::applied(&self.tx, place)? {
                Some(hash) if hash == head.hash => {}
                None if own => {
                    self.found_fork(place)?;
                    return Ok(Some(Verdict::Refused(QuarantineReason::Contradicts)));
                }
                None => return Ok(Some(Verdict::Waits { reason: WaitReason::Entry, needs: Some(place) })),
                Some(_) => {
                    self.found_fork(place)?;
                    return Ok(Some(Verdict::Refused(QuarantineReason::Contradicts)));
                }
            }
        }
        Ok(None)
    }

    fn apply(&mut self, entry: &Entry, by: DeviceId, hlc: u64, changes: Vec<Change>) -> Result<Verdict, BakenError> {
        let count = changes.len();
        self.tx.execute_batch("SAVEPOINT entry")?;
        for change in changes {
            let check = store::merge(&self.tx, entry.header().slot, hlc, change)?;
            if check != PutCheck::Ready {
                self.tx.execute_batch("ROLLBACK TO entry; RELEASE entry")?;
                return Ok(match check {
                    // It has seen a put that its own list of heads does not cover.
                    PutCheck::Waits => Verdict::Waits { reason: WaitReason::Entry, needs: None },
                    _ => Verdict::Refused(QuarantineReason::Rules),
                });
            }
        }
        rows::insert_applied(&self.tx, entry, false)?;
        time::observe(&self.tx, self.context.now(), hlc)?;
        self.tx.execute_batch("RELEASE entry")?;
        Ok(Verdict::Applied { by, changes: count })
    }

    fn put_aside(&mut self, bytes: &[u8], place: Option<Place>, reason: QuarantineReason) -> Result<(), BakenError> {
        if rows::quarantine(&self.tx, bytes, place, reason, self.context.now())? {
            self.events.push(SyncEvent::Quarantined(reason));
        } else {
            self.events.push(SyncEvent::Known);
        }
        Ok(())
    }

    fn found_fork(&mut self, place: Place) -> Result<(), BakenError> {
        let own = Some(place.slot) == self.circle.own_slot();
        self.found(if own { FindingKind::OwnFork } else { FindingKind::Fork }, place)
    }

    fn found(&mut self, kind: FindingKind, place: Place) -> Result<(), BakenError> {
        if rows::find(&self.tx, kind, place, self.context.now())? {
            self.events.push(SyncEvent::Found(kind));
        }
        Ok(())
    }
}

/// An opened entry, or what opening it waits for.
enum Opened {
    Body(DeviceId, Box<EntryBody>),
    Waits(WaitReason),
}
