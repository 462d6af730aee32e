//! `baken scan`: the gate, the questions, and that answers stay where they are.

use serde_json::{Value, json};

use super::Phone;
use super::relay::Town;

fn result(phone: &Phone) -> Value {
    phone.ok(&["scan", "result"])["result"].clone()
}

#[test]
fn i8_whoever_is_in_danger_gets_cards_and_contacts_and_no_scan() {
    let phone = Phone::new();
    let danger = phone.without_pin(&["scan", "start", "--gate", "yes"]);
    assert_eq!((&danger["danger"], &danger["contacts"][0]["number"]), (&json!(true), &json!("112")));
    assert_eq!(danger["cards"][0]["id"], "immediate-danger");
    assert_eq!(danger["next"], Value::Null);
    let said = phone.says(&["scan", "start", "--gate", "yes"]);
    assert!(said.contains("112") && !said.contains("baken scan answer"), "{said}");
    let questions = phone.without_pin(&["--lang", "en", "scan", "questions"]);
    assert_eq!(questions["questions"].as_array().map(Vec::len), Some(20));
    assert_eq!(phone.fails(&["scan"]), (3, "not_activated".to_owned()), "answers need a vault");
}

#[test]
fn the_scan_is_answered_resumed_made_a_task_and_forgotten_and_nothing_of_it_is_sent() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    phone.ok(&["sync"]);
    let begun = phone.ok(&["scan"]);
    assert!(begun["gate"].is_string() && begun["next"].is_null(), "{begun}");
    assert_eq!(phone.fails(&["scan", "answer", "1", "no"]), (3, "scan_gate".to_owned()));
    assert_eq!(phone.ok(&["scan", "start", "--gate", "no"])["next"]["id"], 1);

    let answered = phone.ok(&["scan", "answer", "1", "no"]);
    assert_eq!((&answered["tip"]["question"], &answered["next"]["id"]), (&json!(1), &json!(2)));
    assert_eq!(phone.ok(&["scan", "answer", "2", "yes"])["tip"], Value::Null);
    assert_eq!(phone.ok(&["scan", "answer", "5", "yes"])["tip"]["question"], 5, "reversed");
    assert_eq!(phone.fails(&["scan", "answer", "2", "na"]), (3, "not_an_answer".to_owned()));
    assert_eq!(phone.fails(&["scan", "answer", "99", "no"]), (3, "no_such_question".to_owned()));
    assert_eq!(phone.fails(&["scan", "answer", "2", "perhaps"]), (2, "usage".to_owned()));
    let resumed = phone.ok(&["scan"]);
    assert_eq!((&resumed["next"]["id"], &resumed["answered"]), (&json!(3), &json!(3)));
    let found = result(&phone);
    assert_eq!((found["first"].as_array().map(Vec::len), &found["rest"]), (Some(2), &json!([])));
    assert_eq!(found["first"][0]["question"], 1, "the more urgent one");

    // None of it is a record of a circle, or waits to be sent.
    assert_eq!(phone.ok(&["status"])["pending"], 0);
    assert_eq!(phone.ok(&["record", "list", "scan"])["records"], json!([]));
    assert_eq!(phone.fails(&["record", "add", "scan", "question=1"]), (3, "not_shared".to_owned()));

    // What leaves is one tip, by an act of its own, and not the answer.
    let task = phone.ok(&["scan", "task", "1", "--by", "2027-01-15"]);
    let record = phone.ok(&["record", "show", task["record"].as_str().expect("an id")]);
    assert_eq!((&record["kind"], &record["fields"]["status"]), (&json!("measure"), &json!("wished")));
    assert!(record["fields"]["due"].is_number() || record["fields"]["due"].is_string(), "{record}");
    assert_eq!(phone.fails(&["scan", "task", "2", "--by", "2027-01-15"]), (3, "no_tip".to_owned()));
    assert_eq!(phone.fails(&["scan", "task", "3", "--by", "2027-01-15"]), (3, "no_tip".to_owned()), "not answered");
    let shared = phone.ok(&["scan", "share", "1"]);
    assert!(shared["text"].as_str().is_some_and(|text| text.contains("PKVW")), "{shared}");
    for (kind, name) in [("family", "Familie"), ("case", "Zaak")] {
        phone.ok(&["circle", "create", kind, "--name", name]);
    }
    assert_eq!(phone.fails(&["scan", "share", "1", "--circle", "Familie"]), (3, "not_shared".to_owned()));
    phone.ok(&["scan", "share", "1", "--circle", "Zaak"]);
    let notes = phone.ok(&["record", "list", "note"])["records"].clone();
    assert_eq!(notes.as_array().map(Vec::len), Some(1));
    assert!(!notes.to_string().contains("\"no\""), "{notes}");

    phone.ok(&["scan", "start", "--again"]);
    assert_eq!(result(&phone)["answered"], 0);
    phone.ok(&["scan", "answer", "1", "yes"]);
    let changes = phone.ok(&["scan", "changes"])["changes"].clone();
    assert_eq!(
        (&changes[0]["question"], &changes[0]["change"], changes.as_array().map(Vec::len)),
        (&json!(1), &json!("solved"), Some(1))
    );
    let said = phone.says(&["scan", "changes"]);
    assert!(said.contains("nee > ja") && said.contains("opgelost"), "{said}");
    phone.ok(&["scan", "clear"]);
    assert_eq!(result(&phone)["answered"], 0);
    assert_eq!(phone.ok(&["scan", "changes"])["changes"], json!([]));
    assert!(phone.ok(&["scan"])["gate"].is_string(), "it begins anew");
}

