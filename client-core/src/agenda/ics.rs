//! The agenda as a calendar file. It says neither Baken nor anything a person wrote.

use baken_schemas::Language;
use baken_schemas::calendar::{Event, When, calendar};
use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;

use super::AgendaItem;

/// A calendar of these items. An item keeps its id, so that a newer file replaces an older one in most calendars.
pub fn ics(items: &[AgendaItem], language: Language, now: Timestamp) -> String {
    let event = |item: &AgendaItem| {
        let id = Hash::of("baken/agenda-item/v0", &[&item.record.0, &[item.due as u8], &item.at.0.to_be_bytes()]);
        let id = id.0.first_chunk().copied().unwrap_or_default();
        Event { id, when: When::of(item.at), title: item.due.title(language) }
    };
    calendar(&items.iter().map(event).collect::<Vec<_>>(), now)
}
