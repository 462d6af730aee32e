//! The timeline of one alarm: what was called, what followed, and every signed receipt, in one file that anybody can check
//! without the relay, the desk or the phone. Its parts are the documents as they were signed; the file adds no word.
//!
//! It proves what was signed, by whom, and that each signer's receipts follow each other. That no receipt was left out at
//! the end nobody can prove. Times are those of each signer's own clock.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::FormatError;
use crate::alarm::{
    Alarm, AlarmAttachment, AlarmFamily, AlarmKind, ContentKey, FamilyKey, Fix, HandingOn, MediaType, Provenance,
    Receipt, ReceiptState, Update, UpdateBody, check_handing_on, check_receipt_of,
};
use crate::cbor;
use crate::crypto::{Hash, VerifyKey};
use crate::id::{AlarmId, DeviceId};
use crate::org::{Directory, OrgId};
use crate::signed::{Signed, Unverified};
use crate::time::Timestamp;

/// What the file begins with.
const LABEL: &str = "baken/timeline/v0";
/// The largest file that is read, in bytes.
pub const MAX_TIMELINE_BYTES: usize = 16 * 1024 * 1024;

/// The file: CBOR of this.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Timeline {
    #[n(0)]
    label: String,
    /// The organisation's directory, as signed.
    #[n(1)]
    pub directory: ByteVec,
    /// The alarm key of the device that called.
    #[n(2)]
    pub sender: VerifyKey,
    /// The alarm, as signed.
    #[n(3)]
    pub alarm: ByteVec,
    /// Opens the alarm, its updates and the receipts' details, 32 bytes; without it they stay sealed.
    #[n(4)]
    pub content_key: Option<ByteVec>,
    /// The updates, as signed.
    #[n(5)]
    pub updates: Vec<ByteVec>,
    /// The receipts, as signed.
    #[n(6)]
    pub receipts: Vec<ByteVec>,
    /// The hash of the text message by which the alarm came too, as who wrote this file has it: responders receipt that
    /// for itself.
    #[n(7)]
    pub text: Option<Hash>,
    /// The sender's signed [`AlarmFamily`], of an alarm that family responders could open: what checks their receipts.
    #[n(8)]
    pub family: Option<ByteVec>,
    /// That desks handed it on, as signed; `None` when none did, as in files from before there was such a thing.
    #[n(9)]
    pub handings_on: Option<Vec<ByteVec>>,
}

impl std::fmt::Debug for Timeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Timeline(…)")
    }
}

/// What a timeline proves.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ProvenTimeline {
    /// The organisation: compare it with one that you know from elsewhere.
    pub org: OrgId,
    /// Its name.
    pub organisation: String,
    /// The version of its directory.
    pub directory_version: u64,
    /// The alarm.
    pub alarm: AlarmId,
    /// The device that called.
    pub device: DeviceId,
    /// The alarm key that signed it: a desk knows whose it is.
    pub signed_by: VerifyKey,
    /// What it says, when it was opened.
    pub says: Option<SaysView>,
    /// What followed, by number.
    pub updates: Vec<UpdateView>,
    /// Every step that a receipt proves, by time.
    pub steps: Vec<Step>,
    /// To whom it was handed on, by time.
    pub handed_on: Vec<HandedOnStep>,
    /// What does not hold. Empty when all of it does.
    pub faults: Vec<Fault>,
}

impl std::fmt::Debug for ProvenTimeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProvenTimeline({}, faults {:?} …)", self.alarm, self.faults)
    }
}

/// What an alarm says.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SaysView {
    /// What kind of help.
    pub kind: AlarmKind,
    /// Where.
    pub fix: Fix,
    /// Battery in per cent.
    pub battery_percent: Option<u8>,
    /// Words.
    pub text: String,
    /// The sender's own clock.
    pub made_at: Timestamp,
    /// How it came to be.
    pub provenance: Provenance,
}

/// An update.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct UpdateView {
    /// Its number.
    pub seq: u64,
    /// Where the sender was; `None` while it is sealed.
    pub fix: Option<Fix>,
    /// Words; `None` while they are sealed.
    pub text: Option<String>,
    /// The sender's own clock; `None` while it is sealed.
    pub made_at: Option<Timestamp>,
    /// The photo or sound that went along; `None` without one, and while it is sealed.
    pub attachment: Option<AttachmentView>,
}

/// A file that went along with an update. The file itself is not in the timeline; its hash says which it was.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AttachmentView {
    /// What it is.
    pub media: MediaType,
    /// Its size in bytes.
    pub size: u64,
    /// The root of the hashes of its sealed chunks.
    pub root: Hash,
}

impl From<&AlarmAttachment> for AttachmentView {
    fn from(attachment: &AlarmAttachment) -> Self {
        Self { media: attachment.media, size: attachment.blob.size, root: attachment.blob.root }
    }
}

