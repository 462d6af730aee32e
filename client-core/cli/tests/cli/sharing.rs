//! Sharing into a case and being informed, as a person and a program see it: previews, words that are asked for, and what
//! is refused.

use serde_json::json;

use super::Phone;
use super::circles::pair;
use super::relay::Town;

fn id(made: &serde_json::Value) -> String {
    made["record"].as_str().expect("an id").to_owned()
}

#[test]
fn sharing_shows_first_asks_for_a_word_and_names_the_rule_for_what_is_confidential() {
    let town = Town::found();
    let (phone, police) = (Phone::activated(&town), Phone::new());
    phone.ok(&["circle", "create", "case", "--name", "Zaak"]);
    phone.ok(&["circle", "create", "family", "--name", "Thuis"]);
    let incident = id(&phone.ok(&["record", "add", "incident", "what=Brief", "witnesses=De buurvrouw"]));
    let measure = id(&phone.ok(&["record", "add", "measure", "title=Camera", "contract=C-9", "origin=system"]));
    let home = id(&phone.ok(&["record", "add", "home", "address=Lindelaan 12"]));
    pair(&phone, &police, "Recherche", &["circle", "invite", "zaak", "CODE"]);
    phone.ok(&["sync"]);

    for (args, code) in [
        (&["share", &home, "--with", "zaak", "--yes"][..], "not_shared"),
        (&["share", &incident, "--with", "thuis", "--yes"], "not_shared"),
        (&["share", &incident, "--with", "dossier", "--yes"], "not_shared"),
        (&["share", &incident, "--with", "nergens", "--yes"], "no_such_circle"),
        (&["share", "ffffffff", "--with", "zaak", "--yes"], "no_such_record"),
        (&["share", &incident, "--with", "zaak", "--yes", "--without", "weer"], "unknown_field"),
        (&["share", &incident, "--with", "zaak", "--yes", "--attachment", "ab"], "no_such_attachment"),
        (&["share", &incident, "--with", "zaak"], "share_not_confirmed"),
        (&["share", &measure, "--with", "zaak", "--yes"], "confidential"),
        (&["record", "add", "--circle", "zaak", "measure", "title=Camera", "confidential=true"], "confidential"),
        (&["share", "withdraw", &incident, "--with", "zaak"], "not_shared_there"),
        (&["briefing", "add", "--no-news", "--next", "2020-01-01"], "briefing_empty"),
        (&["briefing", "add", "--no-news", "--next", "straks"], "value_not_time"),
    ] {
        assert_eq!(phone.fails(args), (3, code.to_owned()), "{args:?}");
    }
    for args in [&["share"][..], &["share", &incident], &["briefing", "add"], &["share", "list", "--with", "zaak"]] {
        assert_eq!(phone.command(args).output().expect("baken runs").status.code(), Some(2), "{args:?}");
    }

    // What people see before anything goes, and with the right word it goes.
    let shown = phone.says(&["share", &incident, "--with", "zaak", "--without", "why", "--preview"]);
    assert!(shown.contains("Gaat naar Zaak") && shown.contains("gegevens van een ander"), "{shown}");
    assert!(shown.contains("Gelezen door: Recherche"), "{shown}");
    assert!(phone.says(&["share", "list"]).contains("Er is niets gedeeld"));
    let typed = |args: &[&str], word: &str| phone.typing(args, word);
    assert_eq!(typed(&["share", &incident, "--with", "zaak"], "ja\n").0, 3);
    let (code, lines) = typed(&["share", &incident, "--with", "zaak"], "DELEN\n");
    assert_eq!((code, &lines[1]["shared"]), (0, &json!(incident)), "{lines:?}");
    let (code, lines) = typed(&["share", &measure, "--with", "zaak"], "BESLOTEN\n");
    assert_eq!((code, &lines[1]["rule"]), (0, &json!("R11")), "{lines:?}");
    assert!(
        lines[1]["confidential"].as_str().is_some_and(|said| said.contains("bron:")),
        "its source is named: {lines:?}"
    );
    phone.ok(&["sync"]);
    police.ok(&["sync"]);
    // Whoever finds it by its words has seen it, and the log says so.
    let found = police.ok(&["record", "search", "Brief"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    police.ok(&["sync"]);
    phone.ok(&["sync"]);
    let log = phone.says(&["share", "log", &incident]);
    assert!(log.contains("Recherche") && log.contains("getoond zoals het er staat"), "{log}");
    let seen = police.says(&["record", "list"]);
    assert!(seen.contains("vertrouwelijk") && seen.contains("Camera"), "the reader sees the label: {seen}");
    assert!(police.says(&["record", "list", "--circle", "zaak"]).contains("Brief"));
    police.ok(&["briefing", "add", "--told", "Er wordt gezocht", "--next", "2099-01-01"]);
    police.ok(&["sync"]);
    phone.ok(&["sync"]);
    let log = phone.says(&["share", "log", &incident]);
    assert!(log.contains("Recherche") && log.contains("getoond zoals het er staat"), "{log}");
    let briefed = phone.says(&["briefing", "list"]);
    assert!(briefed.contains("Er wordt gezocht") && briefed.contains("volgende op"), "{briefed}");
    phone.ok(&["record", "set", &incident, "what=Brief met kogel"]);
    assert!(phone.says(&["share", "list"]).contains("thuis anders: what"));

    // Whoever is let in later reads them too, and that is asked.
    let guest = Phone::new();
    let relay = phone.ok(&["pair", "relay"])["relay"].as_str().expect("a text").to_owned();
    let mut showing = guest.start(&["pair", "show", "--relay", &relay, "--name", "Adviseur"]);
    let code = showing.line_where(|line| line["step"] == "code")["text"].as_str().expect("a text").to_owned();
    assert_eq!(phone.fails(&["circle", "invite", "zaak", &code]), (3, "confidential".to_owned()));
    drop(showing);

    phone.ok(&["share", "withdraw", &incident, "--with", "zaak"]);
    assert!(phone.says(&["share", "list"]).contains("teruggehaald"));
    let folder = phone.folder.path().join("leesbaar");
    let said = phone.says(&["export", "--clear", folder.to_str().expect("a path"), "--yes"]);
    assert!(said.contains("Niet meegegaan, want vertrouwelijk: 2") && said.contains("R11"), "{said}");
    assert!(!std::fs::read_to_string(folder.join("dossier.json")).expect("a file").contains("Camera"));
    let folder = phone.folder.path().join("alles");
    let all = phone.ok(&["export", "--clear", folder.to_str().expect("a path"), "--yes", "--with-confidential"]);
    assert_eq!((&all["kept_in"], &all["costs"]), (&json!([]), &json!(2)), "at home and in the case");
    assert!(std::fs::read_to_string(folder.join("dossier.json")).expect("a file").contains("Camera"));
}
