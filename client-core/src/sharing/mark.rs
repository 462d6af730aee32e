//! What is confidential, and whether it may leave (R11): every way out asks here, and here asks
//! [`baken_schemas::rules::Mark`].

use std::collections::{BTreeMap, BTreeSet};

use baken_schemas::circle::CircleKind;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{DELETED, FieldNumber, KINDS, KindNumber, KindSpec, Value, kind_numbered};
use baken_schemas::rules::{Mark, May, Origin, WayOut};
use baken_schemas::time::Timestamp;

use super::{Consent, all_given, is_own_case, kind, put};
use crate::baken::UnlockedVault;
use crate::circle::Circle;
use crate::record::{Edits, RecordView, all_views, store, view_in, views_of, with_history};
use crate::{Baken, BakenError};

/// The kind that R11 is about.
const MEASURE: &str = "measure";
/// Its fields that say whether it is confidential: they may always be put, for they let nothing out.
const LABELS: [&str; 2] = ["confidential", "origin"];
/// Fields by which another record tells of a measure, or of what tells of one.
const NAMES: [&str; 5] = ["measure", "of", "from", "to", "item"];
/// The most records gone to from one. What tells of more is taken for confidential.
const MAX_TOLD_OF: usize = 256;
/// No mark is stricter.
const STRICTEST: Mark = Mark { origin: Origin::System, confidential: true };

/// Whether copies may have a label to follow when a record of this kind was put: one that bears labels, or says what was
/// shared.
pub(crate) fn leads_to_labels(kind: KindNumber) -> bool {
    kind_numbered(kind).is_some_and(|spec| [MEASURE, "share"].contains(&spec.name))
}

/// The strictest of what the values that stand say. A word of a newer version may be stricter than all that are known.
fn strictest<'a>(origins: impl Iterator<Item = &'a Value>, confidential: bool) -> Mark {
    let mut mark = Mark { origin: Origin::Own, confidential };
    for origin in origins {
        match origin {
            Value::Text(word) => match word.parse::<Origin>() {
                Ok(origin) => mark.origin = mark.origin.max(origin),
                Err(_) => mark.confidential = true,
            },
            Value::Newer(_) => mark.confidential = true,
            _ => {}
        }
    }
    mark
}

impl RecordView {
    /// What a measure says of its secrecy; `None` for other records. Where its values are in conflict, the strictest.
    pub fn mark(&self) -> Option<Mark> {
        let origins = self.field("origin").into_iter().flat_map(|field| &field.values).map(|value| &value.value);
        (self.kind_name == Some(MEASURE)).then(|| strictest(origins, self.is("confidential")))
    }

    /// Whether it is a confidential measure.
    pub fn is_confidential(&self) -> bool {
        self.mark().is_some_and(Mark::is_confidential)
    }
}

/// What holds of a record by what stands: see [`Told`].
pub(super) fn mark_of(open: &UnlockedVault, view: &RecordView) -> Result<Option<Mark>, BakenError> {
    Told::read(open, false)?.mark(view)
}

/// What a record tells of: itself, what it names by any value, what that names, and of a copy in a case what it was copied
/// from. Others write in a case; how secret something is they do not decide.
struct Told<'a> {
    open: &'a UnlockedVault,
    /// Items at home by their copies.
    items: BTreeMap<RecordId, RecordId>,
    /// Whether what was ever put counts, where a record's history goes along.
    ever: bool,
}

impl<'a> Told<'a> {
    fn read(open: &'a UnlockedVault, ever: bool) -> Result<Self, BakenError> {
        let items = all_given(open)?.into_iter().map(|given| (given.copy, given.item)).collect();
        Ok(Self { open, items, ever })
    }

    /// The strictest mark of all measures that a record tells of; `None` when it tells of none.
    fn mark(&self, view: &RecordView) -> Result<Option<Mark>, BakenError> {
        let (mut mark, mut met, mut ahead) = (None, BTreeSet::from([view.record]), vec![view.clone()]);
        while let Some(view) = ahead.pop() {
            let puts = self.puts(&view)?;
            let of = |names: &'static [&str]| puts.iter().filter(|(name, _)| names.contains(name)).map(|(_, put)| put);
            if view.kind_name == Some(MEASURE) {
                let own = strictest(of(&["origin"]), of(&["confidential"]).any(|put| *put == Value::Bool(true)));
                mark = Some(stricter(own, mark));
            }
            let named = of(&NAMES).filter_map(|put| match put {
                Value::Bytes(bytes) => RecordId::from_slice(bytes),
                _ => None,
            });
            for named in named.chain(self.items.get(&view.record).copied()) {
                if met.len() > MAX_TOLD_OF {
                    return Ok(Some(STRICTEST));
                }
                if met.insert(named) {
                    for circle in self.open.circles.all() {
                        ahead.extend(views_of(&self.open.vault.connection, circle, named)?);
                    }
                }
            }
        }
        Ok(mark)
    }

