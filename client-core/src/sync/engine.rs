//! The sans-I/O engine: bytes out, bytes in, events. It knows no network; a driver, a simulation or a test carries the
//! bytes.
//!
//! What comes in is believed only as far as it proves itself. An entry is applied when it opens under an epoch key of
//! the log, its author signed it, it continues that author's chain, and everything it builds on is here. If something
//! it needs may still come, it waits, up to a bound. If it can never be right, it goes to quarantine: kept and shown,
//! never dropped. What its author says of others' last entries exposes a relay that hides or rolls back.
//!
//! A whole page is one transaction, with the cursor in it.

use baken_schemas::FormatError;
use baken_schemas::api::PAGE_ITEMS;
use baken_schemas::checkpoint::Seen;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, WriterHead};
use baken_schemas::id::DeviceId;
use baken_schemas::record::decode_changes;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, Transaction};

use crate::circle::Circle;
use crate::record::register::seen_of;
use crate::record::store::About;
use crate::record::{store, time};
use crate::recovery::RECOVERED_STATE;
use crate::sync::checkpoint;
use crate::sync::rows::{self, FindingKind, Place, QuarantineReason, WaitReason};
use crate::sync::seal::Author;
use crate::vault::setting;
use crate::{BakenError, Context};

/// The most bytes handed out in one go, below the API's limit of a body.
const MAX_OUTGOING_BYTES: usize = 3 * 1024 * 1024;

/// An entry with no more changes than this is merged as it comes; more of them wait for the next look.
const LIVE_CHANGES: usize = 32;

/// The last own counter that the relay has acknowledged.
pub(super) const STORED: &str = "stored_counter";
/// The last own counter that the relay has handed out again.
pub(super) const READ_OWN: &str = "read_own_counter";
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
pub(super) enum Verdict {
    Known,
    Applied {
        by: DeviceId,
        changes: usize,
    },
    Waits {
        reason: WaitReason,
        needs: Option<Place>,
    },
    /// A part of a checkpoint that is needed: it lies in the vault until all parts are here.
    Kept,
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
    /// [`BakenError::Database`].
    pub(crate) fn outgoing(&mut self) -> Result<Vec<Vec<u8>>, BakenError> {
        let Some(slot) = self.circle.own_slot() else { return Ok(Vec::new()) };
        let row = self.circle.row();
        let tx = self.connection.transaction()?;
        Author { circle: self.circle, keys: self.keys, context: self.context }.seal_owed(&tx)?;
        let stored: u64 = setting::read_of(&tx, row, STORED)?.unwrap_or(0);
        tx.commit()?;
        rows::own_after(self.connection, row, slot, stored, PAGE_ITEMS, MAX_OUTGOING_BYTES)
    }

    /// Runs `work`, whose commits a power cut may undo until the next one that is synced: for what the relay gives again.
    /// Nothing is torn, and a killed process loses none of it. What this device has to seal is sealed and synced before: an
    /// entry that was sent and forgotten would be made again, with other bytes in its place.
    ///
    /// # Errors
    /// Those of `work`, and [`BakenError::Database`].
    pub(crate) fn without_waiting_for_the_disk<T>(
        &mut self,
        work: impl FnOnce(&mut Sync<'_>) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        let Self { circle, keys, context, .. } = *self;
        let tx = self.connection.transaction()?;
        Author { circle, keys, context }.seal_owed(&tx)?;
        tx.commit()?;
        let mut unsynced = Unsynced::begin(self.connection)?;
        let done = work(&mut Sync { connection: unsynced.0, circle, keys, context });
        let synced = unsynced.end();
        let done = done?;
        synced.map(|()| done)
    }

    /// The relay says it has this device's entries up to `counter`, the last with this hash.
    ///
    /// # Errors
    /// [`BakenError::NotTrustworthy`] when it has another entry there than this device made, or forgot some.
    pub(crate) fn stored(&mut self, counter: u64, hash: Hash) -> Result<(), BakenError> {
        let (row, slot) = (self.circle.row(), self.circle.own_slot().ok_or(BakenError::NotActivated)?);
        let place = Place { slot, counter };
        let before: u64 = setting::read_of(self.connection, row, STORED)?.unwrap_or(0);
        let kind = match rows::applied(self.connection, row, place)? {
            Some(own) if own == hash && counter >= before => {
                return setting::write_of(self.connection, row, STORED, &counter);
            }
            Some(own) if own == hash => FindingKind::RolledBack,
            // Its word alone is no proof that this device's folder was copied.
            _ => FindingKind::Invented,
        };
        rows::find(self.connection, row, kind, place, self.context.now())?;
        Err(BakenError::NotTrustworthy { what: "it answers with another last entry of this device" })
    }

    /// The last own counter that the relay has acknowledged.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn acknowledged(&self) -> Result<u64, BakenError> {
        Ok(setting::read_of(self.connection, self.circle.row(), STORED)?.unwrap_or(0))
    }

