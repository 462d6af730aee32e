//! R11 in the whole phone: every way out that there is, and whatever order somebody marks, shares and takes back in, lets
//! no confidential measure go unasked.

use std::fs;
use std::io::Cursor;

use baken_core::agenda::ics;
use baken_core::attachment::{AttachTo, Existing, NewAttachment};
use baken_core::incident::pack::PackFor;
use baken_core::pairing::PairInto;
use baken_core::sharing::{Consent, Sharing};
use baken_core::{Baken, BakenError};
use baken_schemas::Language;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::rules::{Caution, May, WayOut};
use baken_schemas::time::Clock as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::sharing::{Case, DAY_MS, everything, text};
use crate::town::{PIN, Town};

/// Where a confidential measure must not be, it is looked for by this.
const SECRET: &str = "Camera op zolder";

/// A measure of the system, with a subscription that names it and a file beside it.
fn add_secret(phone: &Baken) -> RecordId {
    let measure = phone.create("measure", vec![text("title", SECRET), text("origin", "system")]).unwrap();
    let names = ("measure".to_owned(), Value::Bytes(measure.0.to_vec()));
    phone.create("subscription", vec![text("title", &format!("{SECRET} BV")), names]).unwrap();
    let name = format!("{SECRET}.txt");
    let new = NewAttachment { name: &name, media_type: "text/plain", thumbnail: None };
    phone.add_attachment(AttachTo::Record(measure), new, &mut Cursor::new(SECRET.as_bytes()), &|_| ()).unwrap();
    measure
}