    /// What counts of a record, by the fields' names.
    fn puts(&self, view: &RecordView) -> Result<Vec<(&'static str, Value)>, BakenError> {
        if self.ever {
            let circle = self.open.circles.get(view.circle)?;
            let (_, history) = with_history(&self.open.vault.connection, circle, view.record, view.kind)?;
            return Ok(history.into_iter().filter_map(|put| Some((put.name?, put.value))).collect());
        }
        let fields = view.fields.iter().filter_map(|field| Some((field.name?, &field.values)));
        Ok(fields.flat_map(|(name, values)| values.iter().map(move |value| (name, value.value.clone()))).collect())
    }

    /// The records of a circle, of the kinds that may tell of a measure, with the marks that hold of them.
    fn marks_in(&self, circle: &Circle) -> Result<Vec<(RecordView, Mark)>, BakenError> {
        let mut marks = Vec::new();
        let tells =
            |kind: &&KindSpec| kind.name == MEASURE || NAMES.iter().any(|name| kind.field_named(name).is_some());
        for kind in KINDS.iter().filter(tells) {
            for view in all_views(&self.open.vault.connection, circle, Some(kind.number))? {
                marks.extend(self.mark(&view)?.map(|mark| (view, mark)));
            }
        }
        Ok(marks)
    }

    /// What is confidential in a circle and can be read there, with its mark.
    fn confidential_in(&self, circle: &Circle) -> Result<Vec<(RecordId, Mark)>, BakenError> {
        let mut marks = self.marks_in(circle)?;
        // That something was shown says nothing of it.
        marks.retain(|(view, mark)| mark.is_confidential() && !view.deleted && view.kind_name != Some("opened"));
        Ok(marks.into_iter().map(|(view, mark)| (view.record, mark)).collect())
    }
}

fn stricter(mark: Mark, other: Option<Mark>) -> Mark {
    let other = other.unwrap_or(Mark::from(Origin::Own));
    Mark { origin: mark.origin.max(other.origin), confidential: mark.confidential || other.confidential }
}

/// Whether something of this mark goes by this way, having asked or not.
fn check_mark(mark: Option<Mark>, by: WayOut, consent: Consent) -> Result<(), BakenError> {
    check_may(mark.map_or(May::OwnChoice, |mark| mark.may_leave(by)), consent)
}

/// Whether what the rules say is enough, having asked or not.
pub(super) fn check_may(may: May, consent: Consent) -> Result<(), BakenError> {
    match may {
        May::OwnChoice => Ok(()),
        May::AsDecided if consent == Consent::Given => Ok(()),
        may => Err(BakenError::Confidential { may }),
    }
}

/// Which way out writing into a circle is, for this person's devices. A guest's notes are the guest's.
fn way_into(open: &UnlockedVault, circle: &Circle) -> Option<WayOut> {
    if open.account().is_none() || !circle.membership().is_owner(open.keys.device) {
        return None;
    }
    match circle.membership().kind() {
        CircleKind::Dossier => None,
        CircleKind::Family => Some(WayOut::FamilyCircle),
        CircleKind::Case => Some(WayOut::CaseCircle),
    }
}

/// Whether what is put may be put there.
///
/// # Errors
/// [`BakenError::Confidential`].
pub(crate) fn check_edits(
    open: &UnlockedVault,
    edits: &Edits,
    consent: Consent,
    now: Timestamp,
) -> Result<(), BakenError> {
    let circle = open.circles.get(edits.circle)?;
    let (Some(by), true) = (way_into(open, circle), edits.kind == kind(MEASURE)?.number) else { return Ok(()) };
    if edits.puts.iter().all(|(field, value)| tells_nothing(edits.kind, *field, value)) {
        return Ok(());
    }
    store::settle(&open.vault.connection, circle, now)?;
    let here = view_in(&open.vault.connection, circle, edits.record, edits.kind)?;
    let given = all_given(open)?.into_iter().find(|given| given.copy == edits.record);
    let at_home = match given {
        Some(given) => view_in(&open.vault.connection, open.circles.home(), given.item, edits.kind)?,
        None => None,
    };
    let at_home = at_home.and_then(|item| item.mark());
    check_mark(Some(stricter(mark_after(here.as_ref(), edits), at_home)), by, consent)
}

/// A label, a deletion, or an emptied field.
fn tells_nothing(number: KindNumber, field: FieldNumber, value: &Value) -> bool {
    field == DELETED || *value == Value::Empty || is_label(number, field)
}

