//! What the console shows and its JSON API answers: alarms opened in memory, with every statement as strong as what
//! proves it and no stronger.

use std::sync::{Arc, PoisonError};

use baken_schemas::alarm::{
    AlarmKind, Card, CardBody, ContentKey, Fix, FixAbsent, Provenance, Receipt, ReceiptDetail, ReceiptState, UpdateBody,
};
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::{AccountId, AlarmId, DeviceId};
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::attachments::AttachmentView;
use super::channels::{DeliveryView, is_discreet};
use super::instructions::Instruction;
use super::officers::Officer;
use super::opened::{self, Opened, SignatureView, Unopened};
use super::store::keeping::KeptRow;
use super::store::{self, AlarmRow, Form, NoteRow, ReceiptRow, Sending, UpdateRow};
use super::{Desk, DeskError, FoldedView, IncidentId, KeepingView, Known, PassedOnView, PlaceView};
use crate::store::Priority;

/// How many of an alarm's updates are looked through for the newest position.
const UPDATES_FOR_POSITION: usize = 8;
/// The most opened alarms that are remembered; past it all are forgotten and opened again when they are looked at.
const MAX_OPENED: usize = 1_024;
/// Who says what a family member's device says.
pub const FAMILY: &str = "family";
/// How many updates a page shows.
const UPDATES_SHOWN: usize = 100;
/// How many of those that have words or a file it shows.
const SAYING_SHOWN: usize = 500;

/// How many earlier alarms of a person an alarm's page names.
const EARLIER_SHOWN: usize = 10;

/// A person of the roster.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// Number to call back.
    pub phone: String,
}

/// Where the caller is, as far as that is known.
#[derive(Clone, PartialEq, Serialize)]
pub struct PositionView {
    /// The place, with the age of the fix when it was sent.
    #[serde(flatten)]
    pub place: PlaceView,
    /// Seconds since the fix was made, by this desk's clock from the moment it arrived.
    pub age_now_s: i64,
    /// It came with an update, not with the alarm itself.
    pub from_update: bool,
}

/// Who has an alarm.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HolderView {
    /// The desk's name.
    pub desk: String,
    /// It is this desk.
    pub own: bool,
    /// The officer; `None` when the receipt's detail cannot be opened here.
    pub officer: Option<String>,
    /// Since when, by that desk's clock.
    pub at: Timestamp,
    /// The receipt that says so: who takes the alarm over names it.
    pub receipt: Hash,
}

/// An alarm in a list.
#[derive(Clone, PartialEq, Serialize)]
pub struct AlarmSummary {
    /// The alarm.
    pub alarm: AlarmId,
    /// How far it has got, by anybody's checked receipt.
    pub state: ReceiptState,
    /// No human has it yet.
    pub ringing: bool,
    /// When it arrived here.
    pub received_at: Timestamp,
    /// Seconds since then.
    pub age_s: i64,
    /// What kind of help; `None` when it could not be opened.
    pub kind: Option<AlarmKind>,
    /// The caller must not be seen to have called, or a duress PIN was used.
    pub discreet: bool,
    /// A note said that a duress PIN was used.
    pub duress: bool,
    /// The phone says that it was withdrawn, or its check-in settled. It stays open until an officer closes it.
    pub withdrawn: bool,
    /// Another device of the same person says so. This desk cannot tell whether that one was stolen.
    pub withdrawn_elsewhere: bool,
    /// Who calls, by this desk's roster.
    pub person: Option<PersonView>,
    /// What the signature proves.
    pub signature: SignatureView,
    /// Why it could not be opened.
    pub unopened: Option<Unopened>,
    /// How it came to be.
    pub provenance: Option<Provenance>,
    /// It came as a text message, or also as one.
    pub by_text: bool,
    /// Words sent along.
    pub text: String,
    /// The newest position.
    pub position: Option<PositionView>,
    /// Why there is none.
    pub position_absent: Option<FixAbsent>,
    /// Battery in per cent, the newest that was sent.
    pub battery_percent: Option<u8>,
    /// Who has it.
    pub held_by: Option<HolderView>,
    /// Who had it last, when nothing followed and it rings again.
    pub had_by: Option<HolderView>,
    /// The incident that it is part of.
    pub incident: Option<IncidentId>,
    /// How many further alarms of this device are folded behind it.
    pub folded: u32,
    /// How many of those nobody has: then the entry rings.
    pub folded_ringing: u32,
    /// How, by whom and when it was verified, the newest that was said.
    pub verification: Option<VerificationView>,
    /// Somebody has verified it.
    pub verified: bool,
    /// Its content was destroyed then, as its time was over.
    pub shredded_at: Option<Timestamp>,
}

