//! The dossier of somebody who is threatened, from the first note to long after: what is shown to whom, what is handed
//! over, and what stays where it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use baken_core::aftercare::AftercareFor;
use baken_core::agenda::{Due, ics};
use baken_core::attachment::{AttachTo, NewAttachment};
use baken_core::incident::pack::{PackFor, verify};
use baken_core::pairing::PairInto;
use baken_core::sharing::Consent;
use baken_core::{Baken, BakenError};
use baken_schemas::Language;
use baken_schemas::check_up::CheckUp;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::edition::Date;
use baken_schemas::id::RecordId;
use baken_schemas::record::{FieldType, KINDS, Value};
use baken_schemas::time::{Clock as _, Timestamp};

use crate::town::Town;

const DAY_MS: i64 = 86_400_000;
/// What must never be in a pack, each in a place of its own.
const SECRETS: [&str; 8] = [
    "Camera op zolder",
    "Veiligheidshuis BV",
    "Kluizenaar 9",
    "Zoon Pim",
    "allergisch voor penicilline",
    "slaapt slecht",
    "Tante Truus",
    "meldcode 4711",
];

fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(text.to_owned()))
}

fn at(name: &str, at: Timestamp) -> (String, Value) {
    (name.to_owned(), Value::Int(at.0))
}

async fn sync_both(town: &Town, phone: &Baken, tablet: &Baken) {
    for _ in 0..2 {
        phone.sync(&town.network).await.unwrap();
        tablet.sync(&town.network).await.unwrap();
    }
}

fn state(phone: &Baken) -> BTreeMap<RecordId, Vec<(u16, Vec<Value>)>> {
    let fields = |view: &baken_core::record::RecordView| {
        let values = |field: &baken_core::record::FieldView| {
            (field.field, field.values.iter().map(|view| view.value.clone()).collect())
        };
        view.fields.iter().map(values).collect()
    };
    phone.records(None).unwrap().iter().map(|view| (view.record, fields(view))).collect()
}

