//! What would go and what would stay, before anything does.

use baken_schemas::circle::MemberRole;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{Value, kind_numbered};
use baken_schemas::rules::{Caution, May, WayOut, caution};
use serde::Serialize;

use super::mark::{is_theirs, mark_of};
use super::{Given, Sharing, all_given, case_readers, copy_of, is_empty, is_shareable, own_case};
use crate::attachment::AttachmentView;
use crate::baken::UnlockedVault;
use crate::circle::Circle;
use crate::devices::DeviceNames;
use crate::record::{FieldView, RecordView, view_in};
use crate::{Baken, BakenError};

/// What sharing an item would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The item.
    pub item: RecordId,
    /// Its kind.
    pub kind_name: &'static str,
    /// The case.
    pub case: CircleId,
    /// What the copy is, there.
    pub copy: RecordId,
    /// It was shared there before, and would be brought up to date.
    pub again: bool,
    /// What goes.
    pub goes: Vec<GoesView>,
    /// What stays at home, and why.
    pub stays: Vec<StaysView>,
    /// The item's attachments.
    pub files: Vec<GoesFile>,
    /// Whose devices read it from then on.
    pub readers: Vec<Reader>,
    /// Whether it may go: as decided, once the person says that it was.
    pub may: May,
}

/// A field that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoesView {
    /// The field.
    pub name: &'static str,
    /// What the copy will say.
    #[serde(skip)]
    pub value: Value,
    /// What that is against what the copy says now.
    pub change: Change,
    /// Somebody else wrote what the copy says now; it stays in the history.
    pub theirs: bool,
    /// What to think of first.
    pub caution: Option<Caution>,
}

/// What a field of the copy will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not there.
    New,
    /// Another value was.
    Changed,
    /// It is there.
    Same,
}

/// A field that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaysView {
    /// The field; its number where a newer version made it.
    pub name: String,
    /// Why.
    pub why: Stays,
}

/// Why a field stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stays {
    /// The person chose so.
    Chosen,
    /// A newer version made it.
    Newer,
    /// It names something that is not shared there.
    NamesUnshared,
}

/// An attachment of the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoesFile {
    /// The attachment.
    pub attachment: RecordId,
    /// What it is called.
    pub name: String,
    /// It goes along, or is there.
    pub goes: bool,
    /// All of it is on this device; only then it can go.
    pub here: bool,
}

/// A device that reads the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reader {
    /// The device.
    pub device: DeviceId,
    /// What it is called.
    pub name: Option<String>,
    /// What it may do. A viewer's cannot say what it showed.
    pub role: MemberRole,
}

impl Baken {
    /// What sharing this would do. Nothing is written.
    ///
    /// # Errors
    /// [`BakenError::NoSuchRecord`] for what is not in the dossier or deleted, [`BakenError::NotShared`] for a kind that no
    /// case has or a circle that is no case of this person, [`BakenError::InConflict`] while a field has two values,
    /// [`BakenError::UnknownField`], [`BakenError::NoSuchAttachment`], [`BakenError::NoSuchCircle`],
    /// [`BakenError::MayNotWrite`], [`BakenError::Travelling`].
    pub fn share_preview(&self, sharing: &Sharing) -> Result<Preview, BakenError> {
        let item = self.record(sharing.item)?;
        let mut files = self.attachments(Some(item.record))?;
        files.retain(|file| !file.deleted && file.circle == item.circle);
        self.with_settled(|open| preview(open, sharing, &item, &files))
    }
}