/// How an alarm was verified.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct VerificationView {
    /// How; `None` when that cannot be opened here.
    pub how: Option<String>,
    /// The officer.
    pub officer: Option<String>,
    /// The desk's name.
    pub desk: String,
    /// When, by that desk's clock.
    pub at: Timestamp,
}

/// An alarm with all that belongs to it.
#[derive(Clone, PartialEq, Serialize)]
pub struct AlarmDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: AlarmSummary,
    /// The phone's own clock when the alarm was made: for information, it may be years off.
    pub made_at: Option<Timestamp>,
    /// Where the alarm itself said, before any update.
    pub pressed_at: Option<PlaceView>,
    /// What was agreed to do when this person calls.
    pub instruction: Option<Instruction>,
    /// The number to call back: as agreed, else the roster's; `None` where nobody knows one.
    pub call_back: Option<String>,
    /// The account, as the console's page of the person names it.
    pub account: Option<AccountId>,
    /// The card, opened with the alarm's key.
    pub card: Option<CardBody>,
    /// When this card was fetched from the relay.
    pub card_fetched_at: Option<Timestamp>,
    /// The newest first.
    pub updates: Vec<UpdateView>,
    /// In order of arrival.
    pub receipts: Vec<ReceiptView>,
    /// In order of arrival.
    pub notes: Vec<NoteView>,
    /// The newest alarms that are folded behind it.
    pub folded_alarms: Vec<FoldedView>,
    /// To whom it was passed on, in order of arrival.
    pub passed_on: Vec<PassedOnView>,
    /// What machines were told.
    pub deliveries: Vec<DeliveryView>,
    /// How long it is kept.
    pub keeping: KeepingView,
}

/// An update.
#[derive(Clone, PartialEq, Serialize)]
pub struct UpdateView {
    /// Its number at the phone.
    pub sequence: u64,
    /// When it arrived here.
    pub received_at: Timestamp,
    /// Words.
    pub text: String,
    /// Where.
    pub position: Option<PlaceView>,
    /// Battery in per cent.
    pub battery_percent: Option<u8>,
    /// The photo or sound that goes along.
    pub attachment: Option<AttachmentView>,
}

/// A receipt.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptView {
    /// How far.
    pub state: ReceiptState,
    /// When, by who says it.
    pub at: Timestamp,
    /// Who says it: a desk's name, `relay`, or `family`.
    pub by: String,
    /// It is a family member's device: the caller vouches for its key.
    pub family: bool,
    /// It is this desk.
    pub own: bool,
    /// The officer.
    pub officer: Option<String>,
    /// What the officer says.
    pub text: Option<String>,
    /// Its hash.
    pub receipt: Hash,
    /// Whether the relay has it from this desk: `waiting`, `sent`, `refused`; `None` where nothing is to be sent.
    pub sending: Option<&'static str>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteView {
    /// `unlocked`, `settled`, `withdrawn`; `None` when it cannot be opened.
    pub note: Option<&'static str>,
    /// A duress PIN was used.
    pub duress: bool,
    /// When it arrived here.
    pub received_at: Timestamp,
    /// What the signature proves.
    pub signature: SignatureView,
}

/// The alarms of a desk.
#[derive(Clone, PartialEq, Serialize)]
pub struct AlarmList {
    /// Those that nobody has first, the oldest on top.
    pub alarms: Vec<AlarmSummary>,
    /// How many are open, listed or not.
    pub open: usize,
}

/// Views hold what a person sent; none of it belongs into a log.
macro_rules! blank_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
blank_debug!(
    PersonView,
    PositionView,
    HolderView,
    VerificationView,
    AlarmSummary,
    AlarmDetail,
    UpdateView,
    ReceiptView,
    AlarmList,
    KeepingView
);