#[tokio::test]
async fn r11_no_way_out_lets_a_confidential_measure_go_unasked() {
    let case = Case::found().await;
    let phone = &case.phone;
    let measure = add_secret(phone);
    let incident = phone.create("incident", vec![text("what", "Brief")]).unwrap();
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    let folder = |name: &str| case.town.folder.path().join(name);
    let secret = || vec![text("title", SECRET), text("origin", "system")];
    let is_asked = |error: BakenError| matches!(error, BakenError::Confidential { may: May::AsDecided });
    for by in WayOut::ALL {
        let path = folder(by.tag());
        match by {
            WayOut::FamilyCircle => {
                assert_eq!(phone.create_in(family, "measure", secret()).unwrap_err().code(), "not_shared");
                let sharing = Sharing { case: family, ..case.sharing(measure) };
                assert_eq!(phone.share(&sharing, Consent::Given).unwrap_err().code(), "not_shared");
                assert!(
                    phone
                        .records(None)
                        .unwrap()
                        .iter()
                        .all(|view| view.circle != family || view.kind_name != Some("measure"))
                );
            }
            WayOut::CaseCircle => {
                assert!(is_asked(phone.create_in(case.case, "measure", secret()).unwrap_err()));
                let marked = vec![text("title", SECRET), ("confidential".to_owned(), Value::Bool(true))];
                assert!(is_asked(phone.create_in(case.case, "measure", marked).unwrap_err()));
                assert!(is_asked(phone.share(&case.sharing(measure), Consent::NotAsked).unwrap_err()));
                assert_eq!(phone.share_preview(&case.sharing(measure)).unwrap().may, May::AsDecided);
                case.sync().await;
                assert!(case.police.records(Some("measure")).unwrap().is_empty());
            }
            WayOut::CouncilPack => drop(phone.hand_over(PackFor::Council { year: None }, &path).unwrap()),
            WayOut::RegisterPack => {
                drop(phone.hand_over(PackFor::Register { incident, name_person: true }, &path).unwrap());
            }
            WayOut::PolicePack => {
                assert_eq!(phone.hand_over(PackFor::Police(measure), &path).unwrap_err().code(), "no_such_incident");
                drop(phone.hand_over(PackFor::Police(incident), &path).unwrap());
            }
            WayOut::ReadableExport => {
                let exported = phone.export_clear(PIN, &path, Consent::NotAsked, &|_| ()).unwrap();
                assert_eq!(exported.kept_in.len(), 3, "the measure, its subscription, its file");
                assert!(exported.kept_in.contains(&measure));
            }
            WayOut::SealedExport => {
                let file = folder("verzegeld");
                let (code, exported) = phone.export(PIN, &file, Existing::Keep, &|_| ()).unwrap();
                assert_eq!(exported.kept_in, [], "it is for oneself");
                // Brought in where its reader is: it goes into the dossier, and by no import into a case.
                let other = baken_core::export::OtherCircles::LeaveOut;
                let mut bytes = Cursor::new(fs::read(&file).unwrap());
                let report = case.tablet.import(&mut bytes, &code, other, &|_| ()).unwrap();
                assert!(report.unchanged > 0, "it was read: {report:?}");
                let measures = case.tablet.records(Some("measure")).unwrap();
                assert!(measures.iter().any(|view| view.record == measure), "the dossier has it");
                assert!(measures.iter().all(|view| view.circle != case.case), "the case gained one");
            }
        }
        if path.exists() {
            assert!(!everything(&path).contains(SECRET), "{by}");
        }
    }
    // Neither a calendar nor the card says a word of it.
    phone.put(measure, vec![("ends".to_owned(), Value::Int(case.town.clock.now().0))]).unwrap();
    let items = phone.agenda(case.town.clock.now().plus_ms(DAY_MS)).unwrap();
    assert!(items.iter().any(|item| item.record == measure));
    let calendar = ics(&items, Language::Nl, case.town.clock.now());
    assert!(calendar.contains("BEGIN:VEVENT") && !calendar.contains("Camera"), "{calendar}");
    assert!(!format!("{:?}", serde_json::to_string(&phone.card().unwrap())).contains("Camera"));

    // As it was decided: the label goes along, and whoever is let in later is asked about too.
    phone.share(&case.sharing(measure), Consent::Given).unwrap();
    case.sync().await;
    let seen = case.police.records(Some("measure")).unwrap().remove(0);
    assert!(seen.is_confidential() && seen.text("title") == SECRET);
    assert!(is_asked(phone.put(seen.record, vec![text("remark", "meldcode")]).unwrap_err()), "nor by hand");
    assert_eq!(phone.confidential_in(case.case).unwrap(), [seen.record]);
    let adviser = case.town.phone("adviser_device");
    let mut start = adviser.pair_start(&case.town.network, PIN, "adviser_device").await.unwrap();
    let mut accept = phone.pair_accept(&case.town.network, &start.code_text()).await.unwrap();
    let digits = adviser.pair_digits(&mut start, &case.town.network).await.unwrap();
    let into = PairInto::Circle { circle: case.case, role: MemberRole::Viewer };
    let refused = phone.pair_confirm(&mut accept, &case.town.network, &digits, PIN, into).await;
    assert!(is_asked(refused.unwrap_err()));
    accept.let_confidential_be_read();
    phone.pair_confirm(&mut accept, &case.town.network, &digits, PIN, into).await.unwrap();
    adviser.pair_join(&start, &case.town.network).await.unwrap();
    case.sync().await;
    adviser.sync(&case.town.network).await.unwrap();
    assert_eq!(adviser.records(Some("measure")).unwrap().len(), 1);
    assert_eq!(adviser.shown(&[seen.record]).unwrap(), 0, "a viewer's device cannot say so");
    let readers = case.given(measure).readers;
    assert_eq!(readers.iter().filter(|reader| reader.cannot_say).count(), 1);
    // Everything with it, because the person said so.
    let path = folder("alles");
    let exported = phone.export_clear(PIN, &path, Consent::Given, &|_| ()).unwrap();
    assert!(exported.kept_in.is_empty() && everything(&path).contains(SECRET));
    assert!(exported.costs == 0 && exported.third_parties == 0);
}