/// Whether a field says how secret a measure is. It stays when all else is emptied: what is said elsewhere of the measure,
/// and its history, are no less secret for that.
pub(crate) fn is_label(number: KindNumber, field: FieldNumber) -> bool {
    let spec = kind_numbered(number).filter(|kind| kind.name == MEASURE);
    spec.and_then(|kind| kind.field_numbered(field)).is_some_and(|field| LABELS.contains(&field.name))
}

/// The mark that a measure will have.
fn mark_after(here: Option<&RecordView>, edits: &Edits) -> Mark {
    let values = |name: &'static str| {
        let field = kind_numbered(edits.kind).and_then(|kind| kind.field_named(name)).map(|field| field.number);
        let put = edits.puts.iter().filter(move |(number, _)| Some(*number) == field).map(|(_, value)| value);
        let is_put = put.clone().next().is_some();
        let standing = here.and_then(|here| here.field(name)).into_iter().flat_map(|field| &field.values);
        put.chain(standing.filter(move |_| !is_put).map(|value| &value.value))
    };
    let confidential = values("confidential").any(|value| *value == Value::Bool(true));
    strictest(values("origin"), confidential)
}

impl Baken {
    /// Whether a record may go by a way out, and refuses where not.
    pub(crate) fn check_way(&self, view: &RecordView, by: WayOut, consent: Consent) -> Result<(), BakenError> {
        self.with_settled(|open| check_mark(mark_of(open, view)?, by, consent))
    }

    /// Every record, in any circle, that does not go by a way out: confidential measures, and what names one. What was
    /// confidential before counts too, since its history goes along.
    pub(crate) fn kept_in(&self, by: WayOut, consent: Consent) -> Result<BTreeSet<RecordId>, BakenError> {
        if check_mark(Some(STRICTEST), by, consent).is_ok() {
            return Ok(BTreeSet::new());
        }
        self.with_settled(|open| {
            let (told, mut kept) = (Told::read(open, true)?, BTreeSet::new());
            for circle in open.circles.all() {
                let marks = told.marks_in(circle)?;
                let kept_in = marks.iter().filter(|(_, mark)| check_mark(Some(*mark), by, consent).is_err());
                kept.extend(kept_in.map(|(view, _)| view.record));
            }
            Ok(kept)
        })
    }

    /// What is confidential in a circle: whoever is let into it reads it too.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchCircle`].
    pub fn confidential_in(&self, circle: CircleId) -> Result<Vec<RecordId>, BakenError> {
        let marks = self.with_settled(|open| Told::read(open, false)?.confidential_in(open.circles.get(circle)?))?;
        Ok(marks.into_iter().map(|(record, _)| record).collect())
    }

    /// Whether a device may be let into a circle.
    pub(crate) fn check_invite(&self, circle: CircleId, consent: Consent) -> Result<(), BakenError> {
        self.with_settled(|open| {
            let Some(by) = way_into(open, open.circles.get(circle)?) else { return Ok(()) };
            let marks = Told::read(open, false)?.confidential_in(open.circles.get(circle)?)?;
            marks.into_iter().try_for_each(|(_, mark)| check_mark(Some(mark), by, consent))
        })
    }

    /// Marks the copies of measures that were marked at home since: a label travels by itself, and only the strict way.
    pub(crate) fn labels_follow(&self) -> Result<(), BakenError> {
        let measure = kind(MEASURE)?;
        let all = self.with_settled(|open| {
            let (connection, home) = (&open.vault.connection, open.circles.home());
            let mut all = Vec::new();
            for given in all_given(open)?.into_iter().filter(|given| given.withdrawn_at.is_none()) {
                let Ok(case) = open.circles.get(given.case) else { continue };
                let can = is_own_case(open, case)
                    && case.membership().may_write(open.keys.device)
                    && case.current_epoch().is_some();
                let item = view_in(connection, home, given.item, measure.number)?;
                let copy = view_in(connection, case, given.copy, measure.number)?;
                if let (true, Some(item), Some(copy)) = (can, item, copy)
                    && item.is_confidential()
                    && !copy.is_confidential()
                    && !copy.deleted
                {
                    let puts = vec![put(measure, "confidential", Value::Bool(true))?];
                    all.push(Edits { circle: given.case, record: given.copy, kind: measure.number, puts });
                }
            }
            Ok(all)
        })?;
        if all.is_empty() { Ok(()) } else { self.edit_together(all, Consent::NotAsked) }
    }
}

/// Whether a value that stands in the copy was put by somebody else.
pub(super) fn is_theirs(open: &UnlockedVault, copy: &RecordView, field: &str) -> bool {
    let values = copy.field(field).into_iter().flat_map(|field| &field.values);
    values.filter_map(|value| value.by).any(|by| !open.is_own_device(by))
}
