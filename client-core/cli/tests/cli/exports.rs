//! `baken export` and `baken import`: the code, the warning, what is refused.

use serde_json::json;

use super::Phone;
use super::relay::Town;

#[test]
fn a_dossier_is_written_sealed_and_read_by_another_phone() {
    let town = Town::found();
    let (phone, other) = (Phone::activated(&town), Phone::activated(&town));
    drop(town);
    let path = phone.folder.path().join("dossier.baken").display().to_string();
    phone.ok(&["record", "add", "contact", "name=Sam", "phone=0612345678"]);
    let exported = phone.ok(&["export", &path]);
    assert_eq!((&exported["records"], &exported["not_here"]), (&json!(1), &json!([])));
    let code = exported["code"].as_str().expect("a code");
    assert_eq!(phone.fails(&["export", &path]), (3, "file_exists".to_owned()));
    let said = phone.says(&["--lang", "en", "export", &path, "--force"]);
    assert!(said.contains("7. ") && said.contains("different places"), "{said}");
    assert!(!said.contains(code), "every export has a code of its own");

    let exported = phone.ok(&["export", &path, "--force"]);
    let code = exported["code"].as_str().expect("a code");
    let wrong = format!("{}{}{}", &code[..8], if &code[8..9] == "7" { "8" } else { "7" }, &code[9..]);
    let (exit, lines) = other.typing(&["import", &path], &wrong);
    let error = &lines.last().expect("a line")["error"];
    assert_eq!((exit, &error["code"]), (3, &json!("export_code")));
    assert!(error["message"].as_str().is_some_and(|said| said.contains("groep 2")), "{error}");
    let (exit, lines) = other.typing(&["import", &path], &code.to_lowercase());
    let report = lines.last().expect("a line");
    assert_eq!((exit, &report["made"], &report["left_out"]), (0, &json!(1), &json!([])), "{report}");
    let (exit, lines) = other.typing(&["import", &path], code);
    assert_eq!((exit, &lines.last().expect("a line")["unchanged"]), (0, &json!(1)));
    assert_eq!(other.ok(&["record", "list", "contact"])["records"][0]["fields"]["name"], "Sam");
    assert_eq!(other.typing(&["import", &path], "").0, 3, "no code");
    std::fs::write(&path, b"iets anders").expect("a file");
    let (exit, lines) = other.typing(&["import", &path], code);
    assert_eq!((exit, &lines[0]["error"]["code"]), (3, &json!("export_invalid")));
}

#[test]
fn a_readable_folder_comes_with_a_warning_and_a_word() {
    let phone = Phone::activated(&Town::found());
    let folder = phone.folder.path().join("leesbaar");
    let path = folder.display().to_string();
    phone.ok(&["record", "add", "contact", "name=Sam"]);
    let (exit, lines) = phone.typing(&["export", "--clear", &path], "ja\n");
    assert_eq!((exit, &lines.last().expect("a line")["error"]["code"]), (3, &json!("not_exported")));
    assert!(lines[0]["warning"].as_str().is_some_and(|said| said.contains("leest alles")));
    assert!(!folder.exists());
    let (exit, _) = phone.typing(&["export", "--clear", &path], "LEESBAAR\n");
    assert_eq!(exit, 0);
    let written = std::fs::read_to_string(folder.join("dossier.json")).expect("it is there");
    assert!(written.contains("\"Sam\""));
    assert_eq!(phone.fails(&["export", "--clear", &path, "--yes"]), (3, "file_exists".to_owned()));
    let said = phone.says(&["--lang", "en", "export", "--clear", &format!("{path}-2"), "--yes"]);
    assert!(said.contains("reads everything"), "{said}");
    assert_eq!(phone.fails(&["export"]), (2, "usage".to_owned()));
    assert_eq!(phone.fails(&["export", "x", "--clear", "y"]), (2, "usage".to_owned()));
}
