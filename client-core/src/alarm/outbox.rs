//! The outbox itself: pressing, what waits, and the rows behind it. Short transactions, no network.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, FamilyResponder, Fix, Note, NoteBody, NoteKind,
    Provenance, Update, UpdateBody,
};
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SigningKey, SymmetricKey};
use baken_schemas::id::{AccountId, AlarmId, DeviceId, LadderId, NoteId};
use baken_schemas::org::{DeskEntry, Directory, Ladder, LadderUse, OrgId};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::alarm::answer;
use crate::alarm::attachment;
use crate::alarm::family;
use crate::alarm::file;
use crate::alarm::schedule::{Job, Schedule};
use crate::alarm::sms;
use crate::{AlarmSetup, BakenError, Context, checkin};

/// The most text of one alarm, in bytes. What does not fit into it follows in updates.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;
/// The longest countdown in seconds; one that is longer is cut to it.
pub const MAX_COUNTDOWN_S: u32 = 60;
/// The most text in the alarm itself, in bytes; the rest of its 2,048 is for position, keys and provenance.
const ALARM_TEXT_BYTES: usize = 1_600;
/// The most text in one update, in bytes.
const UPDATE_TEXT_BYTES: usize = 900;
/// How many of the newest alarms are asked after while they are not closed.
const FOLLOWED_ALARMS: u32 = 16;
/// The most waiting alarms and updates that are planned at once; the others follow as these are done.
const MAX_WAITING: u32 = 256;
/// The most notes that wait; of more the oldest are forgotten. An unlock every ten minutes, offline for a month.
const MAX_NOTES: u32 = 4_096;
/// The most notes that are planned at once, the newest first: the last unlock matters most.
const NOTES_AT_ONCE: u32 = 8;

/// A call for help, as a person makes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// What kind of help.
    pub kind: AlarmKind,
    /// Where, or why that is not known. Never a reason to wait.
    pub fix: Fix,
    /// Battery in per cent.
    pub battery_percent: Option<u8>,
    /// Words, at most [`MAX_TEXT_BYTES`]; more is cut.
    pub text: String,
    /// Seconds in which it can still be withdrawn before anything is sent, at most [`MAX_COUNTDOWN_S`]; 0 sends at once.
    pub countdown_s: u32,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call(…)")
    }
}

/// What the phone was given at activation.
pub(crate) struct Phone {
    pub(crate) device: DeviceId,
    pub(crate) alarm_key: SigningKey,
    pub(crate) card_key: SymmetricKey,
    pub(super) org: OrgId,
    pub(crate) directory: Directory,
    /// Whom alarms are sealed to beside desks, the first chosen first.
    pub(crate) family: Vec<FamilyResponder>,
    pub(super) ladder: (LadderId, u32),
    /// The order by which it freezes itself, as signed; empty without one.
    freeze: Vec<u8>,
}

impl Phone {
    /// The order that goes along with every note, whichever PIN it was, so that nothing but the sealed word says which.
    pub(crate) fn freeze_note(&self) -> Option<ByteVec> {
        (!self.freeze.is_empty()).then(|| self.freeze.clone().into())
    }
}

/// The alarm outbox of one phone.
pub struct AlarmOutbox {
    db: Mutex<Connection>,
    pub(super) schedule: Mutex<Schedule>,
    /// Rung when something new waits, so that a running [`Self::follow`] sends it at once.
    pub(super) bell: tokio::sync::Notify,
}

impl std::fmt::Debug for AlarmOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AlarmOutbox(…)")
    }
}

