//! Sharing item by item into a case, with the device of an adviser or a police contact.
//!
//! What is shared is a **copy** of the item as it is: what the person writes at home later stays at home until they share
//! it again, so that they always know what the other side sees. The copy is a record of the case with an id that follows
//! from both, so that two devices of one person make one copy. That it is one, since when, and what stayed at home, stands
//! in the dossier (kind `share`), where nobody else writes.
//!
//! - [`mark`]: what is confidential, and the one place where an edit, an export or a pack asks whether it may leave.
//! - [`preview`], [`give`], [`withdraw`]: before, during, and back.
//! - [`given`]: what is shared with whom since when, and what their devices said they showed.
//! - [`shown`]: the reader's side of that.
//!
//! Not here: family circles. What is for the family is written there, and nothing of the dossier is copied into it.

mod give;
mod given;
pub(crate) mod mark;
mod preview;
mod shown;
mod withdraw;

use std::collections::BTreeSet;

use baken_schemas::circle::{CircleKind, Member, MemberState};
use baken_schemas::crypto::Hash;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{FieldNumber, KindNumber, KindSpec, Value, kind_named};
use baken_schemas::time::Timestamp;

pub use given::{GivenState, GivenView, ReaderView, ShownView};
pub use preview::{Change, GoesFile, GoesView, Preview, Reader, Stays, StaysView};

use crate::baken::UnlockedVault;
use crate::circle::Circle;
use crate::record::{RecordView, all_views};
use crate::{Baken, BakenError};

/// Whether the person has said that a confidential measure may go to these readers: that whoever decided on it decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Nobody asked; what is confidential stays.
    NotAsked,
    /// They said so, having been told the rule.
    Given,
}

/// What is to be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// An item of the dossier.
    pub item: RecordId,
    /// The case.
    pub case: CircleId,
    /// Names of fields that stay at home; as the last time when `None`.
    pub without: Option<Vec<String>>,
    /// Its attachments that go along, beside those that went before.
    pub attachments: Vec<RecordId>,
}

/// A kind of this version.
fn kind(name: &str) -> Result<&'static KindSpec, BakenError> {
    kind_named(name).ok_or(BakenError::UnknownKind)
}

/// A field of a kind, by its name, with what it is put to.
fn put(kind: &KindSpec, name: &str, value: Value) -> Result<(FieldNumber, Value), BakenError> {
    Ok((kind.field_named(name).ok_or(BakenError::UnknownField)?.number, value))
}

/// An id that follows from two others.
fn derived(label: &str, a: &[u8; 16], b: &[u8; 16]) -> RecordId {
    let mut id = [0; 16];
    id.iter_mut().zip(Hash::of(label, &[a, b]).0).for_each(|(to, from)| *to = from);
    RecordId(id)
}

/// The copy of an item, or of its attachment, in a case.
fn copy_of(item: RecordId, case: CircleId) -> RecordId {
    derived("baken/shared-copy/v0", &item.0, &case.0)
}

/// The record in the dossier that says so.
fn share_of(item: RecordId, case: CircleId) -> RecordId {
    derived("baken/share/v0", &item.0, &case.0)
}

/// Where a device says that it showed an item.
fn opened_by(device: DeviceId, item: RecordId) -> RecordId {
    derived("baken/opened/v0", &device.0, &item.0)
}

/// What the dossier says of a share.
struct Given {
    item: RecordId,
    case: CircleId,
    copy: RecordId,
    shared_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
    without: Vec<String>,
}

impl Given {
    fn of(view: &RecordView) -> Option<Self> {
        let (item, case) = (view.names("item")?, CircleId::from_slice(view.bytes("circle")?)?);
        Some(Self {
            item,
            case,
            copy: copy_of(item, case),
            shared_at: view.moment("shared_at"),
            updated_at: view.moment("updated_at"),
            withdrawn_at: view.moment("withdrawn_at"),
            without: view.text("without").split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// Every share that the dossier knows of, withdrawn ones too. What was taken in must have been merged.
fn all_given(open: &UnlockedVault) -> Result<Vec<Given>, BakenError> {
    let home = open.circles.home();
    if home.membership().kind() != CircleKind::Dossier {
        return Ok(Vec::new());
    }
    let views = all_views(&open.vault.connection, home, Some(kind("share")?.number))?;
    Ok(views.iter().filter(|view| !view.deleted).filter_map(Given::of).collect())
}

/// The copies of attachments that went along with what was taken back from a case, by the dossier's word alone.
pub(crate) fn taken_back(open: &UnlockedVault, case: &Circle) -> Result<BTreeSet<RecordId>, BakenError> {
    let withdrawn = |given: &Given| given.case == case.id() && given.withdrawn_at.is_some();
    let items: Vec<RecordId> = all_given(open)?.into_iter().filter(withdrawn).map(|given| given.item).collect();
    let files = all_views(&open.vault.connection, open.circles.home(), Some(kind("attachment")?.number))?;
    let of_those = files.iter().filter(|file| file.names("of").is_some_and(|of| items.contains(&of)));
    Ok(of_those.map(|file| copy_of(file.record, case.id())).collect())
}

/// The person's own case of this id, in which this device may write.
fn own_case(open: &UnlockedVault, case: CircleId) -> Result<&Circle, BakenError> {
    let (home, circle) = (open.circles.home().membership(), open.circles.get(case)?);
    if open.travel.is_some() {
        return Err(BakenError::Travelling);
    }
    if open.account().is_none() || !is_own_case(open, circle) {
        return Err(if home.kind() == CircleKind::Dossier { BakenError::NotShared } else { BakenError::NotOwner });
    }
    if !circle.membership().may_write(open.keys.device) || circle.current_epoch().is_none() {
        return Err(BakenError::MayNotWrite);
    }
    Ok(circle)
}

/// Whether a circle is a case of this person.
fn is_own_case(open: &UnlockedVault, circle: &Circle) -> bool {
    let membership = circle.membership();
    membership.kind() == CircleKind::Case
        && membership.root() == open.circles.home().membership().root()
        && membership.is_owner(open.keys.device)
}

/// The devices of others that are or were in a case, and whether they are in it.
fn case_readers<'a>(open: &'a UnlockedVault, case: &'a Circle) -> impl Iterator<Item = (&'a Member, bool)> {
    let members = case.membership().members().filter(|(member, _)| !open.is_own_device(member.device));
    members.map(|(member, state)| (member, !matches!(state, MemberState::Gone { .. })))
}

/// Whether nothing of a record stands any more but how secret it was.
fn is_empty(view: &RecordView) -> bool {
    let mut told = view.fields.iter().filter(|field| !mark::is_label(view.kind, field.field));
    view.deleted || told.all(|field| field.values.iter().all(|value| value.value == Value::Empty))
}

/// Whether an item of this kind can be shared into a case. A file goes with what it belongs to.
fn is_shareable(number: KindNumber) -> bool {
    let kind = baken_schemas::record::kind_numbered(number);
    kind.is_some_and(|kind| kind.circles.contains(&CircleKind::Case) && kind.is_shown() && kind.name != "attachment")
}

impl Baken {
    /// The copies that this person's items have in cases: what is listed of both would be there twice.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn shared_copies(&self) -> Result<Vec<RecordId>, BakenError> {
        self.with_settled(|open| Ok(all_given(open)?.into_iter().map(|given| given.copy).collect()))
    }
}