#[tokio::test]
async fn a_measure_that_is_marked_at_home_is_marked_in_the_case_by_itself() {
    let case = Case::found().await;
    let (phone, tablet) = (&case.phone, &case.tablet);
    let measure = phone.create("measure", vec![text("title", "Slot"), text("contract", "C-1")]).unwrap();
    let preview = phone.share(&case.sharing(measure), Consent::NotAsked).unwrap();
    assert!(preview.goes.iter().any(|field| field.caution == Some(Caution::Cost)), "L13");
    case.sync().await;
    assert!(!case.seen(preview.copy).is_confidential());
    // On the other device, and by its origin alone.
    tablet.put(measure, vec![text("origin", "system"), text("title", "Slot en camera")]).unwrap();
    case.sync().await;
    let seen = case.seen(preview.copy);
    assert!(seen.is_confidential() && seen.text("title") == "Slot", "the label goes, what it says does not");
    assert!(case.given(measure).confidential);
    assert_eq!(case.police.records(Some("measure")).unwrap().len(), 1);
    // Unmarked at home it is shared again as what it is then; until that, the label stays.
    phone.put(measure, vec![text("origin", "own")]).unwrap();
    case.sync().await;
    assert!(case.seen(preview.copy).is_confidential());
    phone.share(&case.sharing(measure), Consent::NotAsked).unwrap();
    case.sync().await;
    let seen = case.seen(preview.copy);
    assert!(!seen.is_confidential() && seen.text("title") == "Slot en camera");
}

/// What a device writes into a folder that anybody can read, unasked.
fn readable(case: &Case, device: &Baken, name: &str) -> String {
    let folder = case.town.folder.path().join(name);
    device.export_clear(PIN, &folder, Consent::NotAsked, &|_| ()).unwrap();
    everything(&folder)
}

/// Puts a file beside a record, and what is looked for into it.
fn add_secret_file(phone: &Baken, of: RecordId) -> RecordId {
    let name = format!("{SECRET}.pdf");
    let new = NewAttachment { name: &name, media_type: "application/pdf", thumbnail: None };
    phone.add_attachment(AttachTo::Record(of), new, &mut Cursor::new(SECRET.as_bytes()), &|_| ()).unwrap()
}

fn naming(field: &str, record: RecordId) -> (String, Value) {
    (field.to_owned(), Value::Bytes(record.0.to_vec()))
}

#[tokio::test]
async fn r11_a_measure_that_was_emptied_or_unmarked_is_no_less_confidential_than_its_history() {
    let case = Case::found().await;
    let phone = &case.phone;
    let measure = add_secret(phone);
    let was = phone.create("measure", vec![text("title", SECRET), text("origin", "system")]).unwrap();
    phone.put(was, vec![text("title", "Slot"), text("origin", "own")]).unwrap();
    assert!(!readable(&case, phone, "was").contains(SECRET), "its history goes along");
    phone.delete(was).unwrap();

    phone.share(&case.sharing(measure), Consent::Given).unwrap();
    case.sync().await;
    assert!(case.police.records(Some("measure")).unwrap()[0].is_confidential());
    phone.withdraw(measure, case.case).unwrap();
    case.sync().await;
    let copy = case.police.records(Some("measure")).unwrap().remove(0);
    assert!(copy.erased && copy.is_confidential() && copy.text("title").is_empty());
    for (device, name) in [(phone, "teruggenomen"), (&case.police, "bij de lezer")] {
        assert!(!readable(&case, device, name).contains(SECRET), "{name}");
    }

    // Thirty days after it was deleted at home its fields are emptied, and thirty days later its history goes.
    phone.delete(measure).unwrap();
    for name in ["verwijderd", "gewist", "zonder verleden"] {
        case.sync().await;
        assert!(!readable(&case, phone, name).contains(SECRET), "{name}");
        case.town.clock.advance_ms(31 * DAY_MS);
        phone.lock();
        phone.unlock(PIN).unwrap();
    }
    assert!(phone.record(measure).unwrap().erased);
}

