//! Everything out of one account and into another: what arrives, what is left, and what is refused.

use std::io::Cursor;
use std::path::PathBuf;

use baken_core::attachment::{AttachTo, Existing, NewAttachment, Part};
use baken_core::export::{ImportReport, LeftOutReason, OtherCircles};
use baken_core::record::RecordView;
use baken_core::sharing::Consent;
use baken_core::{Baken, BakenError};
use baken_schemas::circle::CircleKind;
use baken_schemas::export::ExportCode;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use serde_json::Value as Json;

use crate::town::{PIN, Town};

/// Words that must not be readable in a sealed file.
const MARKERS: [&str; 4] = ["Joris van den Echte", "Kerkstraat", "plattegrond.pdf", "mayor_phone"];

fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(text.to_owned()))
}

/// The values of a field, as text.
fn values(phone: &Baken, record: RecordId, name: &str) -> Vec<String> {
    let view = phone.record(record).unwrap();
    let fields = view.fields.iter().filter(|field| field.name == Some(name));
    let shown = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    fields.flat_map(|field| &field.values).map(|view| shown(&view.value)).collect()
}

fn export(town: &Town, phone: &Baken, name: &str) -> (ExportCode, Vec<u8>) {
    let path = town.folder.path().join(name);
    let (code, _) = phone.export(PIN, &path, Existing::Keep, &|_| ()).unwrap();
    (code, std::fs::read(path).unwrap())
}

fn import(phone: &Baken, code: &ExportCode, file: &[u8], other: OtherCircles) -> Result<ImportReport, BakenError> {
    phone.import(&mut Cursor::new(file), code, other, &|_| ())
}

/// Everything on a device but who put it when.
fn state(phone: &Baken) -> Vec<RecordView> {
    phone.records(None).unwrap()
}

fn add(phone: &Baken, to: AttachTo, name: &str, content: &[u8]) -> RecordId {
    let new = NewAttachment { name, media_type: "application/pdf", thumbnail: Some(b"small") };
    phone.add_attachment(to, new, &mut Cursor::new(content), &|_| ()).unwrap()
}

fn saved(town: &Town, phone: &Baken, attachment: RecordId, part: Part) -> Vec<u8> {
    let path = town.folder.path().join("saved");
    phone.save_attachment(attachment, part, &path, Existing::Replace).unwrap();
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_dossier_goes_into_another_account_and_a_second_time_changes_nothing() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let contact = phone.create("contact", vec![text("name", "Joris van den Echte"), text("phone", "1")]).unwrap();
    let incident = phone
        .create("incident", vec![text("place", "Kerkstraat 1"), ("happened_at".to_owned(), Value::Int(-7))])
        .unwrap();
    let note = phone.create("note", vec![text("title", "weg")]).unwrap();
    phone.delete(note).unwrap();
    let content: Vec<u8> = (0..600_000).map(|at| (at % 251) as u8).collect();
    let attachment = add(&phone, AttachTo::Record(incident), "plattegrond.pdf", &content);
    let empty = add(&phone, AttachTo::Record(incident), "leeg.pdf", b"");
    let family = phone.found_circle(CircleKind::Family, "Familie").unwrap();
    let plan = phone.create_in(family, "plan", vec![text("title", "Als de bel gaat")]).unwrap();
    let aunt = phone.create_in(family, "contact", vec![text("name", "Tante")]).unwrap();
    for device in [&phone, &tablet, &phone] {
        device.sync(&town.network).await.unwrap();
    }
    // Both change one number without having seen each other's.
    phone.put(contact, vec![text("phone", "2")]).unwrap();
    town.clock.advance_ms(1000);
    tablet.put(contact, vec![text("phone", "3")]).unwrap();
    for device in [&tablet, &phone] {
        device.sync(&town.network).await.unwrap();
    }
    assert_eq!(values(&phone, contact, "phone"), ["2", "3"]);

    let (code, file) = export(&town, &phone, "dossier.baken");
    for marker in MARKERS {
        assert!(!file.windows(marker.len()).any(|window| window == marker.as_bytes()), "{marker}");
    }
    let councillor = town.activated("councillor_phone").await;
    let report = import(&councillor, &code, &file, OtherCircles::LeaveOut).unwrap();
    assert_eq!((report.made, report.filled, report.files), (5, 0, 4));
    let in_history: Vec<&Value> = report.in_history.iter().map(|note| &note.value).collect();
    assert_eq!(in_history, [&Value::Text("2".to_owned())]);
    let left: Vec<(RecordId, LeftOutReason)> = report.left_out.iter().map(|left| (left.record, left.reason)).collect();
    assert_eq!(left, [(plan, LeftOutReason::NotInCircle), (aunt, LeftOutReason::NotInCircle)]);
    assert_eq!(values(&councillor, contact, "name"), ["Joris van den Echte"]);
    assert_eq!(values(&councillor, contact, "phone"), ["3"]);
    let history = councillor.history(contact).unwrap();
    assert!(history.iter().any(|put| put.value == Value::Text("2".to_owned()) && !put.current));
    let own = councillor.status().unwrap().device;
    assert!(history.iter().all(|put| put.by == Some(own)), "every value is its own edit");
    assert!(councillor.record(note).unwrap().deleted);
    assert_eq!(councillor.attachments(Some(incident)).unwrap().len(), 2);
    assert!(saved(&town, &councillor, attachment, Part::File) == content);
    assert_eq!(saved(&town, &councillor, attachment, Part::Thumbnail), b"small");
    assert_eq!(saved(&town, &councillor, empty, Part::File), b"");
    let root = |phone: &Baken| phone.attachments(None).unwrap().into_iter().find(|view| view.record == attachment);
    assert_ne!(root(&phone).unwrap().root, root(&councillor).unwrap().root, "sealed anew, under a key of its own");
    councillor.sync(&town.network).await.unwrap();
    let status = councillor.status().unwrap();
    assert_eq!((status.pending, status.attachments_pending, status.trustworthy), (0, 0, true));

    let before = state(&councillor);
    let again = import(&councillor, &code, &file, OtherCircles::LeaveOut).unwrap();
    assert_eq!((again.made, again.filled, again.unchanged, again.files), (0, 0, 5, 0));
    assert_eq!((state(&councillor), again.differs.len()), (before, 0));

    // Asked for, the aunt comes into the dossier. A plan is not for one.
    let asked = import(&councillor, &code, &file, OtherCircles::IntoDossier).unwrap();
    assert_eq!((asked.made, asked.left_out[0].record, asked.left_out[0].reason), (1, plan, LeftOutReason::NotShared));
    assert_eq!(values(&councillor, aunt, "name"), ["Tante"]);
    // In the circle itself nothing is new.
    let own = import(&phone, &code, &file, OtherCircles::LeaveOut).unwrap();
    assert_eq!((own.made, own.filled, own.differs.len(), own.left_out.len()), (0, 0, 0, 0));
}