/// A step that a receipt proves.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// How far the alarm had got.
    pub state: ReceiptState,
    /// When, by the signer's clock.
    pub at: Timestamp,
    /// The desk that says so; `None` for the relay and for family.
    pub desk: Option<String>,
    /// A family member's device says so: the sender vouches for its key.
    pub family: bool,
    /// The officer or family member; `None` while it is sealed, and for a machine.
    pub officer: Option<String>,
    /// What the officer said; `None` while it is sealed.
    pub text: Option<String>,
    /// It is about the alarm as it came by text message; that this is the same alarm, the desk says by its id.
    pub by_text: bool,
    /// The receipt's hash.
    pub receipt: Hash,
}

/// A desk handed the alarm on.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HandedOnStep {
    /// When, by that desk's clock.
    pub at: Timestamp,
    /// By which desk.
    pub desk: String,
    /// To which.
    pub to: String,
    /// The officer; `None` while it is sealed.
    pub officer: Option<String>,
    /// Why; `None` while it is sealed.
    pub text: Option<String>,
}

/// Something that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Fault {
    /// The key does not open the alarm.
    NotOpened,
    /// Whom it was sealed to beside desks the sender did not sign, or not of this alarm.
    Family,
    /// An update that the device did not sign, or of another alarm; counted from 1.
    Update {
        /// Which.
        number: usize,
    },
    /// A receipt that its signer did not sign or may not give, or for other bytes; counted from 1.
    Receipt {
        /// Which.
        number: usize,
    },
    /// A handing on that its desk did not sign, or of other bytes; counted from 1.
    HandingOn {
        /// Which.
        number: usize,
    },
    /// The receipt names one before it that is not there; counted from 1.
    Missing {
        /// Which.
        number: usize,
    },
    /// Its signer says two things in one place; counted from 1.
    Contradicting {
        /// Which.
        number: usize,
    },
}

impl Timeline {
    /// Puts a timeline together.
    pub fn new(directory: &[u8], sender: VerifyKey, alarm: &[u8], content_key: Option<&ContentKey>) -> Self {
        Self {
            label: LABEL.to_owned(),
            directory: directory.to_vec().into(),
            sender,
            alarm: alarm.to_vec().into(),
            content_key: content_key.map(|key| key.as_bytes().to_vec().into()),
            updates: Vec::new(),
            receipts: Vec::new(),
            text: None,
            family: None,
            handings_on: None,
        }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// Reads a file. Nothing in it is to be believed before [`Self::prove`].
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_TIMELINE_BYTES {
            return Err(FormatError::TooLarge { what: LABEL, limit: MAX_TIMELINE_BYTES });
        }
        let timeline: Self = cbor::from_slice(bytes, LABEL)?;
        if timeline.label == LABEL { Ok(timeline) } else { Err(FormatError::WrongDocument { expected: LABEL }) }
    }

    /// Checks every signature and link. `org` is the organisation that must have signed the directory, where it is known.
    ///
    /// # Errors
    /// [`FormatError`] when the directory or the alarm itself does not hold: nothing is proven then.
    pub fn prove(&self, org: Option<OrgId>) -> Result<ProvenTimeline, FormatError> {
        let claimed = Unverified::<Directory>::parse(&self.directory)?.claims().org();
        let directory = Directory::verify(&self.directory, org.unwrap_or(claimed))?.into_value();
        let alarm = Unverified::<Alarm>::parse(&self.alarm)?.verify(&self.sender)?;
        let content = self.content_key.as_ref().and_then(|key| ContentKey::from_slice(key));
        let mut faults = Vec::new();
        let opened = content.as_ref().map(|content| alarm.value().open_with(content));
        if self.content_key.is_some() && !matches!(opened, Some(Ok(_))) {
            faults.push(Fault::NotOpened);
        }
        let says = opened.and_then(Result::ok).map(|body| SaysView {
            kind: body.kind,
            fix: body.fix,
            battery_percent: body.battery_percent,
            text: body.text,
            made_at: body.made_at,
            provenance: body.provenance,
        });
        // A key that does not open the alarm opens nothing that belongs to it.
        let content = content.filter(|_| says.is_some());
        let updates = self.prove_updates(alarm.value().header.alarm, content.as_ref(), &mut faults);
        let family = match &self.family {
            Some(family) => {
                AlarmFamily::verify(family, alarm.value().header.alarm, &self.sender).unwrap_or_else(|_| {
                    faults.push(Fault::Family);
                    Vec::new()
                })
            }
            None => Vec::new(),
        };
        let steps = self.prove_receipts(&alarm, (&directory, &family), content.as_ref(), &mut faults);
        let handed_on = self.prove_handings_on(&alarm, &directory, content.as_ref(), &mut faults);
        Ok(ProvenTimeline {
            org: directory.org(),
            organisation: directory.name,
            directory_version: directory.version,
            alarm: alarm.value().header.alarm,
            device: alarm.value().header.device,
            signed_by: self.sender,
            says,
            updates,
            steps,
            handed_on,
            faults,
        })
    }