    /// Takes in entries in the relay's order, and where to go on reading. All or nothing is durable on return. What is
    /// pending here is sealed first.
    ///
    /// # Errors
    /// [`BakenError::NotTrustworthy`] when more than bounds allow would wait or lie in quarantine: nothing changed then,
    /// and the relay still has them. [`BakenError::Database`].
    pub(crate) fn incoming(&mut self, entries: &[&[u8]], cursor: Option<u64>) -> Result<Vec<SyncEvent>, BakenError> {
        let row = self.circle.row();
        let tx = self.connection.transaction()?;
        if !entries.is_empty() || rows::count_waiting(&tx, row, None)? > 0 {
            Author { circle: self.circle, keys: self.keys, context: self.context }.seal_owed(&tx)?;
        }
        let comes_live = entries.len() == 1;
        let mut intake =
            Intake { tx, circle: self.circle, context: self.context, events: Vec::new(), own: 0, comes_live };
        for bytes in entries {
            intake.take(bytes)?;
        }
        intake.comes_live = false;
        intake.drain()?;
        let Intake { tx, events, own, .. } = intake;
        if own > setting::read_of(&tx, row, READ_OWN)?.unwrap_or(0) {
            setting::write_of(&tx, row, READ_OWN, &own)?;
        }
        if rows::are_too_many(&tx, row)? {
            return Err(BakenError::NotTrustworthy { what: "it hands over more unusable entries than are kept" });
        }
        if let Some(cursor) = cursor {
            setting::write_of(&tx, row, CURSOR, &cursor)?;
        }
        tx.commit()?;
        Ok(events)
    }

    /// Tries again what waited for the membership log, or was of a format that an older version could not read.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn retry(&mut self) -> Result<Vec<SyncEvent>, BakenError> {
        let newer = rows::take_newer_format(self.connection, self.circle.row())?;
        let newer: Vec<&[u8]> = newer.iter().map(Vec::as_slice).collect();
        self.incoming(&newer, None)
    }

    /// Entries that peers have seen and that the relay has not handed over.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn missing(&self) -> Result<Vec<Place>, BakenError> {
        rows::missing(self.connection, self.circle.row())
    }
}

/// A connection whose commits do not wait for the disk, however what is done with it ends.
struct Unsynced<'a>(&'a mut Connection);

impl<'a> Unsynced<'a> {
    fn begin(connection: &'a mut Connection) -> Result<Self, BakenError> {
        connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        Ok(Self(connection))
    }

    fn end(&mut self) -> Result<(), BakenError> {
        if !self.0.is_autocommit() {
            // Only what could not be rolled back; the setting is refused inside it.
            self.0.execute_batch("ROLLBACK")?;
        }
        Ok(self.0.execute_batch("PRAGMA synchronous = FULL")?)
    }
}

impl Drop for Unsynced<'_> {
    fn drop(&mut self) {
        // Said again where it was said before, or said in a panic.
        let _ = self.end();
    }
}

/// Taking in one page, inside its transaction.
struct Intake<'a> {
    tx: Transaction<'a>,
    circle: &'a Circle,
    context: &'a Context,
    events: Vec<SyncEvent>,
    /// The last own counter among them.
    own: u64,
    /// It came by itself, and whoever is told looks at it: one write to the disk instead of two.
    comes_live: bool,
}