fn preview(
    open: &UnlockedVault,
    sharing: &Sharing,
    item: &RecordView,
    files: &[AttachmentView],
) -> Result<Preview, BakenError> {
    let case = own_case(open, sharing.case)?;
    if item.deleted || item.circle != open.circles.home().id() {
        return Err(BakenError::NoSuchRecord);
    }
    let spec = kind_numbered(item.kind).filter(|_| is_shareable(item.kind)).ok_or(BakenError::NotShared)?;
    if item.in_conflict {
        return Err(BakenError::InConflict);
    }
    let all = all_given(open)?;
    let before = all.iter().find(|given| (given.item, given.case) == (item.record, sharing.case));
    let without = without(sharing, before);
    if without.iter().any(|name| spec.field_named(name).is_none()) {
        return Err(BakenError::UnknownField);
    }
    let copy_id = copy_of(item.record, sharing.case);
    let copy = view_in(&open.vault.connection, case, copy_id, item.kind)?;
    let mut preview = Preview {
        item: item.record,
        kind_name: spec.name,
        case: sharing.case,
        copy: copy_id,
        again: copy.as_ref().is_some_and(|copy| !is_empty(copy)),
        goes: Vec::new(),
        stays: Vec::new(),
        files: goes_along(open, case, sharing, files)?,
        readers: readers(open, case)?,
        may: mark_of(open, item)?.map_or(May::OwnChoice, |mark| mark.may_leave(WayOut::CaseCircle)),
    };
    for field in &item.fields {
        match value_that_goes(field, &without, |named| there(&all, named, sharing.case)) {
            Ok((name, value)) => preview.goes.push(GoesView {
                name,
                change: change(copy.as_ref(), name, &value),
                theirs: copy.as_ref().is_some_and(|copy| is_theirs(open, copy, name)),
                caution: caution(spec.name, name).filter(|_| value != Value::Empty),
                value,
            }),
            Err(why) => {
                let name = field.name.map_or_else(|| field.field.to_string(), str::to_owned);
                preview.stays.push(StaysView { name, why });
            }
        }
    }
    Ok(preview)
}

/// The names of fields that stay at home: as said now, or as said the last time.
pub(super) fn without(sharing: &Sharing, before: Option<&Given>) -> Vec<String> {
    let last = || before.map(|before| before.without.clone()).unwrap_or_default();
    sharing.without.clone().unwrap_or_else(last)
}

/// What the copy's field will say, or why it will not.
fn value_that_goes(
    field: &FieldView,
    without: &[String],
    there: impl Fn(RecordId) -> Option<RecordId>,
) -> Result<(&'static str, Value), Stays> {
    let name = field.name.ok_or(Stays::Newer)?;
    if without.iter().any(|kept| kept == name) {
        return Err(Stays::Chosen);
    }
    match field.values.first().map(|value| &value.value) {
        None => Err(Stays::Newer),
        Some(_) if field.values.iter().any(|value| value.newer) => Err(Stays::Newer),
        // Bytes of kinds that can be shared name another record.
        Some(Value::Bytes(bytes)) => {
            let copy = RecordId::from_slice(bytes).and_then(there).ok_or(Stays::NamesUnshared)?;
            Ok((name, Value::Bytes(copy.0.to_vec())))
        }
        Some(value) => Ok((name, value.clone())),
    }
}

/// The copy of a record in a case, where there is one.
fn there(all: &[Given], item: RecordId, case: CircleId) -> Option<RecordId> {
    let given = all.iter().find(|given| (given.item, given.case) == (item, case) && given.withdrawn_at.is_none());
    given.map(|given| given.copy)
}

fn change(copy: Option<&RecordView>, name: &str, value: &Value) -> Change {
    let field = copy.and_then(|copy| copy.field(name));
    match field.map(|field| field.values.as_slice()) {
        Some([standing]) if standing.value == *value => Change::Same,
        Some(standing) if standing.iter().any(|standing| standing.value != Value::Empty) => Change::Changed,
        None if *value == Value::Empty => Change::Same,
        _ => Change::New,
    }
}

/// The item's attachments: which go, and which are there.
fn goes_along(
    open: &UnlockedVault,
    case: &Circle,
    sharing: &Sharing,
    files: &[AttachmentView],
) -> Result<Vec<GoesFile>, BakenError> {
    if sharing.attachments.iter().any(|chosen| !files.iter().any(|file| file.record == *chosen)) {
        return Err(BakenError::NoSuchAttachment);
    }
    let number = super::kind("attachment")?.number;
    let goes = |file: &AttachmentView| {
        let copy = view_in(&open.vault.connection, case, copy_of(file.record, sharing.case), number)?;
        let is_there = copy.is_some_and(|copy| !copy.deleted);
        Ok(GoesFile {
            attachment: file.record,
            name: file.name.clone(),
            goes: is_there || sharing.attachments.contains(&file.record),
            here: file.here,
        })
    };
    files.iter().map(goes).collect()
}

/// Who reads the case, beside this person.
fn readers(open: &UnlockedVault, case: &Circle) -> Result<Vec<Reader>, BakenError> {
    let names = DeviceNames::read(&open.vault.connection, case)?;
    let reader = |device, role| Reader { device, name: names.of(device), role };
    let readers = case_readers(open, case).filter(|(_, is_in)| *is_in);
    Ok(readers.map(|(member, _)| reader(member.device, member.role)).collect())
}