#[tokio::test]
async fn r11_what_names_a_confidential_measure_by_other_records_is_as_confidential() {
    let case = Case::found().await;
    let phone = &case.phone;
    let measure = phone.create("measure", vec![text("title", SECRET), text("origin", "system")]).unwrap();
    let own = phone.create("measure", vec![text("title", "Slot")]).unwrap();
    let incident = phone.create("incident", vec![text("what", "Brief")]).unwrap();
    let contract = phone.create("subscription", vec![text("title", SECRET), naming("measure", measure)]).unwrap();
    let link = phone.create("link", vec![naming("from", incident), naming("to", measure)]).unwrap();
    let other = phone.create("link", vec![naming("from", contract), naming("to", incident)]).unwrap();
    let after = phone.create("follow-up", vec![text("title", SECRET), naming("of", contract)]).unwrap();
    let files = [contract, link, other, after].map(|of| add_secret_file(phone, of));
    // Two values stand, and the newer one names a measure that anybody may know of.
    let both = phone.create("subscription", vec![text("title", SECRET)]).unwrap();
    case.sync().await;
    phone.put(both, vec![naming("measure", measure)]).unwrap();
    case.town.clock.advance_ms(1000);
    case.tablet.put(both, vec![naming("measure", own)]).unwrap();
    case.sync().await;
    assert!(phone.record(both).unwrap().in_conflict);
    assert!(!readable(&case, phone, "bestanden").contains(SECRET));
    let folder = case.town.folder.path().join("nog eens");
    let kept_in = phone.export_clear(PIN, &folder, Consent::NotAsked, &|_| ()).unwrap().kept_in;
    assert!(files.iter().chain(&[contract, link, other, after, both]).all(|record| kept_in.contains(record)));
    assert!(!kept_in.contains(&incident) && !kept_in.contains(&own), "they name nothing");
}

#[tokio::test]
async fn r11_a_copy_in_a_case_is_as_confidential_as_what_stands_at_home() {
    let case = Case::found().await;
    let phone = &case.phone;
    let measure = phone.create("measure", vec![text("title", "Camera"), text("origin", "system")]).unwrap();
    let fields = vec![text("title", "Terugblik"), text("learnt", SECRET), naming("of", measure)];
    let evaluation = phone.create("evaluation", fields).unwrap();
    let file = add_secret_file(phone, evaluation);
    let sharing = Sharing { attachments: vec![file], ..case.sharing(evaluation) };
    assert_eq!(phone.share(&sharing, Consent::NotAsked).unwrap_err().code(), "confidential");
    let copy = phone.share(&sharing, Consent::Given).unwrap().copy;
    case.sync().await;
    assert_eq!(case.seen(copy).names("of"), None, "the measure is not in the case");
    assert!(!readable(&case, phone, "evaluatie").contains(SECRET));
    assert!(phone.confidential_in(case.case).unwrap().contains(&copy));
    let adviser = case.town.phone("adviser_device");
    let mut start = adviser.pair_start(&case.town.network, PIN, "adviser_device").await.unwrap();
    let mut accept = phone.pair_accept(&case.town.network, &start.code_text()).await.unwrap();
    let digits = adviser.pair_digits(&mut start, &case.town.network).await.unwrap();
    let into = PairInto::Circle { circle: case.case, role: MemberRole::Viewer };
    let refused = phone.pair_confirm(&mut accept, &case.town.network, &digits, PIN, into).await;
    assert_eq!(refused.unwrap_err().code(), "confidential");

    // Somebody in the case takes the label off: that is no word of this person's.
    let copy = phone.share(&case.sharing(measure), Consent::Given).unwrap().copy;
    case.sync().await;
    let off = vec![text("origin", "own"), ("confidential".to_owned(), Value::Bool(false)), text("remark", SECRET)];
    case.police.put(copy, off).unwrap();
    case.police.sync(&case.town.network).await.unwrap();
    phone.sync(&case.town.network).await.unwrap();
    assert!(phone.record(copy).unwrap().is_confidential(), "the label is put back as soon as that is seen");
    case.sync().await;
    assert!(case.seen(copy).is_confidential());
    assert!(!readable(&case, phone, "zonder label").contains(SECRET));
}