/// The rows behind one alarm.
struct Rows {
    alarm: AlarmRow,
    /// Its other forms.
    joined: Vec<AlarmRow>,
    updates: Vec<UpdateRow>,
    receipts: Vec<ReceiptRow>,
    notes: Vec<NoteRow>,
    kept: KeptRow,
    incident: Option<IncidentId>,
    /// How many are folded behind it, and how many of them ring.
    folded: (u32, u32),
}

impl Rows {
    /// With at most so many updates.
    fn read(db: &Connection, alarm: AlarmRow, updates: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            joined: store::alarm::joined(db, alarm.hash)?,
            updates: store::alarm::updates(db, alarm.alarm, updates)?,
            receipts: store::receipt::of_alarm(db, alarm.hash)?,
            notes: store::alarm::notes(db, alarm.alarm)?,
            incident: store::incident::of_alarm(db, alarm.alarm)?,
            folded: store::incident::count_folded(db, alarm.alarm)?,
            kept: store::keeping::of_alarm(db, alarm.alarm)?,
            alarm,
        })
    }
}

impl Desk {
    /// Open alarms, or the newest closed ones.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn alarms(&self, open: bool) -> Result<AlarmList, DeskError> {
        let (rows, count) = self.store.read(|db| {
            let mut rows = Vec::new();
            for alarm in store::alarm::list(db, open)? {
                rows.push(Rows::read(db, alarm, UPDATES_FOR_POSITION)?);
            }
            Ok::<_, DeskError>((rows, store::alarm::count_open(db)?))
        })?;
        let known = self.known();
        let alarms = rows.iter().map(|rows| self.summary(rows, &self.open_row(&rows.alarm, &known), &known)).collect();
        Ok(AlarmList { alarms, open: count })
    }

    /// One alarm with all that belongs to it.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn alarm(&self, alarm: AlarmId) -> Result<Option<AlarmDetail>, DeskError> {
        let read = self.store.read(|db| {
            let Some(alarm) = store::alarm::find(db, alarm)? else { return Ok(None) };
            let deliveries = store::delivery::of_alarm(db, alarm.hash)?;
            let card = store::card(db, alarm.device)?;
            let passed_on = store::passed_on::of_alarm(db, alarm.hash)?;
            let mut rows = Rows::read(db, alarm, UPDATES_SHOWN)?;
            // What was said stays in sight behind any number of positions.
            let oldest = rows.updates.last().map_or(0, |update| update.sequence);
            let saying = store::alarm::saying(db, rows.alarm.alarm, SAYING_SHOWN)?;
            rows.updates.extend(saying.into_iter().filter(|update| update.sequence < oldest));
            Ok::<_, DeskError>(Some((rows, passed_on, deliveries, card)))
        })?;
        let Some((rows, passed_on, deliveries, card)) = read else { return Ok(None) };
        let known = self.known();
        let opened = self.open_row(&rows.alarm, &known);
        let card =
            card.and_then(|(document, at)| Some((open_card(&document, &opened, rows.alarm.device, &known)?, at)));
        let (card, card_fetched_at) = card.unzip();
        let account = known.people.sender(rows.alarm.device).map(|sender| sender.account);
        // An alarm is shown whatever the file is worth.
        let instruction = account.and_then(|account| self.instructions.read(account).ok().flatten());
        let summary = self.summary(&rows, &opened, &known);
        let agreed = instruction.as_ref().map(|instruction| instruction.call_back.clone());
        let roster = summary.person.as_ref().map(|person| person.phone.clone());
        Ok(Some(AlarmDetail {
            keeping: self.keeping_view(&rows.kept, rows.alarm.state),
            summary,
            call_back: [agreed, roster].into_iter().flatten().find(|number| !number.is_empty()),
            instruction,
            account,
            made_at: opened.body().map(|body| body.made_at),
            pressed_at: opened.body().and_then(|body| place_of(body.fix)),
            card,
            card_fetched_at,
            updates: opened_updates(&rows, &opened, &known)
                .into_iter()
                .map(|(row, body)| self.update_view(rows.alarm.alarm, row, body))
                .collect::<Result<_, _>>()?,
            receipts: self.receipt_views(&rows, &opened, &known),
            notes: rows.notes.iter().map(|row| self.note_view(row, &known)).collect(),
            folded_alarms: self.folded_views(rows.alarm.alarm)?,
            passed_on: self.passed_on_views(&passed_on, &opened, &known),
            deliveries: deliveries
                .into_iter()
                .map(|row| DeliveryView::of(row, &self.channels, &self.at_rest))
                .collect(),
        }))
    }

    /// Closed alarms of the same person, the newest first, at most [`EARLIER_SHOWN`].
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn earlier(&self, than: &AlarmDetail) -> Result<Vec<AlarmSummary>, DeskError> {
        let Some(account) = than.account else { return Ok(Vec::new()) };
        let known = self.known();
        let of_same = |row: &AlarmRow| known.people.sender(row.device).is_some_and(|sender| sender.account == account);
        let rows = self.store.read(|db| {
            let closed = store::alarm::list(db, false)?.into_iter();
            let of_same = closed.filter(|row| row.alarm != than.summary.alarm && of_same(row)).take(EARLIER_SHOWN);
            of_same.map(|row| Rows::read(db, row, 0)).collect::<Result<Vec<_>, _>>().map_err(DeskError::from)
        })?;
        Ok(rows.iter().map(|rows| self.summary(rows, &self.open_row(&rows.alarm, &known), &known)).collect())
    }

    fn update_view(&self, alarm: AlarmId, row: &UpdateRow, body: UpdateBody) -> Result<UpdateView, DeskError> {
        let attachment = body.attachment.filter(|attachment| attachment.check().is_ok());
        Ok(UpdateView {
            sequence: row.sequence,
            received_at: row.received_at,
            text: body.text,
            position: place_of(body.fix),
            battery_percent: body.battery_percent,
            attachment: attachment.map(|attachment| self.attachment_view(alarm, &attachment)).transpose()?,
        })
    }

    /// Opens a row, or remembers how it looked: opening takes a decapsulation, and a list shows hundreds. `known` is held
    /// meanwhile, so that nobody learns of a new device between the look and the remembering.
    pub(super) fn open_row(&self, row: &AlarmRow, known: &Known) -> Arc<Opened> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = opened.get(&row.hash) {
            return Arc::clone(opened);
        }
        if opened.len() >= MAX_OPENED {
            opened.clear();
        }
        let mut fresh = opened::open(row, &known.people, (self.keys.device, &self.keys.kem));
        if row.form == Form::Alarm && fresh.content.is_err() {
            // A look that fails is made again with the next one.
            let handed_on = self.store.read(|db| Ok::<_, DeskError>(store::passed_on::key_of(db, row.hash)?));
            let keys = handed_on.unwrap_or_default();
            let open = |document: &Vec<u8>| opened::open_handed_on(row, document, &self.keys.kem);
            if let Some((body, content)) = keys.iter().find_map(open) {
                fresh.content = Ok((body, Some(content)));
            }
        }
        let fresh = Arc::new(fresh);
        opened.insert(row.hash, Arc::clone(&fresh));
        fresh
    }

    /// Forgets how an alarm looked: there may be a key to it now.
    pub(super) fn forget_opened(&self, hash: Hash) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
    }

    fn summary(&self, rows: &Rows, opened: &Opened, known: &Known) -> AlarmSummary {
        let row = &rows.alarm;
        let now = self.now();
        let body = opened.body();
        // What somebody else's device says of it is no word of its owner.
        let own = rows.notes.iter().filter(|note| known.people.are_one_persons(row.device, note.device));
        let notes: Vec<_> = own.map(|note| (note.device, self.note_view(note, known))).collect();
        let duress = row.form == Form::DuressNote || notes.iter().any(|(_, note)| note.duress);
        let withdrawn = |by_itself: bool| {
            notes.iter().filter(|(device, _)| (*device == row.device) == by_itself).any(|(_, note)| {
                matches!(note.note, Some("withdrawn" | "settled")) && note.signature == SignatureView::Proven
            })
        };
        let updates = opened_updates(rows, opened, known);
        let newest = updates.iter().find_map(|(row, update)| Some((row.received_at, place_of(update.fix)?, true)));
        let first = body.and_then(|body| Some((row.received_at, place_of(body.fix)?, false)));
        let position = newest.or(first).map(|(at, place, from_update)| PositionView {
            age_now_s: i64::from(place.age_s) + now.since_ms(at).max(0) / 1000,
            place,
            from_update,
        });
        let absent = body.and_then(|body| match body.fix {
            Fix::Absent(why) => Some(why),
            Fix::At(_) => None,
        });
        let receipts = self.receipt_views(rows, opened, known);
        let holder = holder(&receipts);
        let verified = receipts.iter().rfind(|receipt| receipt.state == ReceiptState::Verified);
        AlarmSummary {
            alarm: row.alarm,
            state: row.state,
            ringing: !row.state.is_by_human() || rows.folded.1 > 0,
            incident: rows.incident,
            folded: rows.folded.0,
            folded_ringing: rows.folded.1,
            received_at: row.received_at,
            age_s: now.since_ms(row.received_at).max(0) / 1000,
            kind: opened.kind(),
            discreet: duress || body.is_some_and(|body| is_discreet(body.kind)),
            duress,
            withdrawn: withdrawn(true),
            withdrawn_elsewhere: withdrawn(false),
            person: known.people.sender(row.device).map(|sender| PersonView {
                name: sender.person.name.clone(),
                office: sender.person.office.clone(),
                phone: sender.person.phone.clone(),
            }),
            signature: opened.signature,
            unopened: opened.content.as_ref().err().copied().filter(|_| rows.kept.shredded.is_none()),
            shredded_at: rows.kept.shredded.map(|(at, _)| at),
            provenance: body.map(|body| body.provenance.clone()),
            by_text: row.by_text,
            text: body.map(|body| body.text.clone()).unwrap_or_default(),
            position_absent: absent.filter(|_| position.is_none()),
            position,
            battery_percent: updates
                .iter()
                .find_map(|(_, update)| update.battery_percent)
                .or_else(|| body.and_then(|body| body.battery_percent)),
            held_by: holder.clone().filter(|_| row.state.is_by_human()),
            had_by: holder.filter(|_| row.state == ReceiptState::Reopened),
            verification: verified.map(|receipt| VerificationView {
                how: receipt.text.clone(),
                officer: receipt.officer.clone(),
                desk: receipt.by.clone(),
                at: receipt.at,
            }),
            verified: verified.is_some(),
        }
    }

    /// The receipts for an alarm in whichever form it came: each has a key of its own.
    fn receipt_views(&self, rows: &Rows, opened: &Opened, known: &Known) -> Vec<ReceiptView> {
        let others = rows.joined.iter().filter_map(|row| self.open_row(row, known).content_key().cloned());
        let keys: Vec<ContentKey> = opened.content_key().cloned().into_iter().chain(others).collect();
        rows.receipts.iter().filter_map(|row| self.receipt_view(row, &keys, known)).collect()
    }

    fn receipt_view(&self, row: &ReceiptRow, keys: &[ContentKey], known: &Known) -> Option<ReceiptView> {
        let receipt = Unverified::<Receipt>::parse(&row.document).ok()?.claims().clone();
        let detail = if row.own {
            let detail = self.open_at_rest(&row.detail);
            detail.and_then(|detail| cbor::from_slice::<ReceiptDetail>(&detail, "a receipt's detail").ok())
        } else {
            keys.iter().find_map(|content| receipt.open_detail(content).ok().flatten())
        };
        let (officer, text) = detail.map(|detail| (detail.officer, detail.text)).unzip();
        Some(ReceiptView {
            state: row.state,
            at: row.at,
            family: row.by_family,
            by: if row.by_family { FAMILY.to_owned() } else { name_of(receipt.by, known) },
            own: row.own,
            receipt: row.hash,
            officer,
            text: text.filter(|text| !text.is_empty()),
            sending: match row.sending {
                Sending::Never => None,
                Sending::Due => Some("waiting"),
                Sending::Sent => Some("sent"),
                Sending::Refused => Some("refused"),
            },
        })
    }

    fn note_view(&self, row: &NoteRow, known: &Known) -> NoteView {
        let note = opened::open_note(&row.document, &known.people, &self.keys.kem);
        NoteView {
            note: note.body.as_ref().map(|body| opened::note_code(body.kind)),
            duress: note.body.as_ref().is_some_and(|body| body.duress),
            received_at: row.received_at,
            signature: note.signature,
        }
    }

    /// Whether this very officer has the alarm now.
    pub(super) fn is_held_by(&self, row: &AlarmRow, officer: &Officer) -> Result<bool, DeskError> {
        if row.state == ReceiptState::Reopened {
            return Ok(false);
        }
        let (held, receipts) = self.store.read(|db| {
            let held = store::receipt::holding_here(db, row.hash)?;
            Ok::<_, DeskError>((held, store::receipt::of_alarm(db, row.hash)?))
        })?;
        let held = receipts.iter().find(|receipt| Some(receipt.hash) == held);
        let detail = held.and_then(|receipt| self.open_at_rest(&receipt.detail));
        let detail = detail.and_then(|detail| cbor::from_slice::<ReceiptDetail>(&detail, "a receipt's detail").ok());
        Ok(detail.is_some_and(|detail| detail.officer == officer.name))
    }

    /// Open alarms that brought a card's key and whose card has not been fetched since they came.
    pub(super) fn cards_wanted(&self) -> Result<Vec<(Hash, DeviceId)>, DeskError> {
        self.store.read(|db| Ok(store::alarm::cards_wanted(db)?))
    }

    /// Keeps a card that the relay handed out, if it is one of that device. Opening it takes the key of an alarm.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn put_card(&self, device: DeviceId, document: &[u8]) -> Result<(), DeskError> {
        let card = Unverified::<Card>::parse(document)?;
        let version = card.claims().version;
        if card.claims().device != device {
            return Err(baken_schemas::FormatError::Rule { what: "a card", rule: "it is another device's" }.into());
        }
        let sig = self.known().people.sender(device).map(|sender| sender.identity.sig);
        if let Some(sig) = sig {
            card.verify(&sig)?;
        }
        let (document, now) = (document.to_vec(), self.now());
        self.store
            .write(Priority::Normal, move |db| {
                Ok::<_, DeskError>(store::put_card(db, device, version, &document, now)?)
            })
            .await?;
        self.changed();
        Ok(())
    }
}