#[tokio::test]
async fn what_is_here_stays_and_what_is_empty_is_filled() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let fields = vec![text("name", "Joris van den Echte"), text("phone", "1"), text("email", "j@example")];
    let contact = phone.create("contact", fields).unwrap();
    let note = phone.create("note", vec![text("title", "Dinsdag")]).unwrap();
    let (code, file) = export(&town, &phone, "dossier.baken");
    phone.put(contact, vec![text("phone", "2"), ("email".to_owned(), Value::Empty)]).unwrap();
    phone.delete(note).unwrap();
    let report = import(&phone, &code, &file, OtherCircles::LeaveOut).unwrap();
    assert_eq!((report.made, report.filled, report.unchanged), (0, 1, 1));
    let differs: Vec<(RecordId, u16, &Value)> =
        report.differs.iter().map(|note| (note.record, note.field, &note.value)).collect();
    let expected = [(contact, 3, &Value::Text("1".to_owned())), (note, 0, &Value::Bool(false))];
    assert_eq!(differs, expected);
    assert_eq!(
        (values(&phone, contact, "phone"), values(&phone, contact, "email")),
        (vec!["2".to_owned()], vec!["j@example".to_owned()])
    );
    assert!(phone.record(note).unwrap().deleted);
}

#[tokio::test]
async fn a_file_with_one_bit_flipped_or_cut_short_is_refused_and_changes_nothing() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.create("contact", vec![text("name", "Joris van den Echte")]).unwrap();
    let (code, file) = export(&town, &phone, "dossier.baken");
    let councillor = town.activated("councillor_phone").await;
    let before = state(&councillor);
    let refused = |file: &[u8], code: &ExportCode| {
        let refused = import(&councillor, code, file, OtherCircles::IntoDossier).unwrap_err();
        assert_eq!(refused.code(), "export_invalid", "{refused:?}");
    };
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 1 << (at % 8);
        refused(&altered, &code);
    }
    for cut in (0..file.len()).step_by(7) {
        refused(&file[..cut], &code);
    }
    let (other, _) = export(&town, &phone, "other.baken");
    refused(&file, &other);

    // A large one whose last part is missing is told before its first is applied.
    add(&phone, AttachTo::Circle(phone.status().unwrap().circle), "plattegrond.pdf", &vec![7; 900_000]);
    let (code, file) = export(&town, &phone, "large.baken");
    refused(&file[..29 + 2 * 262_220], &code);
    let mut altered = file.clone();
    *altered.last_mut().unwrap() ^= 1;
    refused(&altered, &code);
    assert_eq!(state(&councillor), before);
    assert_eq!(import(&councillor, &code, &file, OtherCircles::LeaveOut).unwrap().made, 2);
}