/// What a person can do, in any order.
#[derive(Debug, Clone, Copy)]
enum Act {
    Mark(bool),
    Origin(&'static str),
    Write,
    Share(bool),
    Withdraw,
    IntoFamily,
    EditCopy,
    Delete(bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        any::<bool>().prop_map(Act::Mark),
        prop::sample::select(vec!["own", "adviser", "organisation", "system"]).prop_map(Act::Origin),
        Just(Act::Write),
        any::<bool>().prop_map(Act::Share),
        Just(Act::Withdraw),
        Just(Act::IntoFamily),
        Just(Act::EditCopy),
        any::<bool>().prop_map(Act::Delete),
    ];
    prop::collection::vec(act, 1..14)
}

/// Whatever is marked, shared, taken back and written in whatever order: the family's circle and a council's folder never
/// have a measure, the case has a confidential one marked so, and has nothing that was written while it was confidential
/// unless somebody said that it was so decided. A readable folder has nothing of one that was confidential at any time.
#[tokio::test]
async fn no_order_of_marking_sharing_and_taking_back_lets_a_confidential_measure_out() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let case = phone.found_circle(CircleKind::Case, "Zaak").unwrap();
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    town.network.connect(None);
    let count = std::cell::Cell::new(0_u32);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(96) });
    let run = runner.run(&acts(), |acts| {
        let measure = phone.create("measure", vec![text("title", "begin")]).unwrap();
        let sharing = Sharing { item: measure, case, without: None, attachments: Vec::new() };
        let copy = phone.share_preview(&sharing).unwrap().copy;
        // What was written while it was confidential, and was not said to be decided.
        let mut unsaid: Vec<String> = vec![];
        let mut said: Vec<String> = vec![];
        let (mut written, mut was_confidential) = (Vec::new(), false);
        for act in acts {
            count.set(count.get() + 1);
            town.clock.advance_ms(1000);
            let confidential = phone.record(measure).unwrap().is_confidential();
            was_confidential |= confidential;
            match act {
                Act::Mark(mark) => phone.put(measure, vec![("confidential".into(), Value::Bool(mark))]).unwrap(),
                Act::Origin(origin) => phone.put(measure, vec![text("origin", origin)]).unwrap(),
                Act::Write => {
                    let secret = format!("geheim {}", count.get());
                    phone.put(measure, vec![text("title", &secret)]).unwrap();
                    written.push(format!("\"{secret}\""));
                    unsaid.push(secret);
                }
                Act::Share(consent) => {
                    let consent = if consent { Consent::Given } else { Consent::NotAsked };
                    let deleted = phone.record(measure).unwrap().deleted;
                    let done = phone.share(&sharing, consent);
                    let goes = !deleted && (!confidential || consent == Consent::Given);
                    prop_assert_eq!(done.is_ok(), goes, "{:?}", done);
                    if goes {
                        said.append(&mut unsaid);
                    }
                }
                Act::Withdraw => drop(phone.withdraw(measure, case)),
                Act::IntoFamily => {
                    prop_assert!(phone.create_in(family, "measure", vec![text("title", "thuis")]).is_err());
                    let at_home = Sharing { case: family, ..sharing.clone() };
                    prop_assert!(phone.share(&at_home, Consent::Given).is_err());
                }
                Act::EditCopy => {
                    let there = phone.record(copy).is_ok_and(|copy| !copy.deleted);
                    let is_marked = phone.record(copy).is_ok_and(|copy| copy.is_confidential());
                    if there {
                        prop_assert_eq!(phone.put(copy, vec![text("remark", "met de hand")]).is_err(), is_marked);
                    }
                }
                Act::Delete(true) => phone.delete(measure).unwrap(),
                Act::Delete(false) => phone.restore(measure).unwrap(),
            }
            let copy = phone.record(copy).ok().filter(|copy| !copy.deleted);
            if let Some(copy) = copy {
                let title = copy.text("title");
                prop_assert!(!unsaid.contains(&title), "{} went by itself", title);
                prop_assert!(copy.is_confidential() || !phone.record(measure).unwrap().is_confidential());
            }
        }
        let records = phone.records(None).unwrap();
        prop_assert!(!records.iter().any(|view| view.circle == family && view.kind_name == Some("measure")));
        let folder = town.folder.path().join(format!("raad-{}", count.get()));
        phone.hand_over(PackFor::Council { year: None }, &folder).unwrap();
        let pack = everything(&folder);
        prop_assert!(!pack.contains("geheim") && !pack.contains("begin"));
        // A readable folder has all that was ever written, or nothing: it takes the history along.
        was_confidential |= phone.record(measure).unwrap().is_confidential();
        let folder = town.folder.path().join(format!("alles-{}", count.get()));
        let kept_in = phone.export_clear(PIN, &folder, Consent::NotAsked, &|_| ()).unwrap().kept_in;
        let dossier = everything(&folder);
        prop_assert_eq!(kept_in.contains(&measure), was_confidential);
        prop_assert!(written.iter().all(|title| dossier.contains(title) != was_confidential));
        Ok(())
    });
    run.unwrap();
}