impl Intake<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), BakenError> {
        let entry = match Entry::parse(bytes) {
            Ok(entry) if entry.header().circle == self.circle.id() => entry,
            Err(FormatError::WrongDocument { .. }) => {
                return self.put_aside(bytes, None, QuarantineReason::NewerFormat);
            }
            _ => return self.put_aside(bytes, None, QuarantineReason::Malformed),
        };
        let verdict = self.judge(&entry)?;
        if matches!(verdict, Verdict::Known) && Some(entry.header().slot) == self.circle.own_slot() {
            self.own = self.own.max(entry.header().counter);
        }
        self.settle(&entry, verdict)
    }

    /// Applies what has become ready, until nothing more does. Every round but the last takes an entry out of the
    /// waiting ones, whose number is bounded.
    fn drain(&mut self) -> Result<(), BakenError> {
        loop {
            let mut moved = false;
            for place in rows::waiting_writers(&self.tx, self.circle.row())? {
                for bytes in rows::take_waiting(&self.tx, self.circle.row(), place)? {
                    let Ok(entry) = Entry::parse(&bytes) else {
                        self.put_aside(&bytes, Some(place), QuarantineReason::Malformed)?;
                        continue;
                    };
                    match self.judge(&entry)? {
                        Verdict::Waits { reason, needs } => {
                            rows::insert_waiting(&self.tx, self.circle.row(), &entry, reason, needs)?
                        }
                        verdict => {
                            self.settle(&entry, verdict)?;
                            moved = true;
                        }
                    }
                }
            }
            if !moved {
                return rows::mend_withheld(&self.tx, self.circle.row());
            }
        }
    }

    fn settle(&mut self, entry: &Entry, verdict: Verdict) -> Result<(), BakenError> {
        match verdict {
            Verdict::Known | Verdict::Kept => self.events.push(SyncEvent::Known),
            Verdict::Applied { by, changes } => self.events.push(SyncEvent::Applied { by, changes }),
            Verdict::Waits { reason, needs } => {
                rows::insert_waiting(&self.tx, self.circle.row(), entry, reason, needs)?;
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
        let membership = self.circle.membership();
        let Some(author) = membership.writer(header.slot) else { return Ok(Opened::Waits(WaitReason::Membership)) };
        if header.epoch > membership.epoch() {
            return Ok(Opened::Waits(WaitReason::Membership));
        }
        if !membership.reads_epoch(header.slot, header.epoch) {
            return Err(QuarantineReason::Rules);
        }
        let Some(key) = self.circle.epoch_key(header.epoch) else { return Ok(Opened::Waits(WaitReason::Membership)) };
        match entry.open(key, author.device, &author.sig) {
            Ok(body) => Ok(Opened::Body(author.device, Box::new(body))),
            Err(FormatError::Sealed { .. }) => Err(QuarantineReason::CannotOpen),
            Err(FormatError::Signature { .. }) => Err(QuarantineReason::Signature),
            Err(_) => Err(QuarantineReason::Malformed),
        }
    }

    /// Applies an entry, or says why not. It is opened first: what cannot be verified must not fill the waiting ones.
    fn judge(&mut self, entry: &Entry) -> Result<Verdict, BakenError> {
        let (row, place) = (self.circle.row(), Place::of(entry));
        let known = rows::applied(&self.tx, row, place)?;
        if known == Some(entry.hash()) {
            return Ok(Verdict::Known);
        }
        let (by, body) = match self.open(entry) {
            Ok(Opened::Body(by, body)) => (by, body),
            Ok(Opened::Waits(reason)) => return Ok(Verdict::Waits { reason, needs: None }),
            Err(reason) => return Ok(Verdict::Refused(reason)),
        };
        let header = entry.header();
        let head = rows::head(&self.tx, row, header.slot)?;
        let next = head.map_or(1, |head| head.counter.saturating_add(1));
        if known.is_none() && header.counter < next && checkpoint::covers(&self.tx, row, place)? {
            return Ok(Verdict::Known);
        }
        if known.is_some() || Some(place.slot) == self.circle.own_slot() {
            // Really signed by its author, in a place where this device has another, or, of its own, none.
            return Ok(Verdict::Refused(QuarantineReason::Fork));
        }
        if let Some(verdict) = self.check_log(&body)? {
            return Ok(verdict);
        }
        let past_cut = self.circle.membership().cut(place.slot).is_some_and(|cut| place.counter > cut);
        let may_start = header.kind != EntryKind::Changes && !past_cut && self.circle.membership().was_owner(by);
        if may_start && checkpoint::is_needed(&self.tx, self.circle, entry, &body)? {
            return checkpoint::take(&self.tx, self.circle, entry, *body, self.context.now());
        }
        if header.counter > next {
            let needs = Some(Place { slot: header.slot, counter: next });
            return Ok(Verdict::Waits { reason: WaitReason::Entry, needs });
        }
        if header.prev != head.map_or(Hash::ZERO, |head| head.hash) {
            return Ok(Verdict::Refused(QuarantineReason::Fork));
        }
        if head.is_some_and(|head| head.epoch > header.epoch) || i64::try_from(body.hlc).is_err() {
            return Ok(Verdict::Refused(QuarantineReason::Rules));
        }
        let seen = match self.check_heads(header.slot, &body.heads)? {
            Ok(seen) => seen,
            Err(verdict) => return Ok(verdict),
        };
        if self.circle.membership().cut(place.slot).is_some_and(|cut| place.counter > cut)
            && !self.is_built_on(place)?
        {
            return Ok(Verdict::Waits { reason: WaitReason::Removed, needs: None });
        }
        if body.schema > SCHEMA {
            return Ok(Verdict::Waits { reason: WaitReason::NewerVersion, needs: None });
        }
        self.apply(entry, by, &body, &seen)
    }

    /// Compares what the author knew of the membership log with what is here.
    fn check_log(&mut self, body: &EntryBody) -> Result<Option<Verdict>, BakenError> {
        let Some(log) = body.log else { return Ok(None) };
        match self.circle.log_hash(&self.tx, log.seq)? {
            Some(hash) if hash == log.hash => Ok(None),
            Some(_) => {
                self.found(FindingKind::LogConflict, Place { slot: 0, counter: log.seq })?;
                Ok(Some(Verdict::Refused(QuarantineReason::Contradicts)))
            }
            None => Ok(Some(Verdict::Waits { reason: WaitReason::Membership, needs: None })),
        }
    }

    /// Compares what the author had seen of others with what is here. Gives all it has seen by now.
    fn check_heads(&mut self, author: u16, heads: &[WriterHead]) -> Result<Result<Vec<Seen>, Verdict>, BakenError> {
        let row = self.circle.row();
        let mut seen = rows::seen(&self.tx, row, author)?;
        for head in heads.iter().filter(|head| head.slot != author) {
            let place = Place { slot: head.slot, counter: head.counter };
            if head.counter < seen_of(&seen, head.slot) {
                return Ok(Err(Verdict::Refused(QuarantineReason::Rules)));
            }
            let own = Some(head.slot) == self.circle.own_slot();
            match rows::applied(&self.tx, row, place)? {
                Some(hash) if hash == head.hash => {}
                None if checkpoint::covers(&self.tx, row, place)? => {}
                None if !own => {
                    return Ok(Err(Verdict::Waits { reason: WaitReason::Entry, needs: Some(place) }));
                }
                _ => {
                    self.found_fork(place)?;
                    return Ok(Err(Verdict::Refused(QuarantineReason::Contradicts)));
                }
            }
            let news = Seen { slot: head.slot, counter: head.counter };
            match seen.binary_search_by_key(&head.slot, |seen| seen.slot) {
                Ok(index) => seen.splice(index..=index, [news]).for_each(drop),
                Err(index) => seen.insert(index, news),
            }
        }
        Ok(Ok(seen))
    }

    /// Whether somebody who is in the circle has built on an entry past its author's cut.
    fn is_built_on(&self, place: Place) -> Result<bool, BakenError> {
        let builders = rows::waiting_on(&self.tx, self.circle.row(), place)?;
        Ok(builders.iter().any(|slot| *slot != place.slot && self.circle.membership().cut(*slot).is_none()))
    }

    fn apply(&mut self, entry: &Entry, by: DeviceId, body: &EntryBody, seen: &[Seen]) -> Result<Verdict, BakenError> {
        let (row, place) = (self.circle.row(), Place::of(entry));
        let mut count = 0;
        if entry.header().kind == EntryKind::Changes {
            let Ok(changes) = decode_changes(body.schema, &body.changes) else {
                return Ok(Verdict::Refused(QuarantineReason::Rules));
            };
            count = changes.len();
            let place = (place.slot, place.counter);
            if self.comes_live && count <= LIVE_CHANGES {
                store::merge_at_once(&self.tx, self.circle, place, body.hlc, seen, changes, self.context.now())?;
            } else if count > 0 {
                let changes = (&*body.changes, About::changes(&changes));
                store::insert_fresh(&self.tx, row, place, body.hlc, body.schema, seen, changes)?;
            }
        }
        rows::insert_applied(&self.tx, row, entry, false)?;
        rows::write_seen(&self.tx, row, place.slot, seen)?;
        if entry.header().kind != EntryKind::Changes {
            checkpoint::note(&self.tx, row)?;
        }
        // Another device that knows of this one has spoken, and nothing it had seen was missing.
        let unconfirmed: Option<Timestamp> = setting::read(&self.tx, RECOVERED_STATE)?;
        if unconfirmed.is_some() && self.circle.is_known_by(&self.tx, body.log)? {
            setting::remove(&self.tx, RECOVERED_STATE)?;
        }
        time::observe(&self.tx, self.context.now(), body.hlc)?;
        Ok(Verdict::Applied { by, changes: count })
    }

    fn put_aside(&mut self, bytes: &[u8], place: Option<Place>, reason: QuarantineReason) -> Result<(), BakenError> {
        if rows::quarantine(&self.tx, self.circle.row(), bytes, place, reason, self.context.now())? {
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
        if rows::find(&self.tx, self.circle.row(), kind, place, self.context.now())? {
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