impl AlarmOutbox {
    /// Makes the outbox of a newly activated or paired phone. The first ladder of the directory is the accepted one.
    /// Done again with another set-up before any alarm was pressed (an activation that was interrupted), the newer
    /// set-up counts.
    ///
    /// # Errors
    /// [`BakenError::DirectoryInvalid`], [`BakenError::NoLadder`], [`BakenError::AlreadyActivated`] once an alarm was
    /// pressed, and those of the disk.
    pub fn enrol(path: &Path, key: &SymmetricKey, setup: &AlarmSetup) -> Result<Self, BakenError> {
        let directory = Directory::verify(&setup.directory, setup.org).map_err(BakenError::DirectoryInvalid)?;
        let ladder = directory.value().ladder_for(LadderUse::Alarms).ok_or(BakenError::NoLadder)?;
        let outbox = Self::over(file::create(path, key)?);
        outbox.write(|tx| {
            // What waits is signed by the device that it was set up for.
            let in_use: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM alarm) OR EXISTS (SELECT 1 FROM check_in)
                     OR (EXISTS (SELECT 1 FROM note) AND EXISTS (SELECT 1 FROM phone WHERE device <> ?1))",
                [setup.device.0],
                |row| row.get(0),
            )?;
            if in_use {
                return Err(BakenError::AlreadyActivated);
            }
            tx.execute(
                "INSERT OR REPLACE INTO phone (id, device, alarm_key, card_key, account, org, directory, ladder,
                                               ladder_version, mail_cursor, mail_generation)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, -1)",
                params![
                    setup.device.0,
                    &setup.alarm_key.to_bytes()[..],
                    setup.card_key.as_bytes(),
                    setup.account.0,
                    setup.org.0.0,
                    directory.bytes(),
                    ladder.ladder.0,
                    ladder.version,
                ],
            )?;
            Ok(())
        })?;
        Ok(outbox)
    }

    /// Opens the outbox of an activated phone.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`] when there is none, [`BakenError::VaultDamaged`], [`BakenError::VaultNewer`].
    pub fn open(path: &Path, key: &SymmetricKey) -> Result<Self, BakenError> {
        let outbox = Self::over(file::open(path, key)?);
        outbox.read(|db| phone(db).map(drop))?;
        Ok(outbox)
    }

    fn over(db: Connection) -> Self {
        Self { db: Mutex::new(db), schedule: Mutex::default(), bell: tokio::sync::Notify::new() }
    }

    /// Seals a call for help and has it on disk when it returns. Nothing is sent yet.
    ///
    /// The accepted ladder is used; where the newest directory does not have it any more, its newer version, or else
    /// the directory's first.
    ///
    /// # Errors
    /// [`BakenError::DiskFull`], [`BakenError::Disk`], [`BakenError::Database`]; [`BakenError::NoLadder`] when the
    /// directory has none. Nothing was written then.
    pub fn press(&self, call: &Call, context: &Context) -> Result<AlarmId, BakenError> {
        let (alarm, _) = self.press_with(call, context, |_, _| Ok(true))?;
        Ok(alarm)
    }

    /// As [`Self::press`], if `claim` says so in the transaction that writes it; whether it was written.
    pub(crate) fn press_with(
        &self,
        call: &Call,
        context: &Context,
        claim: impl FnOnce(&Transaction<'_>, AlarmId) -> Result<bool, BakenError>,
    ) -> Result<(AlarmId, bool), BakenError> {
        let phone = self.read(phone)?;
        let now = context.now();
        let texts = split_text(&call.text);
        let (first, rest) = texts.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let body = AlarmBody {
            kind: call.kind,
            fix: call.fix,
            battery_percent: call.battery_percent,
            text: first.to_owned(),
            made_at: now,
            // A probe reaches no person, and brings no card.
            card_key: (call.kind != AlarmKind::Probe).then(|| phone.card_key.as_bytes().to_vec().into()),
            family: None,
            provenance: Provenance::Phone,
        };
        let ladder = usable_ladder(&phone).ok_or(BakenError::NoLadder)?;
        let countdown_ms = i64::from(call.countdown_s.min(MAX_COUNTDOWN_S)) * 1000;
        let held_until = if countdown_ms == 0 { Timestamp(0) } else { now.plus_ms(countdown_ms) };
        let pressed = self.write(|tx| {
            // A probe is no alarm that a text message could bring.
            let numbered = match call.kind {
                AlarmKind::Probe => None,
                _ => sms::take_number(tx, &phone, context).unwrap_or_default(),
            };
            let (alarm, content, updates) = context.with_rng(|rng| {
                let header = AlarmHeader {
                    alarm: numbered.as_ref().map_or_else(|| AlarmId::make(rng), |numbered| numbered.alarm),
                    device: phone.device,
                    class: AlarmClass::Alarm,
                    ladder: ladder.ladder,
                    ladder_version: ladder.version,
                };
                let content = ContentKey::make(rng);
                let to = (&phone.directory, &phone.family[..]);
                let alarm = Alarm::seal_under(&content, header, &body, to, &phone.alarm_key, rng)?;
                let updates = rest
                    .iter()
                    .zip(1..)
                    .map(|(text, seq)| {
                        let body = UpdateBody {
                            fix: call.fix,
                            battery_percent: call.battery_percent,
                            text: (*text).to_owned(),
                            made_at: now,
                            attachment: None,
                        };
                        Update::seal((header.alarm, phone.device, seq), &body, &content, &phone.alarm_key, rng)
                    })
                    .collect::<Result<Vec<_>, FormatError>>()?;
                Ok::<_, FormatError>((alarm, content, updates))
            })?;
            let text = numbered.map(|numbered| numbered.seal(call, &phone.card_key, now));
            let (text, text_key) = text.map_or_else(Default::default, |(text, key)| (text, key.as_bytes().to_vec()));
            let id = alarm.value().header.alarm;
            let family = family::word_in(alarm.value(), &content)?;
            if !claim(tx, id)? {
                return Ok((id, false));
            }
            tx.execute(
                "INSERT INTO alarm (alarm, document, content_key, kind, pressed_at, held_until, sms, sms_key, family)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    id.0,
                    alarm.bytes(),
                    content.as_bytes(),
                    cbor::to_vec(&call.kind),
                    now.0,
                    held_until.0,
                    text,
                    text_key,
                    family
                ],
            )?;
            updates.iter().try_for_each(|update| insert_update(tx, update))?;
            Ok((id, true))
        })?;
        self.bell.notify_one();
        Ok(pressed)
    }

    /// Seals what is new about an alarm (where the sender is now, words) and has it on disk when it returns.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`], and those of the disk.
    pub fn update(
        &self,
        alarm: AlarmId,
        fix: Fix,
        battery_percent: Option<u8>,
        text: &str,
        context: &Context,
    ) -> Result<(), BakenError> {
        let phone = self.read(phone)?;
        let made_at = context.now();
        self.write(|tx| {
            let (_, content) = sealed(tx, alarm)?;
            let last = last_update(tx, alarm)?;
            let mut pieces = pieces(text, UPDATE_TEXT_BYTES, UPDATE_TEXT_BYTES);
            if pieces.is_empty() {
                pieces.push("");
            }
            for (text, seq) in pieces.into_iter().zip(last + 1..) {
                let body = UpdateBody { fix, battery_percent, text: text.to_owned(), made_at, attachment: None };
                let update = context
                    .with_rng(|rng| Update::seal((alarm, phone.device, seq), &body, &content, &phone.alarm_key, rng))?;
                insert_update(tx, &update)?;
            }
            Ok(())
        })?;
        self.bell.notify_one();
        Ok(())
    }

    /// Seals a note that the vault was unlocked, for the first desk of the accepted ladder, and has it on disk when it
    /// returns.
    ///
    /// # Errors
    /// [`BakenError::NoLadder`] when there is no desk, and those of the disk.
    pub fn note_unlocked(&self, duress: bool, context: &Context) -> Result<(), BakenError> {
        let note = self.seal_note(NoteKind::Unlocked, duress, None, context)?;
        self.write(|tx| Self::keep_note(tx, &note))?;
        self.bell.notify_one();
        Ok(())
    }

    /// Seals a note. Every one has the same size, whatever it says.
    pub(super) fn seal_note(
        &self,
        kind: NoteKind,
        duress: bool,
        alarm: Option<AlarmId>,
        context: &Context,
    ) -> Result<Signed<Note>, BakenError> {
        let phone = self.read(phone)?;
        let desk = first_desk(&phone).ok_or(BakenError::NoLadder)?;
        let freeze = phone.freeze_note();
        let body = NoteBody { kind, duress, alarm, made_at: context.now(), freeze };
        Ok(context.with_rng(|rng| {
            let id = NoteId::make(rng);
            Note::seal(id, phone.device, desk, &body, &phone.alarm_key, rng)
        })?)
    }

    /// Keeps a note until the relay has it.
    pub(super) fn keep_note(tx: &Transaction<'_>, note: &Signed<Note>) -> Result<(), BakenError> {
        tx.execute("INSERT INTO note (note, document) VALUES (?1, ?2)", params![note.value().note.0, note.bytes()])?;
        tx.execute("DELETE FROM note WHERE seq <= (SELECT max(seq) FROM note) - ?1", [MAX_NOTES])?;
        Ok(())
    }

    /// How many notes wait for the relay.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn waiting_notes(&self) -> Result<u64, BakenError> {
        self.read(|db| Ok(db.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0))?.cast_unsigned()))
    }

    /// The relay has this note.
    pub(super) fn note_stored(&self, note: NoteId) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("DELETE FROM note WHERE note = ?1", [note.0])?;
            Ok(())
        })
    }

    /// The relay refused this note: others go first.
    pub(super) fn note_refused(&self, note: NoteId) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("UPDATE note SET refused = refused + 1 WHERE note = ?1", [note.0])?;
            Ok(())
        })
    }

    /// The newest directory, verified: where the relay is and who the desks are.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], and those of the disk.
    pub fn directory(&self) -> Result<Directory, BakenError> {
        Ok(self.read(phone)?.directory)
    }

    /// The newest directory as it was signed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn directory_bytes(&self) -> Result<Vec<u8>, BakenError> {
        self.read(|db| Ok(db.query_row("SELECT directory FROM phone", [], |row| row.get(0))?))
    }

    /// The account this phone belongs to.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn account(&self) -> Result<AccountId, BakenError> {
        self.read(|db| Ok(AccountId(db.query_row("SELECT account FROM phone", [], |row| row.get(0))?)))
    }

    /// Whether the ladder that the user accepted is not in the newest directory any more, so that another is used.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], and those of the disk.
    pub fn ladder_changed(&self) -> Result<bool, BakenError> {
        let phone = self.read(phone)?;
        Ok(phone.directory.ladder(phone.ladder.0, phone.ladder.1).is_none())
    }

    /// What there is to ask the relay: alarms, updates and check-ins that wait, receipts of alarms that are not closed,
    /// mail.
    pub(super) fn open_jobs(&self, now: Timestamp) -> Result<Vec<Job>, BakenError> {
        self.read(|db| {
            let mut jobs = vec![Job::Mail];
            let mut waiting = db.prepare_cached(
                "SELECT alarm FROM alarm AS a
                 WHERE NOT EXISTS (SELECT 1 FROM receipt AS r WHERE r.alarm = a.alarm AND r.by_sms = 0)
                   AND unsent = 0 AND (held_until <= ?2 OR pressed_at > ?2) ORDER BY seq LIMIT ?1",
            )?;
            for alarm in waiting.query_map((MAX_WAITING, now.0), |row| row.get(0))? {
                jobs.push(Job::Alarm(AlarmId(alarm?)));
            }
            let mut notes = db.prepare_cached("SELECT note FROM note ORDER BY refused, seq DESC LIMIT ?1")?;
            for note in notes.query_map([NOTES_AT_ONCE], |row| row.get(0))? {
                jobs.push(Job::Note(NoteId(note?)));
            }
            jobs.extend(answer::waiting(db)?.into_iter().map(Job::Said));
            jobs.extend(sms::waiting(db)?.map(Job::SmsContext));
            jobs.extend(checkin::settlements(db)?.into_iter().map(Job::Settlement));
            jobs.extend(checkin::open_ids(db, now)?.into_iter().map(Job::CheckIn));
            jobs.extend(checkin::raised_without_alarm(db)?.into_iter().map(Job::Receipts));
            // Of each stored alarm only the first update that waits, so that they go in order. One whose file is still on
            // its way is overtaken: where somebody is now does not wait for a photo.
            let mut updates = db.prepare_cached(
                "SELECT alarm, min(seq) FROM alarm_update AS u
                 WHERE stored = 0 AND EXISTS (SELECT 1 FROM receipt AS r WHERE r.alarm = u.alarm AND r.by_sms = 0)
                   AND NOT EXISTS (SELECT 1 FROM attachment_chunk AS c WHERE c.alarm = u.alarm AND c.seq = u.seq)
                 GROUP BY alarm LIMIT ?1",
            )?;
            for row in updates.query_map([MAX_WAITING], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))? {
                let (alarm, seq) = row?;
                jobs.push(Job::Update(AlarmId(alarm), seq.cast_unsigned()));
            }
            let mut followed = db.prepare_cached(
                "SELECT alarm FROM alarm WHERE unsent = 0 AND (held_until <= ?2 OR pressed_at > ?2)
                 ORDER BY seq DESC LIMIT ?1",
            )?;
            for alarm in followed.query_map((FOLLOWED_ALARMS, now.0), |row| row.get(0))? {
                let alarm = AlarmId(alarm?);
                let waits = jobs.contains(&Job::Alarm(alarm));
                if !waits && !super::view::is_closed(db, alarm)? {
                    jobs.push(Job::Receipts(alarm));
                }
            }
            jobs.extend(attachment::waiting(db)?);
            Ok(jobs)
        })
    }

    /// The bytes to send for an alarm or update; `None` when it is not there any more.
    pub(super) fn document(&self, job: Job) -> Result<Option<Vec<u8>>, BakenError> {
        self.read(|db| {
            let found = match job {
                Job::Alarm(alarm) => db
                    .query_row("SELECT document FROM alarm WHERE alarm = ?1", [alarm.0], |row| row.get(0))
                    .optional()?,
                Job::Update(alarm, seq) => db
                    .query_row(
                        "SELECT document FROM alarm_update WHERE alarm = ?1 AND seq = ?2",
                        params![alarm.0, seq.cast_signed()],
                        |row| row.get(0),
                    )
                    .optional()?,
                Job::Note(note) => {
                    db.query_row("SELECT document FROM note WHERE note = ?1", [note.0], |row| row.get(0)).optional()?
                }
                Job::SmsContext(context) => sms::document(db, context)?,
                Job::Said(said) => answer::document(db, said)?.map(|(_, document)| document),
                Job::Settlement(_) | Job::CheckIn(_) | Job::Receipts(_) | Job::Mail | Job::Chunk(..) => None,
            };
            Ok(found)
        })
    }

    /// Keeps that the relay refused an alarm.
    pub(super) fn note_refusal(&self, alarm: AlarmId, status: u16, code: &str) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute(
                "UPDATE alarm SET refused_status = ?2, refused_code = ?3 WHERE alarm = ?1",
                params![alarm.0, status, code],
            )?;
            Ok(())
        })
    }

    /// The relay has this update.
    pub(super) fn note_update_stored(&self, alarm: AlarmId, seq: u64) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute(
                "UPDATE alarm_update SET stored = 1 WHERE alarm = ?1 AND seq = ?2",
                params![alarm.0, seq.cast_signed()],
            )?;
            Ok(())
        })
    }

    /// Reads.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, BakenError>) -> Result<T, BakenError> {
        read(&self.db())
    }

    /// Writes in one transaction, on disk when it returns.
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        let mut db = self.db();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = write(&transaction)?;
        transaction.commit()?;
        Ok(written)
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction rolls it back.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PHONE: &str = "SELECT device, alarm_key, card_key, org, directory, ladder, ladder_version, freeze FROM phone";