    fn prove_updates(&self, alarm: AlarmId, content: Option<&ContentKey>, faults: &mut Vec<Fault>) -> Vec<UpdateView> {
        let mut views = Vec::new();
        for (number, bytes) in (1..).zip(&self.updates) {
            let update = Unverified::<Update>::parse(bytes).and_then(|update| update.verify(&self.sender));
            let Some(update) = update.ok().map(Signed::into_value).filter(|update| update.alarm == alarm) else {
                faults.push(Fault::Update { number });
                continue;
            };
            let body: Option<UpdateBody> = match content.map(|content| update.open(content)) {
                Some(Ok(body)) => Some(body),
                Some(Err(_)) => {
                    faults.push(Fault::Update { number });
                    continue;
                }
                None => None,
            };
            views.push(UpdateView {
                seq: update.seq,
                fix: body.as_ref().map(|body| body.fix),
                made_at: body.as_ref().map(|body| body.made_at),
                attachment: body.as_ref().and_then(|body| body.attachment.as_ref()).map(AttachmentView::from),
                text: body.map(|body| body.text),
            });
        }
        views.sort_by_key(|view| view.seq);
        views
    }

    fn prove_handings_on(
        &self,
        alarm: &Signed<Alarm>,
        directory: &Directory,
        content: Option<&ContentKey>,
        faults: &mut Vec<Fault>,
    ) -> Vec<HandedOnStep> {
        let name = |desk| directory.desk(desk).map(|entry| entry.name.clone()).unwrap_or_default();
        let mut steps = Vec::new();
        for (number, bytes) in (1..).zip(self.handings_on.iter().flatten()) {
            let is_about =
                |handing: &HandingOn| handing.alarm == alarm.value().header.alarm && handing.alarm_hash == alarm.hash();
            let handing = check_handing_on(bytes, directory).ok().map(Signed::into_value).filter(is_about);
            let Some(handing) = handing else {
                faults.push(Fault::HandingOn { number });
                continue;
            };
            let detail = content.and_then(|content| handing.open_detail(content).ok().flatten());
            let (officer, text) = detail.map(|detail| (detail.officer, detail.text)).unzip();
            steps.push(HandedOnStep {
                at: handing.at,
                desk: name(handing.by),
                to: name(handing.to),
                officer: officer.filter(|officer| !officer.is_empty()),
                text: text.filter(|text| !text.is_empty()),
            });
        }
        steps.sort_by_key(|step| step.at);
        steps
    }

    fn prove_receipts(
        &self,
        alarm: &Signed<Alarm>,
        (directory, family): (&Directory, &[FamilyKey]),
        content: Option<&ContentKey>,
        faults: &mut Vec<Fault>,
    ) -> Vec<Step> {
        let mut proven: Vec<(usize, Signed<Receipt>)> = Vec::new();
        for (number, bytes) in (1..).zip(&self.receipts) {
            let receipt = check_receipt_of(bytes, directory, family).ok();
            let is_about = |receipt: &Signed<Receipt>| {
                let of = receipt.value().alarm_hash;
                receipt.value().alarm == alarm.value().header.alarm && (of == alarm.hash() || Some(of) == self.text)
            };
            match receipt.filter(is_about) {
                Some(receipt) => proven.push((number, receipt)),
                None => faults.push(Fault::Receipt { number }),
            }
        }
        for (at, (number, receipt)) in proven.iter().enumerate() {
            // Each form has a chain of its own.
            let Receipt { by, prev, alarm_hash, .. } = *receipt.value();
            let is_same = |other: &Receipt| other.by == by && other.alarm_hash == alarm_hash;
            let is_before = |(_, other): &(usize, Signed<Receipt>)| other.hash() == prev && is_same(other.value());
            if prev != Hash::ZERO && !proven.iter().any(is_before) {
                faults.push(Fault::Missing { number: *number });
            }
            let is_rival = |(_, other): &(usize, Signed<Receipt>)| is_same(other.value()) && other.value().prev == prev;
            if proven.iter().take(at).any(is_rival) {
                faults.push(Fault::Contradicting { number: *number });
            }
        }
        let of_alarm = alarm.hash();
        let mut steps: Vec<Step> =
            proven.iter().map(|(_, receipt)| step(receipt, of_alarm, directory, content)).collect();
        steps.sort_by_key(|step| step.at);
        steps
    }
}

fn step(receipt: &Signed<Receipt>, of_alarm: Hash, directory: &Directory, content: Option<&ContentKey>) -> Step {
    let value = receipt.value();
    let detail = content.and_then(|content| value.open_detail(content).ok().flatten());
    let (officer, text) = detail.map_or((None, None), |detail| (Some(detail.officer), Some(detail.text)));
    let desk = directory.desk(value.by).map(|desk| desk.name.clone());
    Step {
        state: value.state,
        at: value.at,
        family: desk.is_none() && value.by != directory.relay.relay,
        desk,
        officer: officer.filter(|officer| !officer.is_empty()),
        text: text.filter(|text| !text.is_empty()),
        by_text: value.alarm_hash != of_alarm,
        receipt: receipt.hash(),
    }
}
