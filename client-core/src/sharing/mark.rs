//! What is confidential, and whether it may leave (R11): every way out asks here, and here asks
//! [`baken_schemas::rules::Mark`].

use std::collections::BTreeSet;

use baken_schemas::circle::CircleKind;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{DELETED, FieldNumber, KindNumber, Value, kind_numbered};
use baken_schemas::rules::{Mark, May, Origin, WayOut};
use baken_schemas::time::Timestamp;

use super::{Consent, all_given, is_own_case, kind, put};
use crate::baken::UnlockedVault;
use crate::circle::Circle;
use crate::record::{Edits, RecordView, all_views, store, view_in};
use crate::{Baken, BakenError};

/// The kind that R11 is about.
const MEASURE: &str = "measure";
/// Its fields that say whether it is confidential: they may always be put, for they let nothing out.
const LABELS: [&str; 2] = ["confidential", "origin"];
/// Fields by which another record tells of a measure.
const NAMES: [&str; 2] = ["measure", "of"];
/// Kinds whose records may name one.
const NAMING: [&str; 5] = ["subscription", "evaluation", "follow-up", "attachment", "link"];

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

/// What holds of a record: its own mark, or that of the measure which it names.
pub(super) fn mark_of(open: &UnlockedVault, view: &RecordView) -> Result<Option<Mark>, BakenError> {
    if let Some(mark) = view.mark() {
        return Ok(Some(mark));
    }
    let (circle, measure) = (open.circles.get(view.circle)?, kind(MEASURE)?.number);
    for name in NAMES {
        if let Some(named) = view.names(name)
            && let Some(named) = view_in(&open.vault.connection, circle, named, measure)?
        {
            return Ok(named.mark());
        }
    }
    Ok(None)
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
    check_mark(Some(mark_after(here.as_ref(), edits)), by, consent)
}

/// A label, a deletion, or an emptied field.
fn tells_nothing(number: KindNumber, field: FieldNumber, value: &Value) -> bool {
    let name = kind_numbered(number).and_then(|kind| kind.field_numbered(field)).map(|field| field.name);
    field == DELETED || *value == Value::Empty || name.is_some_and(|name| LABELS.contains(&name))
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

    /// Every record, in any circle, that does not go by a way out: confidential measures, and what names one.
    pub(crate) fn kept_in(&self, by: WayOut, consent: Consent) -> Result<BTreeSet<RecordId>, BakenError> {
        self.with_settled(|open| {
            let mut kept = BTreeSet::new();
            for circle in open.circles.all() {
                for name in [MEASURE].iter().chain(&NAMING) {
                    for view in all_views(&open.vault.connection, circle, Some(kind(name)?.number))? {
                        if check_mark(mark_of(open, &view)?, by, consent).is_err() {
                            kept.insert(view.record);
                        }
                    }
                }
            }
            Ok(kept)
        })
    }

    /// The confidential measures in a circle: whoever is let into it reads them too.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchCircle`].
    pub fn confidential_in(&self, circle: CircleId) -> Result<Vec<RecordId>, BakenError> {
        self.with_settled(|open| {
            let views = all_views(&open.vault.connection, open.circles.get(circle)?, Some(kind(MEASURE)?.number))?;
            Ok(views.iter().filter(|view| !view.deleted && view.is_confidential()).map(|view| view.record).collect())
        })
    }

    /// Whether a device may be let into a circle.
    pub(crate) fn check_invite(&self, circle: CircleId, consent: Consent) -> Result<(), BakenError> {
        let views = self.confidential_in(circle)?.into_iter().map(|record| self.record(record));
        for view in views.collect::<Result<Vec<_>, _>>()? {
            self.with_vault(|open| match way_into(open, open.circles.get(circle)?) {
                Some(by) => check_mark(view.mark(), by, consent),
                None => Ok(()),
            })?;
        }
        Ok(())
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