/// The set-up, with its directory verified again: the file's own seal is not the root's signature.
pub(crate) fn phone(db: &Connection) -> Result<Phone, BakenError> {
    let row = db
        .query_row(PHONE, [], |row| {
            let alarm_key = zeroize::Zeroizing::new(row.get::<_, [u8; 32]>(1)?);
            let card_key = zeroize::Zeroizing::new(row.get::<_, [u8; 32]>(2)?);
            Ok((
                DeviceId(row.get(0)?),
                SigningKey::from_bytes(&alarm_key),
                SymmetricKey::from_slice(&card_key[..]),
                OrgId(Hash(row.get(3)?)),
                row.get::<_, Vec<u8>>(4)?,
                (LadderId(row.get(5)?), row.get(6)?),
                row.get(7)?,
            ))
        })
        .optional()?;
    let damaged = BakenError::VaultDamaged { part: "the alarm outbox" };
    let (device, alarm_key, card_key, org, directory, ladder, freeze) = row.ok_or(BakenError::NotActivated)?;
    let directory = Directory::verify(&directory, org).map_err(BakenError::DirectoryInvalid)?.into_value();
    let family = family::called(db)?.into_iter().map(|called| called.keys).collect();
    Ok(Phone { device, alarm_key, card_key: card_key.ok_or(damaged)?, org, directory, family, ladder, freeze })
}

