//! Opening what rings: in memory only, for as long as it is looked at.
//!
//! Two questions are kept apart, because the answers can differ: what does it say (opened with the desk's key), and who
//! says it (signed by a device that an account has proven to be its own). Neither being answered keeps it from ringing.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmFamily, AlarmKind, ContentKey, DepositTimers, FamilyKey, Fix, HandingOn, Note, NoteBody,
    NoteKind, Provenance, Update, UpdateBody,
};
use baken_schemas::crypto::{KemSecret, VerifyKey};
use baken_schemas::id::DeviceId;
use baken_schemas::signed::{Document, Unverified};
use serde::Serialize;

use crate::desk::people::People;
use crate::desk::sms;
use crate::desk::store::{AlarmRow, Form};

/// Who signed what rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureView {
    /// The alarm key of a device that the account has proven to be its own.
    Proven,
    /// A device that no account has enrolled here.
    UnknownDevice,
    /// It names an enrolled device and is not signed by its key: altered, or somebody else.
    Mismatch,
    /// There is no signed document at all.
    None,
}

/// Why there is no content to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unopened {
    /// It was not sealed to this desk.
    NotForUs,
    /// It was, and cannot be opened: altered, or for a key this desk no longer has.
    CannotOpen,
    /// It is no alarm that this program can read.
    Unreadable,
    /// A check-in was due, and the relay has not handed it over.
    NotHandedOver,
}

/// What rings, opened as far as it can be.
#[derive(Clone)]
pub(super) struct Opened {
    pub signature: SignatureView,
    pub content: Result<(AlarmBody, Option<ContentKey>), Unopened>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({:?} …)", self.signature)
    }
}

impl Opened {
    /// What it says.
    pub fn body(&self) -> Option<&AlarmBody> {
        self.content.as_ref().ok().map(|(body, _)| body)
    }

    /// What kind of help; `None` when that cannot be known.
    pub fn kind(&self) -> Option<AlarmKind> {
        match &self.content {
            Ok((body, _)) => Some(body.kind),
            Err(Unopened::NotHandedOver) => Some(AlarmKind::Missed),
            Err(_) => None,
        }
    }

    /// The key of its updates and receipts' details.
    pub fn content_key(&self) -> Option<&ContentKey> {
        self.content.as_ref().ok().and_then(|(_, key)| key.as_ref())
    }
}

/// Whether `document` is signed by the alarm key of the device it names.
pub(super) fn signature<T: Document>(
    document: &[u8],
    people: &People,
    device: impl Fn(&T) -> DeviceId,
) -> SignatureView {
    let Ok(unverified) = Unverified::<T>::parse(document) else { return SignatureView::None };
    let Some(sender) = people.sender(device(unverified.claims())) else { return SignatureView::UnknownDevice };
    let key: VerifyKey = sender.identity.alarm;
    if unverified.verify(&key).is_ok() { SignatureView::Proven } else { SignatureView::Mismatch }
}

/// The family responders that an alarm was sealed to beside desks, by its sender's word; none while its sender is not
/// proven.
pub(super) fn family(row: &AlarmRow, opened: &Opened, people: &People) -> Vec<FamilyKey> {
    let sender = people.sender(row.device).filter(|_| opened.signature == SignatureView::Proven);
    let document = opened.body().and_then(|body| body.family.as_ref());
    let family = sender.zip(document);
    family
        .and_then(|(sender, document)| AlarmFamily::verify(document, row.alarm, &sender.identity.alarm).ok())
        .unwrap_or_default()
}

/// Opens a row.
pub(super) fn open(row: &AlarmRow, people: &People, (desk, kem): (DeviceId, &KemSecret)) -> Opened {
    match row.form {
        Form::Damaged => Opened { signature: SignatureView::None, content: Err(Unopened::Unreadable) },
        Form::NotHandedOver => {
            let signature = signature::<DepositTimers>(&row.document, people, |timers| timers.device);
            Opened { signature, content: Err(Unopened::NotHandedOver) }
        }
        Form::Alarm => {
            let signature = signature::<Alarm>(&row.document, people, |alarm| alarm.header.device);
            let content = match Unverified::<Alarm>::parse(&row.document) {
                Err(_) => Err(Unopened::Unreadable),
                Ok(alarm) => match alarm.claims().open(desk, kem) {
                    Ok(Some((body, key))) => Ok((body, Some(key))),
                    Ok(None) => Err(Unopened::NotForUs),
                    Err(_) => Err(Unopened::CannotOpen),
                },
            };
            Opened { signature, content }
        }
        Form::Sms => sms::open(&row.document, people, (desk, kem)),
        Form::DuressNote => {
            let note = open_note(&row.document, people, kem);
            let body = note.body.ok_or(Unopened::CannotOpen).map(|note| AlarmBody {
                kind: AlarmKind::Duress,
                fix: Fix::Absent(baken_schemas::alarm::FixAbsent::NotYet),
                battery_percent: None,
                text: String::new(),
                made_at: note.made_at,
                card_key: None,
                family: None,
                provenance: Provenance::Phone,
            });
            Opened { signature: note.signature, content: body.map(|body| (body, None)) }
        }
    }
}

/// Opens an alarm with the key that another desk handed on; `None` when it is another's.
pub(super) fn open_handed_on(row: &AlarmRow, document: &[u8], kem: &KemSecret) -> Option<(AlarmBody, ContentKey)> {
    // It was checked when it came; that the key is the alarm's own shows here.
    let content = Unverified::<HandingOn>::parse(document).ok()?.claims().open(kem).ok()?;
    let body = Unverified::<Alarm>::parse(&row.document).ok()?.claims().open_with(&content).ok()?;
    Some((body, content))
}

/// A note, opened as far as it can be.
#[derive(Debug, Clone)]
pub(super) struct OpenedNote {
    pub signature: SignatureView,
    pub body: Option<NoteBody>,
}

/// Opens a note.
pub(super) fn open_note(document: &[u8], people: &People, kem: &KemSecret) -> OpenedNote {
    OpenedNote {
        signature: signature::<Note>(document, people, |note| note.device),
        body: Unverified::<Note>::parse(document).ok().and_then(|note| note.claims().open(kem).ok()),
    }
}

/// What happened on the phone, in the words of the JSON API.
pub(super) fn note_code(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Unlocked => "unlocked",
        NoteKind::Settled => "settled",
        NoteKind::Withdrawn => "withdrawn",
    }
}

/// Opens an update that the alarm's own device signed; anything else is passed over, since whoever has no part in the
/// alarm can neither sign nor seal one.
pub(super) fn open_update(
    document: &[u8],
    people: &People,
    (device, content): (DeviceId, &ContentKey),
) -> Option<(UpdateBody, SignatureView)> {
    let update = Unverified::<Update>::parse(document).ok()?;
    if update.claims().device != device {
        return None;
    }
    let signature = signature::<Update>(document, people, |update| update.device);
    let body = update.claims().open(content).ok()?;
    (signature != SignatureView::Mismatch).then_some((body, signature))
}
