//! What is shared with whom since when, and what their devices said they showed.

use baken_schemas::circle::MemberRole;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use super::mark::is_theirs;
use super::shown::version_of;
use super::{Given, all_given, case_readers, is_empty, is_own_case, is_shareable, kind, opened_by};
use crate::baken::UnlockedVault;
use crate::circle::Circle;
use crate::devices::DeviceNames;
use crate::record::{HistoryView, RecordView, all_views, view_in, with_history};
use crate::{Baken, BakenError};

/// How a share stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GivenState {
    /// They see it.
    Shared,
    /// It was taken back.
    Withdrawn,
    /// It was shared and is not in the case: another device took it away, or it has not come here.
    Gone,
    /// It was taken back, and another device put it there again.
    BackAgain,
    /// This device is not in the case, or not any more.
    CaseUnknown,
}

/// Something that others see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenView {
    /// The item at home; `None` when it was written in the case itself.
    pub item: Option<RecordId>,
    /// Its kind.
    pub kind_name: Option<&'static str>,
    /// The first of what it says.
    pub title: String,
    /// The case.
    pub case: CircleId,
    /// What the case has of it: `baken record show` shows what they see.
    pub copy: RecordId,
    /// How it stands.
    pub state: GivenState,
    /// Since when it has been shared without a break.
    pub since: Option<Timestamp>,
    /// When it was brought up to date last.
    pub updated_at: Option<Timestamp>,
    /// When it was taken back.
    pub withdrawn_at: Option<Timestamp>,
    /// It is a confidential measure, and says so there.
    pub confidential: bool,
    /// Fields that say something else at home: it changed there since, or here.
    pub differs: Vec<String>,
    /// Fields that somebody else wrote in the case.
    pub theirs: Vec<String>,
    /// The item at home is deleted. It is shared all the same.
    pub deleted_at_home: bool,
    /// How many files went along.
    pub files: usize,
    /// Who reads it, and what their devices said.
    pub readers: Vec<ReaderView>,
}

/// A device that can read something, or said that it showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaderView {
    /// The device.
    pub device: DeviceId,
    /// What it is called.
    pub name: Option<String>,
    /// It is in the case.
    pub is_in: bool,
    /// It is a viewer's, which cannot say what it showed.
    pub cannot_say: bool,
    /// What it said.
    pub shown: Option<ShownView>,
}

/// What a device said of showing an item, by its own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownView {
    /// The moments it said, oldest first, as far as the history here goes.
    pub at: Vec<Timestamp>,
    /// It showed what stands there now.
    pub newest: bool,
}

impl Baken {
    /// What others see of this person's, in all cases: what was shared, what was taken back, and what was written there.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn given(&self) -> Result<Vec<GivenView>, BakenError> {
        self.with_settled(|open| {
            let all = all_given(open)?;
            let at_home = all_views(&open.vault.connection, open.circles.home(), None)?;
            let mut views = Vec::new();
            for given in &all {
                let item = at_home.iter().find(|view| view.record == given.item);
                views.push(given_view(open, given, item)?);
            }
            for case in open.circles.all().filter(|circle| is_own_case(open, circle)) {
                let names = DeviceNames::read(&open.vault.connection, case)?;
                for view in all_views(&open.vault.connection, case, None)? {
                    let is_copy = all.iter().any(|given| given.copy == view.record);
                    let by_us = view
                        .fields
                        .first()
                        .is_some_and(|field| !is_theirs(open, &view, field.name.unwrap_or_default()));
                    if is_shareable(view.kind) && !view.deleted && !is_copy && by_us {
                        views.push(written_view(open, case, &view, &names)?);
                    }
                }
            }
            views.sort_by_key(|view| (view.case, view.since, view.copy));
            Ok(views)
        })
    }
}

fn title_of(view: &RecordView) -> String {
    view.fields.iter().find_map(|field| field.name).map(|name| view.text(name)).unwrap_or_default()
}