/// Who took the alarm last: here, where an officer has, else at another desk.
fn holder(receipts: &[ReceiptView]) -> Option<HolderView> {
    // What family has seen holds nobody up here.
    let desks = || receipts.iter().filter(|receipt| !receipt.family);
    let seen = |own: bool| desks().rfind(move |receipt| receipt.own == own && receipt.state == ReceiptState::Seen);
    // What another desk said further on can come without what it said first.
    let any = || desks().find(|receipt| receipt.state.is_by_human());
    seen(true).or_else(|| seen(false)).or_else(any).map(|receipt| HolderView {
        desk: receipt.by.clone(),
        own: receipt.own,
        officer: receipt.officer.clone(),
        at: receipt.at,
        receipt: receipt.receipt,
    })
}

/// The updates that can be opened, the newest first.
fn opened_updates<'a>(rows: &'a Rows, opened: &Opened, known: &Known) -> Vec<(&'a UpdateRow, UpdateBody)> {
    let Some(content) = opened.content_key() else { return Vec::new() };
    let with_key = (rows.alarm.device, content);
    rows.updates
        .iter()
        .filter_map(|row| Some((row, opened::open_update(&row.document, &known.people, with_key)?.0)))
        .collect()
}

fn place_of(fix: Fix) -> Option<PlaceView> {
    match fix {
        Fix::At(position) => Some(PlaceView::from(&position)),
        Fix::Absent(_) => None,
    }
}

fn open_card(document: &[u8], opened: &Opened, device: DeviceId, known: &Known) -> Option<CardBody> {
    let key = SymmetricKey::from_slice(opened.body()?.card_key.as_ref()?)?;
    let card = Unverified::<Card>::parse(document).ok()?;
    if let Some(sender) = known.people.sender(device) {
        card.clone().verify(&sender.identity.sig).ok()?;
    }
    card.claims().open(&key).ok()
}

/// A desk's name; one that is none of the directory's was called at home.
pub(super) fn responder_name(by: DeviceId, known: &Known) -> String {
    let directory = known.directory.as_ref().map(|directory| directory.value());
    if directory.is_some_and(|directory| directory.desk(by).is_none()) { FAMILY.to_owned() } else { name_of(by, known) }
}

pub(super) fn name_of(by: DeviceId, known: &Known) -> String {
    let directory = known.directory.as_ref().map(|directory| directory.value());
    match directory {
        Some(directory) if directory.relay.relay == by => "relay".to_owned(),
        Some(directory) => directory.desk(by).map(|desk| desk.name.clone()).unwrap_or_else(|| by.to_string()),
        None => by.to_string(),
    }
}
