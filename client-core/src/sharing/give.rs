//! Sharing an item: the copy, its attachments and what the dossier says of it, in one step.
//!
//! An attachment is sealed anew under a key of its own, so that taking it back takes the case's bytes away from the relay
//! and leaves those of the dossier.

use std::io::Write;

use baken_schemas::blob::BlobRef;
use baken_schemas::record::{DELETED, FieldNumber, Value};
use baken_schemas::rules::May;

use super::mark::{check_may, is_label, is_theirs};
use super::preview::{Change, without};
use super::{Consent, Preview, Sharing, all_given, copy_of, kind, put, share_of};
use crate::attachment::{BlobStore, SealedAsItComes, is_whole, open_to};
use crate::record::{Edits, view_in};
use crate::{Baken, BakenError, Context};

impl Baken {
    /// Shares an item into a case, or brings what was shared up to date. Gives what [`Self::share_preview`] said.
    ///
    /// # Errors
    /// As [`Self::share_preview`]; [`BakenError::Confidential`] without consent for what needs it,
    /// [`BakenError::AttachmentNotHere`]. Nothing went then.
    pub fn share(&self, sharing: &Sharing, consent: Consent) -> Result<Preview, BakenError> {
        let preview = self.share_preview(sharing)?;
        check_may(preview.may, consent)?;
        let mut sealed = Vec::new();
        let shared = self.seal_chosen(sharing, &mut sealed).and_then(|files| {
            let mut all = self.share_edits(sharing, &preview)?;
            all.extend(files);
            self.edit_together(all, consent)
        });
        if shared.is_err() {
            for blob in &sealed {
                // What cannot be removed now goes when the vault is opened next.
                let _ = self.blobs().free(blob.blob);
            }
        }
        shared?;
        Ok(preview)
    }

    /// What the dossier says of it, and what changes in the copy.
    fn share_edits(&self, sharing: &Sharing, preview: &Preview) -> Result<Vec<Edits>, BakenError> {
        let now = Value::Int(self.context.now().0);
        let (home, without, is_new) = self.with_settled(|open| {
            let all = all_given(open)?;
            let before = all.iter().find(|given| (given.item, given.case) == (sharing.item, sharing.case));
            let is_new = before.is_none_or(|before| before.withdrawn_at.is_some() || before.shared_at.is_none());
            Ok((open.circles.home().id(), without(sharing, before), is_new))
        })?;
        let share = kind("share")?;
        let mut said = vec![
            (DELETED, Value::Bool(false)),
            put(share, "item", Value::Bytes(sharing.item.0.to_vec()))?,
            put(share, "circle", Value::Bytes(sharing.case.0.to_vec()))?,
            put(share, "copy", Value::Bytes(preview.copy.0.to_vec()))?,
            put(share, "updated_at", now.clone())?,
            put(share, "withdrawn_at", Value::Empty)?,
            put(share, "without", Value::Text(without.join(" ")))?,
            put(share, "decided", Value::Bool(preview.may == May::AsDecided))?,
        ];
        if is_new {
            said.push(put(share, "shared_at", now)?);
        }
        let of_kind = kind(preview.kind_name)?;
        let mut puts: Vec<(FieldNumber, Value)> = Vec::new();
        for field in preview.goes.iter().filter(|field| field.change != Change::Same) {
            puts.push(put(of_kind, field.name, field.value.clone())?);
        }
        let (copy, followed) = self.with_settled(|open| {
            let case = open.circles.get(sharing.case)?;
            let copy = view_in(&open.vault.connection, case, preview.copy, of_kind.number)?;
            // A label that followed by itself goes with what the item is now; one that somebody else put stays.
            let mut followed = Vec::new();
            for field in copy.iter().flat_map(|copy| &copy.fields).filter(|field| is_label(of_kind.number, field.field))
            {
                let Some(name) = field.name else { continue };
                let is_said = preview.goes.iter().any(|goes| goes.name == name)
                    || preview.stays.iter().any(|stays| stays.name == name);
                let stands = field.values.iter().any(|value| value.value != Value::Empty);
                if stands && !is_said && !copy.as_ref().is_some_and(|copy| is_theirs(open, copy, name)) {
                    followed.push(field.field);
                }
            }
            Ok((copy, followed))
        })?;
        if let Some(copy) = &copy {
            // What went before and stays now.
            for stays in &preview.stays {
                let stands = copy
                    .field(&stays.name)
                    .is_some_and(|field| field.values.iter().any(|value| value.value != Value::Empty));
                if stands {
                    puts.push(put(of_kind, &stays.name, Value::Empty)?);
                }
            }
            puts.extend(followed.into_iter().map(|label| (label, Value::Empty)));
            if copy.deleted || copy.deletion_held.is_some() {
                puts.push((DELETED, Value::Bool(false)));
            }
        }
        let mut all =
            vec![Edits { circle: home, record: share_of(sharing.item, sharing.case), kind: share.number, puts: said }];
        if !puts.is_empty() {
            all.push(Edits { circle: sharing.case, record: preview.copy, kind: of_kind.number, puts });
        }
        Ok(all)
    }

    /// Seals the chosen attachments for the case, and says what to put. What is there already is left.
    fn seal_chosen(&self, sharing: &Sharing, sealed: &mut Vec<BlobRef>) -> Result<Vec<Edits>, BakenError> {
        let (attachment, store) = (kind("attachment")?, self.blobs());
        let mut all = Vec::new();
        for chosen in &sharing.attachments {
            let record = copy_of(*chosen, sharing.case);
            let there = self.with_settled(|open| {
                view_in(&open.vault.connection, open.circles.get(sharing.case)?, record, attachment.number)
            })?;
            if there.is_some_and(|there| !there.deleted) {
                continue;
            }
            let original = self.record(*chosen)?;
            if original.in_conflict {
                return Err(BakenError::InConflict);
            }
            let mut puts = vec![(DELETED, Value::Bool(false))];
            for field in &original.fields {
                let (Some(name), Some(value)) = (field.name, field.values.first()) else { continue };
                let value = match (name, &value.value) {
                    ("of", _) => Value::Bytes(copy_of(sharing.item, sharing.case).0.to_vec()),
                    ("blob" | "thumbnail", Value::Bytes(bytes)) => {
                        let blob = seal_again(&store, &self.context, &BlobRef::from_bytes(bytes)?)?;
                        let bytes = blob.to_bytes();
                        sealed.push(blob);
                        Value::Bytes(bytes)
                    }
                    (_, value) => value.clone(),
                };
                puts.push(put(attachment, name, value)?);
            }
            all.push(Edits { circle: sharing.case, record, kind: attachment.number, puts });
        }
        Ok(all)
    }
}

/// Seals what lies here once more, under another key. One chunk at a time is in memory.
fn seal_again(store: &BlobStore, context: &Context, blob: &BlobRef) -> Result<BlobRef, BakenError> {
    if !is_whole(store, blob)? {
        return Err(BakenError::AttachmentNotHere);
    }
    let mut pieces = Pieces { sealing: SealedAsItComes::begin(store, context, blob.size)?, context, failed: None };
    let opened = open_to(store, blob, &mut pieces);
    if let Some(error) = pieces.failed {
        return Err(error);
    }
    opened?;
    pieces.sealing.finish(context)
}

/// A writer that seals what it is given: a whole chunk, or the last.
struct Pieces<'a> {
    sealing: SealedAsItComes,
    context: &'a Context,
    failed: Option<BakenError>,
}

impl Write for Pieces<'_> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if let Err(error) = self.sealing.push(self.context, piece) {
            self.failed = Some(error);
            return Err(std::io::ErrorKind::Other.into());
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