/// The hash of an alarm as this phone sealed it, and its content key.
pub(super) fn sealed(db: &Connection, alarm: AlarmId) -> Result<(Hash, ContentKey), BakenError> {
    let row = db
        .query_row("SELECT document, content_key, hash FROM alarm WHERE alarm = ?1", [alarm.0], |row| {
            let content = zeroize::Zeroizing::new(row.get::<_, Vec<u8>>(1)?);
            Ok((row.get::<_, Vec<u8>>(0)?, content, row.get::<_, Vec<u8>>(2)?))
        })
        .optional()?;
    let (document, content, hash) = row.ok_or(BakenError::NoSuchAlarm)?;
    // Of a check-in that the relay made an alarm of, only the hash is kept.
    let hash = <[u8; 32]>::try_from(hash).map_or_else(|_| document_hash(&document), Hash);
    let content = ContentKey::from_slice(&content).ok_or(BakenError::VaultDamaged { part: "the alarm outbox" })?;
    Ok((hash, content))
}

/// [`Signed::hash`] of bytes that were signed here.
pub(super) fn document_hash(bytes: &[u8]) -> Hash {
    Hash::of("baken/document/v0", &[bytes])
}

/// The number of the last update of an alarm; 0 before the first.
pub(super) fn last_update(tx: &Transaction<'_>, alarm: AlarmId) -> Result<u64, BakenError> {
    let last = "SELECT coalesce(max(seq), 0) FROM alarm_update WHERE alarm = ?1";
    Ok(tx.query_row(last, [alarm.0], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

pub(super) fn insert_update(tx: &Transaction<'_>, update: &Signed<Update>) -> Result<(), BakenError> {
    let Update { alarm, seq, .. } = update.value();
    tx.execute(
        "INSERT INTO alarm_update (alarm, seq, document) VALUES (?1, ?2, ?3)",
        params![alarm.0, seq.cast_signed(), update.bytes()],
    )?;
    Ok(())
}

/// The ladder that a missed check-in climbs: the first that is for check-ins, or else that of alarms.
pub(crate) fn ladder_for_check_ins(phone: &Phone) -> Option<&Ladder> {
    let own = phone.directory.ladders.iter().find(|ladder| ladder.serves == LadderUse::CheckIns);
    own.or_else(|| usable_ladder(phone))
}

/// The desk that watches check-ins: the first that a missed one would go to.
pub(crate) fn desk_for_check_ins(phone: &Phone) -> Option<&DeskEntry> {
    first_desk_of(phone, ladder_for_check_ins(phone))
}

/// The first desk that an alarm would go to.
fn first_desk(phone: &Phone) -> Option<&DeskEntry> {
    first_desk_of(phone, usable_ladder(phone))
}

fn first_desk_of<'a>(phone: &'a Phone, ladder: Option<&'a Ladder>) -> Option<&'a DeskEntry> {
    let rungs = ladder.into_iter().flat_map(|ladder| &ladder.rungs);
    let mut responders = rungs.flat_map(|rung| &rung.responders);
    responders.find_map(|desk| phone.directory.desk(*desk)).or_else(|| phone.directory.desks.first())
}

pub(super) fn usable_ladder(phone: &Phone) -> Option<&Ladder> {
    let (ladder, version) = phone.ladder;
    let newer = || {
        let same = phone.directory.ladders.iter().filter(|entry| entry.ladder == ladder);
        same.max_by_key(|entry| entry.version)
    };
    phone.directory.ladder(ladder, version).or_else(newer).or_else(|| phone.directory.ladder_for(LadderUse::Alarms))
}

/// The alarm's own text, and what follows in updates.
fn split_text(text: &str) -> Vec<&str> {
    pieces(text, ALARM_TEXT_BYTES, UPDATE_TEXT_BYTES)
}

/// Cuts text between characters, the first piece and the others at most so many bytes; at most [`MAX_TEXT_BYTES`].
fn pieces(text: &str, first: usize, others: usize) -> Vec<&str> {
    let mut rest = text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let most = if pieces.is_empty() { first } else { others };
        let (piece, after) = rest.split_at(rest.floor_char_boundary(most));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// When an alarm was pressed, by the phone's own clock, and what kind it is.
pub(super) fn pressed(db: &Connection, alarm: AlarmId) -> Result<(Timestamp, AlarmKind), BakenError> {
    let row: Option<(i64, Vec<u8>)> = db
        .query_row("SELECT pressed_at, kind FROM alarm WHERE alarm = ?1", [alarm.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (pressed_at, kind) = row.ok_or(BakenError::NoSuchAlarm)?;
    Ok((Timestamp(pressed_at), cbor::from_slice(&kind, "an alarm's kind")?))
}
