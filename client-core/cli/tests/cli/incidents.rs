//! Incidents from note to hand-over, the agenda, aftercare and check-ups, as a program sees them. None needs the relay.

use serde_json::json;

use super::Phone;
use super::relay::Town;

const CHECK_UP: &str = "een lange zin";

#[test]
fn an_incident_is_written_reported_joined_and_handed_over_without_a_network() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    town.unplug();
    let made = phone.ok(&[
        "incident",
        "add",
        "--what",
        "Brief zonder afzender",
        "--when",
        "2026-11-20 08:30",
        "--where",
        "thuis",
        "--who",
        "Man met pet",
        "--threat-source",
        "angry-resident",
    ]);
    let incident = made["record"].as_str().expect("an id");
    // Asked one by one: what, when, where, who, with what, how, why, source.
    let asked = "Man aan de deur\n08:30\nthuis\n\n\naanbellen\n\n2\n";
    let (code, lines) = phone.typing(&["incident", "add"], asked);
    assert_eq!(code, 0, "{lines:?}");
    let other = lines.last().expect("a line")["record"].as_str().expect("an id").to_owned();
    let shown = phone.ok(&["incident", "show", &other])["incident"]["fields"].clone();
    assert_eq!((&shown["threat_source"], &shown["how"]), (&json!("confused-person"), &json!("aanbellen")));
    assert_eq!(shown.get("who"), None, "Enter skips a question");
    let (code, lines) = phone.typing(&["incident", "add"], "\n");
    assert_eq!((code, &lines.last().expect("a line")["error"]["code"]), (3, &json!("what_missing")));

    phone.ok(&["incident", "report", incident, "--internal", "griffier", "--at", "2026-11-20 09:00"]);
    phone.ok(&["incident", "report", incident, "--police", "aangifte", "--number", "PL-1", "--vpt", "yes"]);
    phone.ok(&["incident", "link", incident, &other]);
    let timeline = phone.ok(&["incident", "timeline"])["timeline"].clone();
    let first = timeline.as_array().expect("a list").iter().find(|item| item["record"] == incident);
    assert_eq!(first.expect("it is there")["same_perpetrator"], json!([other]));
    assert!(phone.says(&["incident", "show", incident]).contains("aangifte gedaan"));
    assert!(phone.says(&["incident", "list"]).contains("boze inwoner"));

    let photo = phone.folder.path().join("foto.png");
    std::fs::write(&photo, b"geen echte foto").expect("a file");
    let added = phone.ok(&["attach", "add", photo.to_str().expect("a path"), "--to", incident, "--origin", "received"]);
    let attachment = added["attachment"].as_str().expect("an id");
    let kept = phone.ok(&["record", "show", attachment])["fields"].clone();
    assert_eq!(kept["origin"], "received");
    assert!(kept["added_at"].is_i64() && kept["modified_at"].is_i64() && kept["sha256"]["bytes"].is_string());

    let folder = phone.folder.path().join("politie");
    let folder = folder.to_str().expect("a path");
    let packed = phone.ok(&["incident", "pack", incident, "--for", "police", "--out", folder]);
    assert_eq!(packed["files"].as_array().map(Vec::len), Some(4), "{packed}");
    let stranger = Phone::new();
    let verified = stranger.ok(&["incident", "verify", folder])["verified"].clone();
    assert_eq!(verified["fingerprint"], packed["fingerprint"], "no vault is needed");
    std::fs::write(format!("{folder}/overdracht.html"), "<p>niets gebeurd").expect("a file");
    assert_eq!(stranger.fails(&["incident", "verify", folder]), (8, "pack_damaged".to_owned()));
    assert_eq!(stranger.fails(&["incident", "verify", "/weg"]), (8, "pack_damaged".to_owned()));

    let register = phone.folder.path().join("register");
    let register = register.to_str().expect("a path");
    phone.ok(&["incident", "pack", incident, "--for", "register", "--out", register]);
    let csv = std::fs::read_to_string(format!("{register}/register.csv")).expect("a file");
    assert!(csv.contains("\"boze inwoner\",\"Brief zonder afzender\",\"thuis\"") && !csv.contains("pet"), "{csv}");
    let named = phone.folder.path().join("met-naam");
    let named = named.to_str().expect("a path");
    phone.ok(&["incident", "pack", incident, "--for", "register", "--name-person", "--out", named]);
    assert!(std::fs::read_to_string(format!("{named}/register.csv")).expect("a file").contains("Man met pet"));
    let council = phone.folder.path().join("raad");
    phone.ok(&["incident", "pack", "--for", "council", "--year", "2026", "--out", council.to_str().expect("a path")]);
    let all = phone.folder.path().join("raad-alles");
    phone.ok(&["incident", "pack", "--for", "council", "--out", all.to_str().expect("a path")]);

    for (args, code) in [
        (&["incident", "show", "zz"][..], "no_such_incident"),
        (&["incident", "show", attachment], "no_such_incident"),
        (&["incident", "link", incident, incident], "same_record"),
        (&["incident", "report", incident, "--told", "x", "--at", "straks"], "value_not_time"),
        (&["incident", "add", "--what", "x", "--when", "gisteren"], "value_not_time"),
        (&["incident", "pack", incident, "--for", "register", "--out", register], "file_exists"),
    ] {
        assert_eq!(phone.fails(args), (3, code.to_owned()), "{args:?}");
    }
    for args in [
        &["incident", "report", incident][..],
        &["incident", "report", incident, "--internal", "griffier", "--number", "1"],
        &["incident", "report", incident, "--police", "misschien"],
        &["incident", "pack", "--for", "police", "--out", "x"],
        &["incident", "pack", incident, "--for", "pers", "--out", "x"],
    ] {
        let output = phone.command(args).output().expect("baken runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_agenda_says_that_something_is_due_and_no_more() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    town.unplug();
    phone.ok(&["record", "add", "measure", "title=Camera", "type=camera", "status=done", "ends=2020-01-01"]);
    phone.ok(&["record", "add", "measure", "title=Weg", "status=not-wanted", "ends=2020-01-01"]);
    phone.ok(&[
        "record",
        "add",
        "subscription",
        "title=Alarmcentrale",
        "ends=2020-01-02",
        "cost_cents=5000",
        "every=month",
    ]);
    phone.ok(&["record", "add", "measure", "title=Post", "origin=system"]);
    assert!(phone.says(&["record", "list", "measure"]).contains("vertrouwelijk"));
    let started = phone.ok(&["aftercare", "start", "--from", "2020-01-31"]);
    assert_eq!(started["moments"].as_array().map(Vec::len), Some(4));
    assert_eq!(phone.ok(&["aftercare", "start", "--from", "2020-01-31"]), started);
    assert_eq!(phone.fails(&["aftercare", "start", "--for", "family"]), (3, "no_family_circle".to_owned()));
    let file = phone.folder.path().join("agenda.ics");
    let agenda = phone.ok(&["agenda", "--ics", file.to_str().expect("a path")])["agenda"].clone();
    let due: Vec<&str> =
        agenda.as_array().expect("a list").iter().map(|item| item["due"].as_str().expect("a word")).collect();
    assert_eq!(due, ["measure-ends", "subscription-ends", "follow-up", "follow-up", "follow-up", "follow-up"]);
    assert!(agenda.as_array().expect("a list").iter().all(|item| item["overdue"] == true));
    let said = phone.says(&["agenda"]) + &std::fs::read_to_string(file).expect("a calendar");
    for word in ["Camera", "Alarmcentrale", "Baken"] {
        assert!(!said.contains(word), "{word}: {said}");
    }
    assert!(said.contains("DTSTART;VALUE=DATE:20200101\r\nSUMMARY:Einddatum nakijken\r\n"), "a day is a day: {said}");
}

#[test]
fn a_check_up_needs_its_own_passphrase_beside_the_pin() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    town.unplug();
    let with = |passphrase: &str, args: &[&str]| super::ended(phone.command(args).env("BAKEN_CHECK_UP", passphrase));
    let (code, made) = with(CHECK_UP, &["check-up", "add", "slaapt slecht", "--with", "arts", "--next", "2020-05-01"]);
    assert_eq!(code, 0, "{made}");
    let (_, listed) = with(CHECK_UP, &["check-up", "list"]);
    assert_eq!(listed["check_ups"][0]["text"], "slaapt slecht");
    for args in [&["check-up", "list"][..], &["check-up", "add", "x"]] {
        let (code, answer) = with("een andere zin", args);
        assert_eq!((code, &answer["error"]["code"]), (4, &json!("lock_wrong")));
    }
    assert_eq!(phone.fails(&["check-up", "list"]), (2, "pin_missing".to_owned()));
    let shown = phone.ok(&["record", "show", made["record"].as_str().expect("an id")]).to_string();
    assert!(!shown.contains("slaapt") && !shown.contains("arts"), "{shown}");
    assert_eq!(phone.ok(&["agenda"])["agenda"][0]["title"], "Moment voor uzelf");
}