/// A share, with the item of the dossier where that is still known.
fn given_view(open: &UnlockedVault, given: &Given, item: Option<&RecordView>) -> Result<GivenView, BakenError> {
    let connection = &open.vault.connection;
    let mut view = GivenView {
        item: Some(given.item),
        kind_name: item.and_then(|item| item.kind_name),
        title: item.map(title_of).unwrap_or_default(),
        case: given.case,
        copy: given.copy,
        state: GivenState::CaseUnknown,
        since: given.shared_at,
        updated_at: given.updated_at,
        withdrawn_at: given.withdrawn_at,
        confidential: item.is_some_and(RecordView::is_confidential),
        differs: Vec::new(),
        theirs: Vec::new(),
        deleted_at_home: item.is_none_or(|item| item.deleted),
        files: 0,
        readers: Vec::new(),
    };
    let Ok(case) = open.circles.get(given.case) else { return Ok(view) };
    let copy = match item {
        Some(item) => view_in(connection, case, given.copy, item.kind)?,
        None => None,
    };
    let there = copy.as_ref().filter(|copy| !is_empty(copy));
    view.state = match (there.is_some(), given.withdrawn_at.is_some()) {
        (true, false) => GivenState::Shared,
        (true, true) => GivenState::BackAgain,
        (false, true) => GivenState::Withdrawn,
        (false, false) => GivenState::Gone,
    };
    if let (Some(item), Some(copy)) = (item, there) {
        view.confidential |= copy.is_confidential();
        view.differs = differing(item, copy, given);
        let names = copy.fields.iter().filter_map(|field| field.name);
        view.theirs = names.filter(|name| is_theirs(open, copy, name)).map(str::to_owned).collect();
    }
    view.files = files_of(open, case, given.copy)?;
    let names = DeviceNames::read(connection, case)?;
    view.readers = readers(open, case, given.copy, copy.as_ref(), &names)?;
    Ok(view)
}

fn written_view(
    open: &UnlockedVault,
    case: &Circle,
    written: &RecordView,
    names: &DeviceNames,
) -> Result<GivenView, BakenError> {
    let first = written.fields.iter().flat_map(|field| &field.values).map(|value| value.at).min();
    let by_others = written.fields.iter().filter_map(|field| field.name).filter(|name| is_theirs(open, written, name));
    Ok(GivenView {
        item: None,
        kind_name: written.kind_name,
        title: title_of(written),
        case: case.id(),
        copy: written.record,
        state: GivenState::Shared,
        since: first,
        updated_at: Some(version_of(written)),
        withdrawn_at: None,
        confidential: written.is_confidential(),
        differs: Vec::new(),
        theirs: by_others.map(str::to_owned).collect(),
        deleted_at_home: false,
        files: files_of(open, case, written.record)?,
        readers: readers(open, case, written.record, Some(written), names)?,
    })
}

/// Fields that say something else at home than in the case, but for those that were to stay.
fn differing(item: &RecordView, copy: &RecordView, given: &Given) -> Vec<String> {
    let values = |view: &RecordView, name: &str| -> Vec<Value> {
        let values = view.field(name).into_iter().flat_map(|field| &field.values).map(|value| value.value.clone());
        values.filter(|value| *value != Value::Empty && !matches!(value, Value::Bytes(_))).collect()
    };
    let mut names: Vec<&'static str> = item.fields.iter().chain(&copy.fields).filter_map(|field| field.name).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !given.without.iter().any(|kept| kept == name) && values(item, name) != values(copy, name));
    names.into_iter().map(str::to_owned).collect()
}

fn files_of(open: &UnlockedVault, case: &Circle, copy: RecordId) -> Result<usize, BakenError> {
    let files = all_views(&open.vault.connection, case, Some(kind("attachment")?.number))?;
    Ok(files.iter().filter(|file| !file.deleted && file.names("of") == Some(copy)).count())
}

/// Who reads it, beside this person; and who said that they showed it and is out of the case now.
fn readers(
    open: &UnlockedVault,
    case: &Circle,
    item: RecordId,
    now: Option<&RecordView>,
    names: &DeviceNames,
) -> Result<Vec<ReaderView>, BakenError> {
    let mut readers = Vec::new();
    for (member, is_in) in case_readers(open, case) {
        let device = member.device;
        let shown = shown_by(open, case, device, item, now)?;
        if is_in || shown.is_some() {
            let cannot_say = member.role == MemberRole::Viewer;
            readers.push(ReaderView { device, name: names.of(device), is_in, cannot_say, shown });
        }
    }
    Ok(readers)
}

/// What a device said of an item. What another put there in its name does not count.
fn shown_by(
    open: &UnlockedVault,
    case: &Circle,
    device: DeviceId,
    item: RecordId,
    now: Option<&RecordView>,
) -> Result<Option<ShownView>, BakenError> {
    let (record, opened) = (opened_by(device, item), kind("opened")?);
    let connection = &open.vault.connection;
    if view_in(connection, case, record, opened.number)?.is_none() {
        return Ok(None);
    }
    let (_, history) = with_history(connection, case, record, opened.number)?;
    let said = |name: &'static str| {
        let own = history.iter().filter(move |put: &&HistoryView| put.by == Some(device) && put.name == Some(name));
        own.filter_map(|put| match put.value {
            Value::Int(ms) => Some(Timestamp(ms)),
            _ => None,
        })
    };
    let mut at: Vec<Timestamp> = said("at").collect();
    at.sort_unstable();
    let newest = now.is_some_and(|now| said("version").next_back() == Some(version_of(now)));
    Ok((!at.is_empty()).then_some(ShownView { at, newest }))
}