/// Every file of a folder, as one text.
fn everything(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            all += &everything(&entry.path());
        } else {
            all += &String::from_utf8_lossy(&fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// Puts a secret into everything that belongs in no pack.
fn add_secrets(phone: &Baken, incident: RecordId, now: Timestamp) {
    let [measure, supplier, home, child, medical, _, aunt, code] = SECRETS;
    let ended =
        vec![text("title", measure), text("origin", "system"), text("provider", supplier), text("remark", code)];
    let measure = phone.create("measure", ended).unwrap();
    let cost = ("cost_cents".to_owned(), Value::Int(471_100));
    phone
        .create(
            "subscription",
            vec![text("title", supplier), cost, ("measure".to_owned(), Value::Bytes(measure.0.to_vec()))],
        )
        .unwrap();
    phone.create("home", vec![text("address", home)]).unwrap();
    phone.create("housemate", vec![text("name", child)]).unwrap();
    phone.create("medical", vec![text("what", medical)]).unwrap();
    phone.create("contact", vec![text("name", aunt)]).unwrap();
    phone.create("briefing", vec![text("told", code), at("next", now)]).unwrap();
    phone.put(incident, vec![text("told", aunt)]).unwrap();
}

#[tokio::test]
async fn a_threatened_councillor_from_first_note_to_aftercare() {
    let mut town = Town::found().await;
    let phone = town.activated("councillor_phone").await;
    let tablet = town.paired(&phone, "councillor_tablet").await;
    let now = town.clock.now();

    // It begins small, offline: a signal, then a letter.
    town.network.connect(None);
    let signal = phone.create("signal", vec![text("what", "Auto voor de deur"), at("seen_at", now.plus_ms(-DAY_MS))]);
    let signal = signal.unwrap();
    let letter = vec![
        text("what", "Brief <b>zonder</b> afzender"),
        at("happened_at", now),
        text("place", "thuis"),
        text("who", "Man met pet"),
        text("with_what", "brief"),
        text("how", "in de bus"),
        text("why", "het asielbesluit"),
        text("threat_source", "angry-resident"),
        text("witnesses", "De buurvrouw"),
    ];
    let incident = phone.create("incident", letter).unwrap();
    let photo = b"\xff\xd8\xff\xe1EXIF: gps\xff\xd9";
    let new = NewAttachment { name: "brief.jpg", media_type: "image/jpeg", thumbnail: None };
    let evidence =
        phone.add_attachment(AttachTo::Record(incident), new, &mut Cursor::new(&photo[..]), &|_| ()).unwrap();
    let seen = phone.record(evidence).unwrap();
    assert_eq!(seen.bytes("sha256").map(<[u8]>::len), Some(32));
    assert_eq!(seen.moment("added_at"), Some(now));

    // Reported inside, then to the police, on the other device, and all of it comes together.
    town.network.connect(Some(town.relay.router()));
    sync_both(&town, &phone, &tablet).await;
    tablet
        .put(
            incident,
            vec![
                text("reported_to", "griffier"),
                at("reported_at", now),
                text("police", "aangifte"),
                text("police_number", "PL0600-1"),
                ("vpt_asked".to_owned(), Value::Bool(true)),
                ("domicile_office".to_owned(), Value::Bool(true)),
            ],
        )
        .unwrap();
    let link = tablet.link(signal, incident, "same-perpetrator").unwrap();
    assert_eq!(tablet.link(incident, signal, "same-perpetrator").unwrap(), link, "joined once");
    assert_eq!(tablet.link(signal, signal, "related").unwrap_err().code(), "same_record");
    assert_eq!(tablet.link(signal, incident, "zomaar").unwrap_err().code(), "unknown_word");
    sync_both(&town, &phone, &tablet).await;
    let timeline = phone.timeline().unwrap();
    assert_eq!(timeline.iter().map(|item| item.record).collect::<Vec<_>>(), [signal, incident]);
    assert_eq!(timeline[0].same_perpetrator, [incident]);

    // Handed over: what belongs to each reader.
    add_secrets(&phone, incident, now);
    let check_up = CheckUp { at: now, with: "arts".to_owned(), text: SECRETS[5].to_owned() };
    phone.add_check_up("een lange zin", &check_up, Some(now.plus_ms(90 * DAY_MS))).unwrap();
    let folder = town.folder.path().join("politie");
    let packed = phone.hand_over(PackFor::Police(incident), &folder).unwrap();
    assert!(packed.not_here.is_empty());
    let police = everything(&folder);
    for there in ["Man met pet", "het asielbesluit", "PL0600-1", "De buurvrouw", "Auto voor de deur", "Zelfde dader"] {
        assert!(police.contains(there), "{there}");
    }
    assert!(police.contains("Brief &lt;b&gt;zonder&lt;/b&gt; afzender"));
    assert_eq!(fs::read(folder.join("bewijs/001-brief.jpg")).unwrap(), photo, "as it was, EXIF and all");
    let verified = verify(&folder).unwrap();
    assert_eq!(Some(verified.fingerprint), packed.fingerprint);
    let register = town.folder.path().join("register");
    phone.hand_over(PackFor::Register { incident, name_person: false }, &register).unwrap();
    let register = everything(&register);
    assert!(register.contains("het asielbesluit") && register.contains("boze inwoner"));
    let council = town.folder.path().join("raad");
    phone.hand_over(PackFor::Council { year: None }, &council).unwrap();
    let council = everything(&council);
    for secret in SECRETS {
        assert!(![&police, &register, &council].into_iter().any(|pack| pack.contains(secret)), "{secret}");
    }
    for third_party in ["Man met pet", "De buurvrouw", "griffier", "brief.jpg", "Auto voor de deur"] {
        assert!(!register.contains(third_party), "{third_party}");
    }
    for known in ["asielbesluit", "thuis", "2026", "PL0600"] {
        assert!(!council.contains(known), "{known}");
    }
    assert!(council.contains("minder dan 5"));

    // No news is news: it is written down, and says when the next is.
    town.clock.advance_ms(DAY_MS);
    let now = town.clock.now();
    let no_news = ("no_news".to_owned(), Value::Bool(true));
    phone.create("briefing", vec![no_news, at("at", now), at("next", now.plus_ms(7 * DAY_MS))]).unwrap();
    let due = phone.agenda(now.plus_ms(31 * DAY_MS)).unwrap();
    let briefings: Vec<_> = due.iter().filter(|item| item.due == Due::Briefing).map(|item| item.at).collect();
    assert_eq!(briefings, [now.plus_ms(7 * DAY_MS)], "only what was said last");

    // Scaled down: aftercare for the person, and apart from that for the family.
    let from = Date::of(now);
    let own = phone.start_aftercare(AftercareFor::Own, from, Language::Nl).unwrap();
    assert_eq!(own.moments.len(), 4);
    assert_eq!(phone.start_aftercare(AftercareFor::Own, from, Language::Nl).unwrap(), own, "twice is once");
    let refused = phone.start_aftercare(AftercareFor::Family, from, Language::Nl);
    assert_eq!(refused.unwrap_err().code(), "no_family_circle");
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    let theirs = phone.start_aftercare(AftercareFor::Family, from, Language::Nl).unwrap();
    assert_eq!(theirs.circle, family);
    let into = PairInto::Circle { circle: family, role: MemberRole::Member };
    let (partner, _) = town.pair(&phone, "partner_phone", into).await;
    for device in [&phone, &partner, &phone, &tablet] {
        device.sync(&town.network).await.unwrap();
    }
    let seen: Vec<RecordId> = partner.records(Some("follow-up")).unwrap().iter().map(|view| view.record).collect();
    assert_eq!(seen.len(), 4);
    assert!(own.moments.iter().all(|(record, _)| !seen.contains(record)), "nothing mirrored");
    assert!(partner.records(Some("incident")).unwrap().is_empty());
    assert_eq!(partner.records(Some("aftercare")).unwrap().len(), 1);

    // What a lock screen and a calendar show says nothing.
    let day = Date::of(now).plus_days(40);
    phone.create("appointment", vec![text("title", "asielbesluit bespreken"), at("when", day.start())]).unwrap();
    let year = phone.agenda(now.plus_ms(400 * DAY_MS)).unwrap();
    assert_eq!(year.iter().filter(|item| item.due == Due::FollowUp).count(), 8);
    let calendar = ics(&year, Language::Nl, now);
    let whole_day = format!("DTSTART;VALUE=DATE:{}\r\nSUMMARY:Afspraak\r\n", day.to_string().replace('-', ""));
    assert!(calendar.contains(&whole_day), "{calendar}");
    for word in SECRETS.iter().chain(&["Baken", "brief", "nazorg", "dreig", "politie", "beveilig"]) {
        assert!(!calendar.to_lowercase().contains(&word.to_lowercase()), "{word}");
    }
    let (first, _) = own.moments[0];
    phone.put(first, vec![("done".to_owned(), Value::Bool(true)), text("outcome", "gaat goed")]).unwrap();
    assert_eq!(phone.agenda(now.plus_ms(400 * DAY_MS)).unwrap().len(), year.len() - 1);
}

#[tokio::test]
async fn a_pack_that_was_touched_is_found_out_and_a_failed_one_leaves_nothing() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let incident = phone.create("incident", vec![text("what", "brief")]).unwrap();
    let new = NewAttachment { name: "../../weg.txt", media_type: "text/plain", thumbnail: None };
    let evidence = phone.add_attachment(AttachTo::Record(incident), new, &mut Cursor::new(b"bewijs"), &|_| ()).unwrap();
    let folder = town.folder.path().join("politie");
    let make = || {
        let _ = fs::remove_dir_all(&folder);
        phone.hand_over(PackFor::Police(incident), &folder).unwrap()
    };
    let damaged = |touched: &str| {
        let error = verify(&folder).unwrap_err();
        assert!(matches!(&error, BakenError::PackDamaged { what } if what.contains(touched)), "{touched}: {error}");
    };
    for name in make().files.iter().filter(|name| !name.ends_with(".baken")) {
        make();
        verify(&folder).unwrap();
        let mut bytes = fs::read(folder.join(name)).unwrap();
        bytes[0] ^= 1;
        fs::write(folder.join(name), &bytes).unwrap();
        damaged("altered");
        fs::remove_file(folder.join(name)).unwrap();
        damaged("missing");
    }
    make();
    fs::write(folder.join("bewijs").join("999-extra.txt"), b"x").unwrap();
    damaged("was not signed");
    assert_eq!(phone.hand_over(PackFor::Police(incident), &folder).unwrap_err().code(), "file_exists");

    // A hash that was noted otherwise: nothing is handed over.
    phone.put(evidence, vec![("sha256".to_owned(), Value::Bytes(vec![0; 32]))]).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(phone.hand_over(PackFor::Police(incident), &folder).unwrap_err().code(), "attachment_damaged");
    assert!(!folder.exists());
    let note = phone.create("note", vec![text("title", "geen incident")]).unwrap();
    assert_eq!(phone.hand_over(PackFor::Police(note), &folder).unwrap_err().code(), "no_such_incident");
}

/// Every kind and field of it: written on one phone, read on the other, and again out of an export.
#[tokio::test]
async fn every_kind_and_field_is_kept_through_sync_and_export() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let mut made = 0;
    for kind in KINDS.iter().filter(|kind| kind.circles.contains(&CircleKind::Dossier)) {
        // A file has tests of its own.
        if !kind.is_persons() || kind.name == "attachment" {
            continue;
        }
        // Each word of a list once, so that all are.
        for at in 0..kind.fields.iter().map(|field| field.words.len()).max().unwrap_or(0).max(1) {
            let value = |field: &baken_schemas::record::FieldSpec| match field.holds {
                FieldType::Text if field.words.is_empty() => Value::Text(format!("{} é", field.name)),
                FieldType::Text => Value::Text(field.words[at % field.words.len()].to_owned()),
                FieldType::Bool => Value::Bool(at % 2 == 0),
                FieldType::Int | FieldType::Time => Value::Int(1_795_000_000_000 + i64::from(field.number)),
                FieldType::Bytes => Value::Bytes(vec![field.number as u8; 16]),
            };
            let fields = kind.fields.iter().map(|field| (field.name.to_owned(), value(field))).collect();
            phone.create(kind.name, fields).unwrap();
            made += 1;
        }
    }
    // What Baken keeps for itself is not looked at and stays here.
    let kept = phone.create("share", vec![text("without", "why")]).unwrap();
    let found = phone.search_records("why").unwrap();
    assert!(!found.is_empty() && found.iter().all(|hit| hit.record.record != kept));
    sync_both(&town, &phone, &tablet).await;
    assert_eq!(state(&phone), state(&tablet));
    assert!(tablet.records(None).unwrap().iter().all(|view| !view.newer && !view.in_conflict));
    let file = town.folder.path().join("alles");
    let (code, exported) =
        phone.export(crate::town::PIN, &file, baken_core::attachment::Existing::Keep, &|_| ()).unwrap();
    assert_eq!(exported.records, made);
    let other = town.activated("other_phone").await;
    let bytes = fs::read(&file).unwrap();
    let choice = baken_core::export::OtherCircles::IntoDossier;
    other.import(&mut Cursor::new(&bytes[..]), &code, choice, &|_| ()).unwrap();
    let (mine, theirs) = (state(&phone), state(&other));
    assert!(mine.contains_key(&kept) && !theirs.contains_key(&kept));
    let mine: Vec<_> = mine.iter().filter(|(record, _)| theirs.contains_key(record)).collect();
    assert_eq!(mine.len() as u64, made);
    assert!(mine.iter().all(|(record, fields)| theirs[record] == **fields));
}

