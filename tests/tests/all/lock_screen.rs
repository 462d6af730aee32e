//! What a lock screen may see of every kind of record: that something is due, and nothing of what it is.

use std::collections::{BTreeMap, BTreeSet};

use baken_core::agenda::{Due, ics};
use baken_schemas::Language;
use baken_schemas::circle::CircleKind;
use baken_schemas::record::{FieldType, KINDS, Value};
use baken_schemas::time::Clock as _;

use crate::town::Town;

const DAY_MS: i64 = 86_400_000;
/// What a person wrote, into whichever field takes any text.
const WRITTEN: &str = "Kluizenaar zwijgt over 4711";
/// Moments at which something was, or that another moment of the same kind stands for: they are never due. A new moment of
/// any kind is either on the agenda or here.
const NOT_DUE: [&str; 27] = [
    "attachment.added_at",
    "attachment.modified_at",
    "aftercare.ended_at",
    "aftercare.scaled_down_at",
    "briefing.at",
    "evaluation.at",
    "home.pkvw_at",
    "incident.happened_at",
    "incident.police_at",
    "incident.reported_at",
    "lock.made_at",
    "measure.police_asked_at",
    "office.from",
    "office.until",
    "opened.at",
    "opened.version",
    "review.at",
    "scan.answered_at",
    "share.shared_at",
    "share.updated_at",
    "share.withdrawn_at",
    "signal.driehoek_told_at",
    "signal.police_told_at",
    "signal.region_told_at",
    "signal.seen_at",
    "subscription.starts",
    "training.done_at",
];

#[tokio::test]
async fn every_kind_is_neutral_on_the_agenda_and_every_moment_is_on_it_or_said_not_to_be() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    let home = phone.status().unwrap().circle;
    let tomorrow = town.clock.now().plus_ms(DAY_MS);
    let mut due = BTreeMap::new();
    let mut over = BTreeSet::new();
    for kind in KINDS {
        for moment in kind.fields.iter().filter(|field| field.holds == FieldType::Time) {
            let name = format!("{}.{}", kind.name, moment.name);
            let circle = match () {
                () if kind.circles.contains(&CircleKind::Dossier) => home,
                () if kind.circles.contains(&CircleKind::Family) => family,
                // No circle shares it: the phone alone keeps it, and no record is made of it.
                () => {
                    over.insert(name);
                    continue;
                }
            };
            let texts = kind.fields.iter().filter(|field| field.holds == FieldType::Text && field.words.is_empty());
            let mut fields: Vec<(String, Value)> =
                texts.map(|field| (field.name.to_owned(), Value::Text(WRITTEN.to_owned()))).collect();
            fields.push((moment.name.to_owned(), Value::Int(tomorrow.0)));
            let record = phone.create_in(circle, kind.name, fields).unwrap();
            let items = phone.agenda(tomorrow.plus_ms(1)).unwrap();
            match items.iter().find(|item| item.record == record) {
                Some(item) => {
                    due.insert(name, item.due);
                }
                None => {
                    over.insert(name);
                }
            }
            for language in [Language::Nl, Language::En] {
                let calendar = ics(&items, language, town.clock.now());
                for word in WRITTEN.split(' ').filter(|word| word.len() > 4 || word.starts_with('4')) {
                    assert!(!calendar.contains(word), "{} shows {word}", kind.name);
                }
            }
            phone.delete(record).unwrap();
        }
    }
    let expected: BTreeSet<String> = NOT_DUE.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(over, expected, "due are {due:?}");
    // Each sort of thing that can be due was seen, under a title that names nothing of this field.
    let seen: BTreeSet<Due> = due.values().copied().collect();
    assert_eq!(seen, Due::ALL.iter().copied().collect());
    for title in Due::ALL.iter().flat_map(|due| [Language::Nl, Language::En].map(|language| due.title(language))) {
        let lower = title.to_lowercase();
        for word in [
            "dreig",
            "threat",
            "politie",
            "police",
            "beveilig",
            "secur",
            "incident",
            "nazorg",
            "aftercare",
            "mental",
            "baken",
        ] {
            assert!(!lower.contains(word), "{title} says {word}");
        }
    }
}
