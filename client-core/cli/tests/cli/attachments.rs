//! `baken attach` without a connection: adding, listing, saving, deleting, and what is refused.

use serde_json::{Value, json};

use super::Phone;
use super::relay::Town;

#[test]
fn a_letter_is_added_listed_saved_and_deleted_offline() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    drop(town);
    let path = |name: &str| phone.folder.path().join(name).display().to_string();
    let letter = b"%PDF-1.7 geen afzender";
    std::fs::write(path("brief.pdf"), letter).expect("a file");
    let incident = phone.ok(&["record", "add", "incident", "what=Brief"])["record"].clone();
    let incident = incident.as_str().expect("an id");
    let (code, lines) = phone.typing(&["attach", "add", &path("brief.pdf"), "--to", incident], "");
    assert_eq!((code, &lines[0]), (0, &json!({"step": "sealing", "done": 22, "total": 22})));
    let attachment = lines[1]["attachment"].as_str().expect("an id").to_owned();

    let listed = phone.ok(&["attach", "list", incident]);
    let shown = &listed["attachments"][0];
    for (name, expected) in [
        ("name", json!("brief.pdf")),
        ("media_type", json!("application/pdf")),
        ("size", json!(22)),
        ("of", json!(incident)),
        ("here", json!(true)),
        ("at_relay", json!("no")),
        ("has_thumbnail", json!(false)),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    assert_eq!(shown["root"].as_str().map(str::len), Some(64));
    assert_eq!(phone.ok(&["status"])["attachments_pending"], 1);
    assert!(phone.says(&["attach", "list"]).contains("op de server"));
    assert!(phone.says(&["--lang", "en", "attach", "list"]).contains("at the server"));

    let saved = phone.says(&["--lang", "en", "attach", "save", &attachment, &path("terug.pdf")]);
    assert!(saved.contains("can read it"), "{saved}");
    assert_eq!(std::fs::read(path("terug.pdf")).expect("it is there"), letter);
    let again = ["attach", "save", &attachment, &path("terug.pdf")];
    assert_eq!(phone.fails(&again), (3, "file_exists".to_owned()));
    phone.ok(&["attach", "save", &attachment, &path("terug.pdf"), "--force"]);

    phone.ok(&["attach", "delete", &attachment]);
    assert_eq!(phone.ok(&["attach", "list"])["attachments"], json!([]));
    assert_eq!(phone.ok(&["attach", "list", "--deleted"])["attachments"][0]["deleted"], true);
    phone.ok(&["record", "restore", &attachment]);
}

#[test]
fn a_photo_gets_a_small_picture() {
    let phone = Phone::activated(&Town::found());
    let path = |name: &str| phone.folder.path().join(name).display().to_string();
    // A PNG of one dark pixel.
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    let png = data_encoding::BASE64.decode(png.as_bytes()).expect("base64");
    std::fs::write(path("deur.png"), &png).expect("a file");
    let added = phone.ok(&["attach", "add", &path("deur.png"), "--name", "De voordeur"]);
    let attachment = added["attachment"].as_str().expect("an id");
    let shown = &phone.ok(&["attach", "list"])["attachments"][0];
    assert_eq!((&shown["name"], &shown["has_thumbnail"]), (&json!("De voordeur"), &Value::Bool(true)));
    phone.ok(&["attach", "save", attachment, &path("klein.jpg"), "--thumbnail"]);
    assert!(std::fs::read(path("klein.jpg")).expect("it is there").starts_with(b"\xff\xd8\xff"));
}

#[test]
fn what_cannot_be_attached_or_saved_is_refused_in_words() {
    let phone = Phone::activated(&Town::found());
    let path = |name: &str| phone.folder.path().join(name).display().to_string();
    std::fs::write(path("brief.txt"), b"x").expect("a file");
    let note = phone.ok(&["record", "add", "note", "title=Dinsdag"])["record"].clone();
    let note = note.as_str().expect("an id");
    for (args, expected) in [
        (&["attach", "add", &path("geen.txt")][..], (1, "io")),
        (&["attach", "add", &path(".")], (1, "io")),
        (&["attach", "add", &path("brief.txt"), "--to", "ffffffff"], (3, "no_such_record")),
        (&["attach", "add", &path("brief.txt"), "--circle", "geen"], (3, "no_such_circle")),
        (&["attach", "add", &path("brief.txt"), "--name", " "], (3, "no_file_name")),
        (&["attach", "add", &path("brief.txt"), "--to", note, "--circle", "dossier"], (2, "usage")),
        (&["attach", "save", note, &path("uit.txt")], (3, "no_such_attachment")),
        (&["attach", "delete", note], (3, "no_such_attachment")),
    ] {
        assert_eq!(phone.fails(args), (expected.0, expected.1.to_owned()), "{args:?}");
    }
    let added = phone.ok(&["attach", "add", &path("brief.txt")]);
    let attachment = added["attachment"].as_str().expect("an id");
    let nowhere = path("geen/uit.txt");
    assert_eq!(phone.fails(&["attach", "save", attachment, &nowhere]), (1, "io".to_owned()));
    assert!(phone.ok(&["attach", "list"])["attachments"].as_array().is_some_and(|list| list.len() == 1));
}