#[tokio::test]
async fn a_check_up_opens_to_its_passphrase_on_both_phones_and_to_no_open_vault() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let check_up = |text: &str, ms| CheckUp { at: Timestamp(ms), with: "arts".to_owned(), text: text.to_owned() };
    // Each makes a lock of its own, apart.
    phone.add_check_up("wachtzin een", &check_up("slaapt slecht", 1), None).unwrap();
    tablet.add_check_up("wachtzin een", &check_up("slaapt beter", 2), None).unwrap();
    sync_both(&town, &phone, &tablet).await;
    for device in [&phone, &tablet] {
        let texts: Vec<String> =
            device.check_ups("wachtzin een").unwrap().into_iter().map(|(_, check_up)| check_up.text).collect();
        assert_eq!(texts, ["slaapt slecht", "slaapt beter"]);
        assert_eq!(device.check_ups("wachtzin twee").unwrap_err().code(), "lock_wrong");
        assert_eq!(
            device.add_check_up("wachtzin twee", &check_up("x", 3), None).unwrap_err().code(),
            "lock_wrong",
            "no second passphrase by a typing error"
        );
    }
    let folder = town.folder.path().join("klaar");
    phone.export_clear(crate::town::PIN, &folder, Consent::NotAsked, &|_| ()).unwrap();
    let readable = everything(&folder);
    assert!(readable.contains("check-up") && !readable.contains("slaapt"), "an open vault shows none");
}

