//! Circles: who is in, what is shared where, and objecting.

use serde_json::{Value, json};

use super::Phone;
use super::relay::Town;

/// Both halves of a pairing; the last line of each.
pub fn pair(old: &Phone, new: &Phone, name: &str, accept: &[&str]) -> (Value, Value) {
    let relay = old.ok(&["pair", "relay"])["relay"].as_str().expect("a text").to_owned();
    let mut showing = new.start(&["pair", "show", "--relay", &relay, "--name", name]);
    let code = showing.line_where(|line| line["step"] == "code")["text"].as_str().expect("a text").to_owned();
    let args: Vec<&str> = accept.iter().map(|arg| if *arg == "CODE" { code.as_str() } else { arg }).collect();
    let mut accepting = old.start(&args);
    let digits = showing.line_where(|line| line["step"] == "digits")["digits"].as_str().expect("digits").to_owned();
    accepting.types(&digits);
    let accepted = accepting.line_where(|line| line["step"] == "paired");
    let shown = showing.line_where(|line| line["step"] == "paired");
    assert_eq!((accepting.ends(), showing.ends()), (Some(0), Some(0)));
    (accepted, shown)
}

fn states(phone: &Phone) -> Vec<(String, String)> {
    let devices = phone.ok(&["devices"])["devices"].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    devices.as_array().expect("a list").iter().map(|device| (text(&device["name"]), text(&device["state"]))).collect()
}

#[test]
fn a_family_circle_shares_what_is_put_in_it_and_nothing_else() {
    let town = Town::found();
    let (phone, guest) = (Phone::activated(&town), Phone::new());
    phone.ok(&["record", "add", "note", "title=Priv\u{e9}"]);
    let made = phone.ok(&["circle", "create", "family", "--name", "Familie"]);
    assert_eq!((&made["kind"], &made["name"]), (&json!("family"), &json!("Familie")));
    phone.ok(&["record", "add", "--circle", "familie", "plan", "title=Als de bel gaat"]);
    for (args, code) in [
        (&["record", "add", "--circle", "familie", "profile", "name=x"][..], "not_shared"),
        (&["record", "add", "plan", "title=x"], "not_shared"),
        (&["circle", "show", "zaak"], "no_such_circle"),
        (&["circle", "create", "case", "--name", " "], "no_name"),
        (&["circle", "invite", "dossier", "BAKEN-PAIR:AB"], "invite_dossier"),
        (&["circle", "invite", "familie", "BAKEN-PAIR:AB"], "pairing_code_invalid"),
        (&["circle", "remove", "familie", "zz"], "no_such_device"),
        (&["circle", "remove", "familie", "Telefoon"], "remove_itself"),
        (&["circle", "role", "familie", "Telefoon", "viewer"], "role_of_owner"),
        (&["circle", "veto"], "nothing_waits"),
    ] {
        assert_eq!(phone.fails(args), (3, code.to_owned()), "{args:?}");
    }
    let circles = phone.ok(&["circle", "list"])["circles"].clone();
    assert_eq!((&circles[0]["kind"], &circles[1]["name"]), (&json!("dossier"), &json!("Familie")));
    assert_eq!(circles[1]["members"][0]["role"], "owner");
    let shown = phone.ok(&["circle", "show", "familie"]);
    assert_eq!(shown["safety_number"].as_str().expect("a number").split(' ').count(), 6);
    assert!(phone.says(&["circle", "show", "familie"]).contains("Vergelijk het in persoon"));
    let listed = phone.ok(&["record", "list", "--circle", "familie"])["records"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "not what Baken keeps for itself: {listed}");
    assert_eq!(listed[0]["circle"], made["circle"]);
    assert!(phone.says(&["record", "list"]).contains("Familie"));

    let (accepted, joined) = pair(&phone, &guest, "Sam", &["circle", "invite", "familie", "CODE", "--viewer"]);
    assert_eq!((&accepted["circle"], &accepted["waits_until"]), (&made["circle"], &Value::Null));
    assert_eq!((&joined["account"], &joined["waits"]), (&Value::Null, &json!(false)));
    phone.ok(&["sync"]);
    guest.ok(&["sync"]);
    let seen = guest.ok(&["record", "list"])["records"].clone();
    assert_eq!((seen.as_array().map(Vec::len), &seen[0]["kind"]), (Some(1), &json!("plan")));
    assert_eq!(guest.ok(&["circle", "list"])["circles"][0]["role"], "viewer");
    assert_eq!(
        guest.ok(&["circle", "show"])["safety_number"],
        phone.ok(&["circle", "show", "Familie"])["safety_number"]
    );
    let device = accepted["device"].as_str().expect("an id");
    phone.ok(&["circle", "role", "familie", &device[..8], "member"]);
    guest.ok(&["sync"]);
    assert_eq!(guest.ok(&["circle", "list"])["circles"][0]["role"], "member");

    // A guest that is out is told that, and neither why nor by whom.
    let out = phone.ok(&["circle", "remove", "familie", &device[..8]]);
    assert_eq!((&out["device"], &out["state"]), (&accepted["device"], &json!("gone")));
    guest.ok(&["sync"]);
    let said = guest.says(&["status"]);
    assert!(said.contains("Dit apparaat krijgt niets nieuws meer uit deze kring."), "{said}");
    assert!(!said.contains("Telefoon") && !said.contains("circle veto") && !said.contains("verwijderd"), "{said}");
    assert_eq!(guest.ok(&["status"])["notices"], json!([]));
    assert_eq!(guest.ok(&["record", "list"])["records"].as_array().map(Vec::len), Some(1), "what it had, it keeps");
}