#[tokio::test]
async fn an_attachment_that_is_not_here_is_named_and_comes_with_a_later_export() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let attachment = add(&phone, AttachTo::Circle(phone.status().unwrap().circle), "plattegrond.pdf", b"kaart");
    for device in [&phone, &tablet] {
        device.sync(&town.network).await.unwrap();
    }
    let path = town.folder.path().join("tablet.baken");
    let (code, exported) = tablet.export(PIN, &path, Existing::Keep, &|_| ()).unwrap();
    assert_eq!((exported.files, exported.not_here), (0, vec![attachment]));
    let councillor = town.activated("councillor_phone").await;
    let report = import(&councillor, &code, &std::fs::read(path).unwrap(), OtherCircles::LeaveOut).unwrap();
    assert_eq!((report.made, report.files_missing), (1, vec![attachment]));
    let missing = councillor.save_attachment(attachment, Part::File, &town.folder.path().join("x"), Existing::Keep);
    assert!(matches!(missing, Err(BakenError::NoSuchAttachment)));
    let (code, file) = export(&town, &phone, "phone.baken");
    let report = import(&councillor, &code, &file, OtherCircles::LeaveOut).unwrap();
    assert_eq!((report.filled, report.files), (1, 2));
    assert_eq!(saved(&town, &councillor, attachment, Part::File), b"kaart");
}

fn clear(town: &Town, phone: &Baken, pin: &str, name: &str) -> Result<(PathBuf, Json), BakenError> {
    let folder = town.folder.path().join(name);
    phone.export_clear(pin, &folder, Consent::NotAsked, &|_| ())?;
    let json = std::fs::read_to_string(folder.join("dossier.json")).unwrap();
    Ok((folder, serde_json::from_str(&json).unwrap()))
}

#[tokio::test]
async fn the_readable_folder_says_everything_and_asks_for_the_pin() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let contact =
        phone.create("contact", vec![text("name", "Joris \"Jo\" van den Echte"), text("phone", "1")]).unwrap();
    town.clock.advance_ms(1000);
    phone.put(contact, vec![text("phone", "2")]).unwrap();
    phone.found_circle(CircleKind::Family, "Familie").unwrap();
    let attachment = add(&phone, AttachTo::Record(contact), "../../plattegrond.pdf", b"kaart");
    assert!(matches!(clear(&town, &phone, "000000", "map"), Err(BakenError::WrongPin { .. })));
    assert!(phone.export("000000", &town.folder.path().join("x"), Existing::Keep, &|_| ()).is_err());
    assert!(!town.folder.path().join("map").exists() && !town.folder.path().join("x").exists());
    town.clock.advance_ms(3_600_000);

    let (folder, json) = clear(&town, &phone, PIN, "map").unwrap();
    let circles = json["circles"].as_array().unwrap();
    assert_eq!(
        (&circles[0]["kind"], &circles[0]["own"], &circles[1]["name"]),
        (&"dossier".into(), &true.into(), &"Familie".into())
    );
    let records = circles[0]["records"].as_array().unwrap();
    let shown = |record: RecordId| records.iter().find(|shown| shown["record"] == record.to_string()).unwrap();
    let shown_contact = shown(contact);
    assert_eq!(shown_contact["fields"]["name"], "Joris \"Jo\" van den Echte");
    let phones: Vec<&Json> =
        shown_contact["history"].as_array().unwrap().iter().filter(|put| put["field"] == "phone").collect();
    assert_eq!((phones.len(), &phones[0]["value"], &phones[0]["stands"]), (2, &"1".into(), &false.into()));
    assert_eq!(phones[1]["device"], "mayor_phone");
    let files = shown(attachment)["files"].as_array().unwrap();
    let path = folder.join(files[0]["file"].as_str().unwrap());
    assert_eq!(path.parent(), Some(&*folder.join("attachments")), "no name leads out of the folder");
    assert_eq!(std::fs::read(path).unwrap(), b"kaart");
    assert!(shown(attachment)["fields"].get("blob").is_none(), "a blob's key is nobody's to read");
    assert!(records.iter().all(|record| record["kind"] != "account"));
    assert!(matches!(clear(&town, &phone, PIN, "map"), Err(BakenError::FileExists)));
    assert!(folder.join("dossier.json").exists());
}

#[tokio::test]
async fn with_the_decoy_open_the_decoy_is_exported_and_nothing_else() {
    const DURESS: &str = "246801";
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.create("contact", vec![text("name", "Joris van den Echte")]).unwrap();
    add(&phone, AttachTo::Circle(phone.status().unwrap().circle), "plattegrond.pdf", b"kaart");
    phone.add_duress_pin(PIN, DURESS).unwrap();
    phone.lock();
    phone.unlock(DURESS).unwrap();
    let path = town.folder.path().join("decoy.baken");
    assert!(phone.export(PIN, &path, Existing::Keep, &|_| ()).is_err(), "the true PIN will not do here");
    town.clock.advance_ms(3_600_000);
    let (code, exported) = phone.export(DURESS, &path, Existing::Keep, &|_| ()).unwrap();
    assert_eq!((exported.records, exported.files), (3, 0));
    let councillor = town.activated("councillor_phone").await;
    import(&councillor, &code, &std::fs::read(path).unwrap(), OtherCircles::LeaveOut).unwrap();
    assert_eq!(
        (councillor.records(Some("contact")).unwrap().len(), councillor.attachments(None).unwrap().len()),
        (2, 0)
    );
    town.clock.advance_ms(3_600_000);
    let (_, json) = clear(&town, &phone, DURESS, "map").unwrap();
    assert!(!json.to_string().contains("Joris"));
}