#[test]
fn tips_follow_the_office_of_the_profile_and_the_readers_language() {
    let phone = Phone::activated(&Town::found());
    phone.ok(&["scan", "start", "--gate", "no"]);
    let anybody = phone.ok(&["scan", "answer", "1", "unknown"])["tip"].clone();
    phone.ok(&["record", "add", "profile", "office=raadslid"]);
    let councillor = phone.ok(&["scan", "answer", "1", "unknown"])["tip"].clone();
    assert_ne!(anybody["tip"], councillor["tip"]);
    let mayor = phone.ok(&["scan", "--office", "mayor", "answer", "1", "unknown"])["tip"].clone();
    assert_eq!(anybody["tip"], mayor["tip"]);
    let said = phone.says(&["--lang", "en", "scan", "result"]);
    assert!(said.contains("Do first") && said.contains("1 of 20 answered") && said.contains("Talk about it"), "{said}");
}

#[test]
fn answers_are_in_the_persons_own_export_and_come_back_from_it() {
    let town = Town::found();
    let (phone, other) = (Phone::activated(&town), Phone::activated(&town));
    phone.ok(&["scan", "start", "--gate", "no"]);
    for (question, reply) in [("1", "no"), ("3", "unknown"), ("7", "na")] {
        phone.ok(&["scan", "answer", question, reply]);
    }
    let path = phone.folder.path().join("dossier.baken").display().to_string();
    let exported = phone.ok(&["export", &path]);
    assert_eq!(exported["records"], 3);
    let code = exported["code"].as_str().expect("a code");
    let import = || {
        let (exit, lines) = other.typing(&["import", &path], code);
        assert_eq!(exit, 0, "{lines:?}");
        lines.last().expect("a line").clone()
    };
    assert_eq!(import()["made"], 3);
    assert_eq!(result(&other), result(&phone));
    let again = import();
    assert_eq!((&again["made"], &again["unchanged"]), (&json!(0), &json!(3)));
    other.ok(&["scan", "start", "--gate", "no"]);
    other.ok(&["scan", "answer", "1", "yes"]);
    import();
    assert_eq!(result(&other)["first"].as_array().map(Vec::len), Some(1), "what is here stays");
    assert_eq!(other.ok(&["record", "list", "scan"])["records"], json!([]), "and it is no record of a circle");

    let folder = phone.folder.path().join("leesbaar").display().to_string();
    phone.ok(&["export", "--clear", &folder, "--yes"]);
    let written = std::fs::read_to_string(format!("{folder}/dossier.json")).expect("it is there");
    assert!(written.contains("\"scan\"") && written.contains("\"unknown\""), "{written}");
}