#[test]
fn a_later_device_waits_another_lets_it_in_and_an_owner_objects_to_its_removal() {
    let town = Town::found();
    let (phone, tablet, third) = (Phone::activated(&town), Phone::new(), Phone::new());
    let (first, _) = pair(&phone, &tablet, "Tablet", &["pair", "accept", "CODE"]);
    assert_eq!(first["waits_until"], Value::Null, "the first on the day of activation is in");
    tablet.ok(&["sync"]);

    let (accepted, shown) = pair(&phone, &third, "Laptop", &["pair", "accept", "CODE"]);
    assert!(accepted["waits_until"].is_number() && shown["waits"] == true);
    let device = accepted["device"].as_str().expect("an id");
    assert_eq!(phone.fails(&["circle", "confirm", &device[..8]]), (3, "confirm_elsewhere".to_owned()));
    assert_eq!(third.ok(&["status"])["stuck_because"]["reason"], "waits-for-confirmation");
    tablet.ok(&["sync"]);
    let said = tablet.says(&["status"]);
    assert!(said.lines().next().expect("a line").contains("baken circle veto"), "first of all: {said}");
    assert!(phone.says(&["devices"]).contains("wacht tot"));
    tablet.ok(&["circle", "confirm", &device[..8]]);
    // Let in by the first sync, it has its name to send by the second.
    third.ok(&["sync"]);
    third.ok(&["sync"]);
    phone.ok(&["sync"]);
    assert_eq!(states(&phone)[2], ("Laptop".to_owned(), "active".to_owned()));

    let out = phone.ok(&["circle", "remove", "dossier", "Laptop"]);
    assert_eq!(out["state"], "leaving");
    third.ok(&["sync"]);
    assert_eq!(third.ok(&["status"])["notices"][0]["this"], true);
    assert_eq!(third.ok(&["circle", "veto"])["objected_to"], "leaving");
    phone.ok(&["sync"]);
    assert_eq!(states(&phone)[2].1, "active");

    phone.ok(&["circle", "freeze", "dossier", "Laptop"]);
    phone.ok(&["circle", "freeze", "dossier", "Tablet"]);
    assert_eq!(phone.fails(&["circle", "veto"]), (3, "several_wait".to_owned()));
    phone.ok(&["circle", "veto", "Tablet"]);
    phone.ok(&["circle", "veto"]);
    assert!(states(&phone).iter().all(|(_, state)| state == "active"));
}

#[test]
fn a_lost_phone_is_locked_and_then_wiped_from_the_tablet() {
    let mut town = Town::found();
    let (phone, tablet) = (Phone::activated(&town), Phone::new());
    pair(&phone, &tablet, "Tablet", &["pair", "accept", "CODE"]);
    for device in [&tablet, &phone, &tablet] {
        device.ok(&["sync"]);
    }
    for (args, code) in [
        (&["devices", "wipe", "Tablet", "--yes"][..], "order_itself"),
        (&["devices", "lock", "Laptop"], "no_such_device"),
    ] {
        assert_eq!(tablet.fails(args), (3, code.to_owned()), "{args:?}");
    }
    let given = tablet.ok(&["devices", "lock", "Telefoon"]);
    assert_eq!(given["kind"], "lock");
    assert!(given["handed_at"].is_number());
    let (code, lines) = phone.typing(&["sync"], "");
    assert_eq!((code, &lines[0]["locked_from_afar"]), (4, &json!(true)));
    phone.ok(&["sync"]);

    let (code, lines) = tablet.typing(&["devices", "wipe", "Telefoon"], "nee\n");
    assert_eq!((code, &lines[0]["error"]["code"]), (3, &json!("not_confirmed")));
    let (code, lines) = tablet.typing(&["devices", "wipe", "Telefoon"], "WISSEN\n");
    assert_eq!((code, &lines[0]["kind"]), (0, &json!("wipe")));
    let listed = tablet.ok(&["devices"])["devices"][0]["orders"].clone();
    assert_eq!((&listed[0]["kind"], &listed[1]["kind"]), (&json!("lock"), &json!("wipe")));
    assert!(tablet.says(&["devices"]).contains("of het gedaan is, is niet bekend"));

    // On the phone no PIN is typed: it may lie anywhere.
    let press = ["alarm", "press", "--kind", "test"];
    assert_eq!(phone.fails(&press), (3, "wiped_from_afar".to_owned()));
    assert_eq!(phone.fails(&press), (3, "not_activated".to_owned()));
    assert_eq!(phone.fails(&["status"]), (3, "not_activated".to_owned()));
    town.unplug();
    let (code, order) = tablet.run(&["devices", "wipe", "Telefoon", "--yes"]);
    assert_eq!((code, &order["handed_at"]), (6, &Value::Null), "kept, and handed in by the next sync");
}
