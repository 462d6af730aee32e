//! What a reader sees: their language, their audience, the day, all layers as one.

use baken_schemas::Language;
use baken_schemas::edition::{Audience, Layer, Layers, Office, Reachable, Reader, Trouble, compile, plain};
use baken_schemas::time::Timestamp;

use super::{day, local, sample};

fn layers() -> Layers {
    let mut layers = Layers::new(compile(&sample()).unwrap());
    layers.add(compile(&local()).unwrap());
    layers
}

/// An office-holder who reads Dutch on a Friday at noon.
fn reader(layers: &Layers) -> Reader<'_> {
    let now = day("2026-11-27").start().plus_ms(12 * 3_600_000);
    Reader { layers, language: Language::Nl, audience: Audience::OfficeHolder, office: None, now }
}

fn text(lines: &[Vec<baken_schemas::edition::Span>]) -> String {
    lines.iter().map(|line| plain(line, false)).collect::<Vec<_>>().join("|")
}

#[test]
fn a_chapter_is_read_in_the_readers_language_with_its_facts_and_numbers() {
    let layers = layers();
    let chapter = reader(&layers).chapter("02-threatened").unwrap();
    assert_eq!((chapter.title.as_str(), chapter.checklist.len()), ("Ik word bedreigd: wat nu?", 4));
    let body = chapter.body.iter().map(|block| text(&block.lines)).collect::<Vec<_>>().join("\n");
    assert!(body.contains("Bel 112.") && body.contains("0900-8844"), "{body}");
    // What no longer holds says so where it stands.
    assert!(body.contains("2.400 euro (gold tot 2024-01-01)"), "{body}");
    let facts: Vec<_> = chapter.facts.iter().map(|fact| (fact.id.as_str(), fact.holds)).collect();
    assert_eq!(facts, [("measures-maximum", false), ("report-delay", true)]);
    assert_eq!(chapter.facts[1].provenance.check_at.as_deref(), Some("uw politiecontact"));
    assert_eq!(chapter.sources[0].year, Some(2020));

    let english = Reader { language: Language::En, ..reader(&layers) }.chapter("02-threatened").unwrap();
    assert_eq!(english.language, Language::En);
    assert!(english.body.iter().any(|block| text(&block.lines).contains("2,400 euros (held until 2024-01-01)")));
}

#[test]
fn what_is_past_its_review_is_shown_and_says_so() {
    let layers = layers();
    let at = |date: &str| Reader { now: day(date).start(), ..reader(&layers) };
    assert_eq!(at("2027-05-26").chapter("02-threatened").unwrap().shown.stale_since, None);
    assert_eq!(at("2027-05-27").chapter("02-threatened").unwrap().shown.stale_since, Some(day("2027-05-27")));
    // The edition as a whole, and a number in it, are never hidden.
    let late = at("2030-01-01");
    let call = &late.card("direct-danger").unwrap().call[0];
    assert_eq!((call.number.as_str(), call.shown.stale_since), ("112", Some(day("2027-05-23"))));
    assert!(late.contacts(None).iter().any(|contact| contact.emergency));
    let body = late.chapter("02-threatened").unwrap().body;
    assert!(body.iter().any(|block| text(&block.lines).contains("(mogelijk verouderd sinds 2027-05-23)")));
}

#[test]
fn questions_lead_to_what_is_for_the_reader() {
    let layers = layers();
    let chapters = |audience| {
        let questions = Reader { audience, ..reader(&layers) }.questions();
        let of = |question: &baken_schemas::edition::QuestionView| {
            question.chapters.iter().map(|chapter| chapter.id.clone()).collect::<Vec<_>>()
        };
        questions.iter().flat_map(of).collect::<Vec<_>>()
    };
    assert_eq!(chapters(Audience::OfficeHolder), ["02-threatened"]);
    assert_eq!(chapters(Audience::Adviser), ["20-roles"]);
    let questions = reader(&layers).questions();
    // The organisation's contact stands with the national question.
    let contacts: Vec<_> =
        questions[1].contacts.iter().map(|contact| (contact.id.as_str(), contact.shown.layer)).collect();
    assert_eq!(contacts, [("police", Layer::National), ("clerk", Layer::Organisation)]);
    assert_eq!(questions.len(), 2);
}

#[test]
fn whom_to_call_depends_on_the_hour_and_the_trouble() {
    let layers = layers();
    let ids = |at: Timestamp, kind| {
        let contacts = Reader { now: at, ..reader(&layers) }.contacts(kind);
        contacts.into_iter().map(|contact| (contact.id, contact.reachable)).collect::<Vec<_>>()
    };
    let noon = reader(&layers).now;
    let night = noon.plus_ms(12 * 3_600_000);
    let named = |names: &[(&str, Reachable)]| -> Vec<(String, Reachable)> {
        names.iter().map(|(name, reachable)| ((*name).to_owned(), *reachable)).collect()
    };
    use Reachable::{Closed, Now};
    assert_eq!(
        ids(noon, Some(Trouble::Threat)),
        named(&[("emergency", Now), ("police", Now), ("support", Now), ("clerk", Now)])
    );
    assert_eq!(
        ids(night, Some(Trouble::Threat)),
        named(&[("emergency", Now), ("police", Now), ("support", Closed), ("clerk", Closed)])
    );
    // An emergency number is there whatever the trouble; afterwards it is not what one looks for first.
    assert_eq!(
        ids(night, Some(Trouble::Aftercare)),
        named(&[("support", Closed), ("clerk", Closed), ("emergency", Now)])
    );
    assert_eq!(ids(noon, Some(Trouble::Danger)), named(&[("emergency", Now)]));
}

#[test]
fn a_lower_layer_hides_nothing_of_a_higher() {
    let mut files = local();
    let contact = files.get_mut("contacts.toml").unwrap();
    *contact = contact.replace("\"clerk\"", "\"police\"");
    let mut layers = Layers::new(compile(&sample()).unwrap());
    layers.add(compile(&files).unwrap());
    let police = reader(&layers).contact("police").unwrap();
    assert_eq!((police.number.as_str(), police.shown.layer), ("0900-8844", Layer::National));
    assert_eq!(layers.contacts().filter(|(_, contact)| contact.id == "police").count(), 1);
}

#[test]
fn an_office_sees_what_is_for_it() {
    let layers = layers();
    let reader = Reader { office: Some(Office::Mayor), ..reader(&layers) };
    assert!(reader.is_for(&[Audience::OfficeHolder], &[]));
    assert!(reader.is_for(&[Audience::OfficeHolder], &[Office::Alderman, Office::Mayor]));
    assert!(!reader.is_for(&[Audience::OfficeHolder], &[Office::Councillor]));
    assert!(!reader.is_for(&[Audience::Adviser], &[]));
}
