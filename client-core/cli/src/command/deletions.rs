//! `baken record deletions`: what is deleted and until when it comes back, and one's word on what was deleted at once.

use baken_core::Baken;
use baken_core::record::{DeletionView, HeldDeletionsView};
use baken_schemas::id::DeviceId;
use baken_schemas::time::Timestamp;
use serde_json::json;

use super::circle::{device_name, find_named};
use super::short;
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::text;
use crate::value::field_name;

/// Lists them, or gives one's word on those of a device.
pub fn run(baken: &Baken, confirm: Option<&str>, undo: Option<&str>, out: &Output) -> Result<End, Failure> {
    let held = baken.held_deletions()?;
    if let Some(typed) = confirm {
        let count = baken.confirm_deletions(device(&held, typed)?)?;
        out.json(&json!({"confirmed": count}));
        out.line(text::DELETIONS_CONFIRMED.with(out.language, &[&count.to_string()]));
        return Ok(End::Done);
    }
    if let Some(typed) = undo {
        let count = baken.undo_deletions(device(&held, typed)?)?;
        out.json(&json!({"restored": count}));
        out.line(text::DELETIONS_UNDONE.with(out.language, &[&count.to_string()]));
        return Ok(End::Done);
    }
    let deletions = baken.deletions()?;
    out.json(&json!({"held": held, "deletions": deletions}));
    tell_held(&held, out);
    let head = [text::RECORD, text::KIND, text::BY, text::AT, text::STATE].map(|text| text.of(out.language));
    let rows: Vec<Vec<String>> = deletions.iter().map(|view| row(view, out)).collect();
    out.table(&head, &rows);
    Ok(End::Done)
}

/// The device with held deletions that was typed.
fn device(held: &[HeldDeletionsView], typed: &str) -> Result<DeviceId, Failure> {
    let mut known: Vec<(DeviceId, Option<&str>)> = Vec::new();
    for view in held {
        if let Some(by) = view.by
            && !known.iter().any(|(known, _)| *known == by)
        {
            known.push((by, view.name.as_deref()));
        }
    }
    find_named(&known, typed, Failure::Input("nothing_held"))
}

/// Says what is held: whose deletions, how many, until when, and what to do.
pub fn tell_held(held: &[HeldDeletionsView], out: &Output) {
    for view in held {
        let name = view.by.map(|by| device_name(view.name.as_deref(), by)).unwrap_or_default();
        let id = view.by.map(short).unwrap_or_default();
        let (count, until) = (view.count.to_string(), view.until.to_rfc3339());
        let text = if view.this { text::HELD_HERE } else { text::HELD };
        out.line(out.paint(Colour::Yellow, &text.with(out.language, &[&name, &count, &until, &id, &id])));
    }
}

fn row(view: &DeletionView, out: &Output) -> Vec<String> {
    let by = view.by.map(|by| device_name(view.name.as_deref(), by)).unwrap_or_default();
    vec![
        short(view.record),
        field_name(view.kind_name, view.kind),
        by,
        Timestamp::to_rfc3339(view.at),
        state(view, out),
    ]
}

/// What a deletion has come to, and until when.
pub fn state(view: &DeletionView, out: &Output) -> String {
    let (text, until) = match (view.held_until, view.restorable_until, view.values_until) {
        (Some(until), _, _) => (text::HELD_UNTIL, until),
        (None, Some(until), _) => (text::RESTORABLE_UNTIL, until),
        (None, None, until) => (text::ERASED_UNTIL, until.unwrap_or_default()),
    };
    text.with(out.language, &[&until.to_rfc3339()])
}
