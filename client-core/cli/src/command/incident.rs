//! `baken incident`: write down what happened, with the vault locked. Needs no PIN and never opens the vault.

use baken_core::BakenError;
use baken_schemas::record;
use serde_json::json;

use crate::args::{Arguments, IncidentCommand};
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::{Phone, clock};
use crate::text;
use crate::value::fields;

/// Notes an incident; it becomes a record when the vault is opened next.
pub fn run(arguments: &Arguments, command: &IncidentCommand, out: &Output) -> Result<End, Failure> {
    let IncidentCommand::Note { what, at, place, source } = command;
    let kind = record::kind_named("incident").ok_or(BakenError::UnknownKind)?;
    let at = at.clone().unwrap_or_else(|| clock().now().to_rfc3339());
    let named =
        [("what", Some(what)), ("happened_at", Some(&at)), ("place", place.as_ref()), ("source", source.as_ref())];
    let typed: Vec<String> = named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    let waiting = Phone::open(arguments)?.baken.note_incident(fields(kind, &typed)?)?;
    out.json(&json!({"noted": true, "waiting": waiting}));
    out.line(text::NOTED.of(out.language));
    Ok(End::Done)
}