#[tokio::test]
async fn after_a_change_of_passphrase_no_key_of_before_seals_however_far_ahead_the_clock_ran() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let check_up = |text: &str| CheckUp { at: Timestamp(1), with: "arts".to_owned(), text: text.to_owned() };
    let lock_of = |record| phone.record(record).unwrap().names("lock").unwrap();
    town.clock.advance_ms(30 * DAY_MS);
    let before = lock_of(phone.add_check_up("wachtzin een", &check_up("slaapt slecht"), None).unwrap());
    town.clock.advance_ms(-30 * DAY_MS);
    let mut locks = vec![before];
    for (old, new) in [("wachtzin een", "wachtzin twee"), ("wachtzin twee", "wachtzin drie")] {
        phone.change_check_up_passphrase(old, new).unwrap();
        let lock = lock_of(phone.add_check_up(new, &check_up("slaapt beter"), None).unwrap());
        assert!(!locks.contains(&lock), "who knew the passphrase before has that key");
        locks.push(lock);
    }
    assert_eq!(phone.check_ups("wachtzin drie").unwrap().len(), 3, "nothing is lost");
}

#[tokio::test]
async fn the_card_is_drawn_from_the_profile_and_the_records_beside_it() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.create("profile", vec![text("name", "M. de Wit"), text("home_address", "Lindelaan 12")]).unwrap();
    assert_eq!(phone.card().unwrap().home_address, "Lindelaan 12");
    phone.create("home", vec![text("address", "Zeeweg 3"), text("access", "achterom")]).unwrap();
    phone.create("car", vec![text("plate", "AB-123-C"), text("colour", "rood")]).unwrap();
    let born = ("born".to_owned(), Value::Int(2015));
    let child = phone.create("housemate", vec![text("name", "Pim"), text("relation", "zoon"), born]).unwrap();
    phone.create("medical", vec![text("whom", "Pim"), text("what", "suikerziekte")]).unwrap();
    let card = phone.card().unwrap();
    assert_eq!(card.home_address, "Lindelaan 12; Zeeweg 3, achterom");
    assert_eq!((card.car.as_str(), card.household.as_str()), ("AB-123-C, rood", "Pim, zoon, 2015"));
    assert_eq!(card.medical, "Pim, suikerziekte");
    phone.delete(child).unwrap();
    assert_eq!(phone.card().unwrap().household, "");
    // However much there is, it fits.
    for _ in 0..12 {
        phone.create("medical", vec![text("what", &"é".repeat(4_000))]).unwrap();
        phone.create("housemate", vec![text("name", &"x".repeat(4_000))]).unwrap();
    }
    let card = phone.card().unwrap();
    assert!(card.medical.len() <= 800 && card.household.len() <= 250);
    phone.update_card(&town.network).await.unwrap();
}
