//! Taking back what was shared. Every field of the copy is emptied and it is deleted: nobody who looks from then on finds
//! it, and its files go from the relay and from the readers' devices at their next sync. What somebody has read they have
//! read, and may have kept; so may the sealed entries of before, until a checkpoint covers them.

use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{DELETED, Value};

use super::mark::is_label;
use super::{Consent, all_given, kind, own_case, put, share_of};
use crate::record::{Edits, RecordView, all_views};
use crate::{Baken, BakenError};

impl Baken {
    /// Takes an item back from a case.
    ///
    /// # Errors
    /// [`BakenError::NotSharedThere`]; [`BakenError::NoSuchCircle`], [`BakenError::MayNotWrite`],
    /// [`BakenError::Travelling`].
    pub fn withdraw(&self, item: RecordId, case: CircleId) -> Result<(), BakenError> {
        let now = self.context.now();
        let share = kind("share")?;
        let mut all = self.with_settled(|open| {
            let circle = own_case(open, case)?;
            let given = all_given(open)?.into_iter().find(|given| (given.item, given.case) == (item, case));
            let given = given.filter(|given| given.withdrawn_at.is_none()).ok_or(BakenError::NotSharedThere)?;
            let mut all = Vec::new();
            for view in all_views(&open.vault.connection, circle, None)? {
                if view.record == given.copy {
                    all.push(emptied(&view, &[]));
                } else if view.kind_name == Some("attachment") && view.names("of") == Some(given.copy) {
                    // What opens its file stays until the file is freed: by it the relay's bytes are found.
                    all.push(emptied(&view, &["blob", "thumbnail", "of"]));
                }
            }
            let puts = vec![put(share, "withdrawn_at", Value::Int(now.0))?];
            let home = open.circles.home().id();
            all.push(Edits { circle: home, record: share_of(item, case), kind: share.number, puts });
            Ok(all)
        })?;
        all.retain(|edits| !edits.puts.is_empty());
        self.edit_together(all, Consent::NotAsked)
    }
}

/// Empties a record but for some fields, and deletes it.
fn emptied(view: &RecordView, but: &[&str]) -> Edits {
    let filled = view.fields.iter().filter(|field| field.values.iter().any(|value| value.value != Value::Empty));
    // How secret it was stays too: the history says what it was.
    let filled =
        filled.filter(|field| !field.name.is_some_and(|name| but.contains(&name)) && !is_label(view.kind, field.field));
    let mut puts: Vec<_> = filled.map(|field| (field.field, Value::Empty)).collect();
    puts.push((DELETED, Value::Bool(true)));
    Edits { circle: view.circle, record: view.record, kind: view.kind, puts }
}
