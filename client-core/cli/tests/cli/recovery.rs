//! The recovery code, and setting aside a device whose PIN is forgotten.

use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use baken_schemas::recovery::{RecoveryCode, RecoverySheet};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use super::relay::Town;
use super::{Phone, ended};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

#[test]
fn a_wrong_letter_in_the_recovery_code_names_its_group() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let sheet = RecoverySheet {
        org: OrgId(baken_schemas::crypto::Hash([1; 32])),
        relay_url: "https://127.0.0.1:1".to_owned(),
        tls_root_sha256: [2; 32],
        account: AccountId::make(&mut rng),
    };
    let (sheet, code) = (sheet.to_text(), RecoveryCode::make(&mut rng).to_text());
    let phone = Phone::new();
    let restore = ["recovery", "restore", "--sheet", sheet.as_str()];
    let mut groups: Vec<String> = code.split('-').map(str::to_owned).collect();
    assert_eq!(groups.len(), 7);
    let wrong = if groups[2].starts_with('X') { "Y" } else { "X" };
    groups[2].replace_range(..1, wrong);
    for (lang, message) in [("nl", "groep 3"), ("en", "group 3")] {
        let args = [&["--lang", lang], &restore[..]].concat();
        let (exit, lines) = phone.typing(&args, &format!("{}\n", groups.join("-")));
        let error = &lines.last().expect("a line")["error"];
        assert_eq!((exit, &error["code"]), (3, &json!("recovery_code")));
        assert!(text(&error["message"]).contains(message), "{error}");
        // What was typed comes back nowhere.
        assert!(!error.to_string().contains(&groups[0]));
    }
    for (input, code) in [("", "code_missing"), ("\n", "code_missing"), ("ABCDE\n", "recovery_code")] {
        let (exit, lines) = phone.typing(&restore, input);
        assert_eq!((exit, &lines.last().expect("a line")["error"]["code"]), (3, &json!(code)), "{input:?}");
    }
    assert_eq!(
        phone.fails(&["recovery", "restore", "--sheet", &sheet[..sheet.len() - 4]]),
        (3, "recovery_sheet".to_owned())
    );
    // A right one is looked for at the relay, and nothing is left of a try.
    let (exit, lines) = phone.typing(&restore, &format!("{}\n", code.to_lowercase().replace('-', " ")));
    assert_eq!((exit, &lines.last().expect("a line")["error"]["code"]), (6, &json!("not_reached")));
    assert_eq!(phone.fails(&["status"]), (3, "not_activated".to_owned()));
}

#[test]
fn the_code_on_paper_brings_the_account_back_and_only_the_newest_does() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let made = phone.ok(&["record", "add", "contact", "name=Joris", "phone=0687654321"]);
    phone.ok(&["sync"]);
    let first = phone.ok(&["recovery", "print"]);
    let (old, sheet) = (text(&first["code"]), text(&first["sheet"]));
    assert_eq!(phone.ok(&["circle", "show"])["recoverable"], true);

    // From now on the root is not here: the old code is asked for.
    assert_eq!(phone.fails(&["recovery", "print"]), (3, "code_missing".to_owned()));
    let (exit, lines) = phone.typing(&["recovery", "print"], &format!("{old}\n"));
    assert_eq!((exit, &lines[0]["step"]), (0, &json!("type_old_code")));
    let new = text(&lines[1]["code"]);
    assert_ne!(old, new);
    phone.ok(&["sync"]);

    let restored = Phone::new();
    let restore = ["recovery", "restore", "--sheet", sheet.as_str(), "--name", "Nieuw"];
    let (exit, lines) = restored.typing(&restore, &format!("{old}\n"));
    assert_eq!((exit, &lines[0]["error"]["code"]), (3, &json!("recovery_unknown")));
    let (exit, lines) = restored.typing(&restore, &format!("{new}\n"));
    assert_eq!((exit, &lines[0]["recovered"]), (0, &json!(true)), "{lines:?}");
    assert!(lines[0]["older_state_possible_since"].is_number());
    let record = text(&made["record"]);
    assert_eq!(restored.ok(&["record", "show", &record])["fields"]["name"], "Joris");
    let devices = restored.ok(&["devices"])["devices"].clone();
    assert_eq!(devices.as_array().map(Vec::len), Some(1), "the lost one is out: {devices}");
    assert!(restored.says(&["status"]).contains("Teruggehaald met de herstelcode"));
    assert_eq!(restored.typing(&restore, &format!("{new}\n")).0, 3, "there is a device already");
}

#[test]
fn people_see_the_code_in_groups_with_the_warning_and_the_sheet() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let said = phone.says(&["recovery", "print"]);
    for part in ["1. ", "7. ", "BAKEN-SHEET:", "maar een keer getoond", "geen foto"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_device_with_a_forgotten_pin_is_set_aside_whole_and_opens_there() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    phone.ok(&["record", "add", "note", "title=Oud"]);
    let mut watching = phone.start(&["sync", "--watch"]);
    watching.line_where(|line| line["sent"].is_number() || line["error"].is_object());
    assert_eq!(phone.fails(&["recovery", "set-aside", "--yes"]), (1, "home_in_use".to_owned()));
    drop(watching);
    let (exit, lines) = phone.typing(&["recovery", "set-aside"], "ja\n");
    assert_eq!((exit, &lines[0]["error"]["code"]), (3, &json!("not_set_aside")));
    phone.ok(&["status"]);

    let (exit, lines) = phone.typing(&["recovery", "set-aside"], "OPZIJ\n");
    assert_eq!((exit, &lines[0]["alarms_not_sent"]), (0, &json!(0)), "{lines:?}");
    let aside = text(&lines[0]["set_aside"]);
    assert!(aside.ends_with("set-aside-1"));
    assert_eq!(phone.fails(&["status"]), (3, "not_activated".to_owned()));
    phone.ok(&["activate", &town.invite(), "--name", "Opnieuw"]);
    assert_eq!(phone.ok(&["record", "list", "note"])["records"], json!([]));
    let (exit, old) = ended(phone.command(&["record", "list", "note"]).args(["--home", &aside]));
    assert_eq!((exit, &old["records"][0]["fields"]["title"]), (0, &json!("Oud")));
}
