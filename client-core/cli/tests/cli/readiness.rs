//! `baken readiness`: found by the phone, said by its person, shared by nobody else.

use baken_schemas::record::words::HomeMark;
use serde_json::{Value, json};

use super::Phone;
use super::relay::Town;

fn steps(view: &Value) -> Vec<(&str, &str)> {
    let steps = view["steps"].as_array().expect("steps").iter();
    steps.map(|one| (one["step"].as_str().expect("a step"), one["ready"].as_str().expect("a word"))).collect()
}

fn done(view: &Value) -> Vec<&str> {
    steps(view).into_iter().filter(|(_, ready)| *ready == "done").map(|(step, _)| step).collect()
}

#[test]
fn the_phone_finds_what_is_done_and_takes_its_persons_word_for_the_rest() {
    let phone = Phone::activated(&Town::found());
    let fresh = phone.ok(&["readiness"]);
    assert_eq!((steps(&fresh).len(), done(&fresh).len(), &fresh["consent"]), (7, 0, &json!("withheld")));
    phone.ok(&["record", "add", "contact", "name=Sam", "phone=0612345678", "emergency=true"]);
    phone.ok(&["record", "add", "home", &format!("pkvw={}", HomeMark::UnderWay.tag())]);
    phone.ok(&["record", "add", "measure", "title=Scan", "type=home-scan", "status=wished"]);
    phone.ok(&["record", "add", "training", "title=Agressie", "done_at=2026-01-15"]);
    assert_eq!(done(&phone.ok(&["readiness"])), ["contacts", "home-label", "training"]);
    // A scan that was begun is not one that was had.
    phone.ok(&["scan", "start", "--gate", "no"]);
    for question in 1..=20 {
        let number = question.to_string();
        assert!(!done(&phone.ok(&["readiness"])).contains(&"self-scan"), "before {number}");
        phone.ok(&["scan", "answer", &number, "unknown"]);
    }
    assert!(done(&phone.ok(&["readiness"])).contains(&"self-scan"));
    phone.ok(&["scan", "start", "--again"]);
    assert!(done(&phone.ok(&["readiness"])).contains(&"self-scan"), "the round before counts");

    let said = phone.ok(&["readiness", "say", "home-scan", "na"]);
    assert!(steps(&said).contains(&("home-scan", "na")));
    assert!(done(&phone.ok(&["readiness", "say", "start-pack", "done"])).contains(&"start-pack"));
    assert!(!done(&phone.ok(&["readiness", "say", "start-pack", "found"])).contains(&"start-pack"));
    assert_eq!(phone.fails(&["readiness", "say", "mood", "done"]), (2, "usage".to_owned()));
    let told = phone.says(&["readiness"]);
    assert!(told.contains("Uw adviseur ziet dit niet") && told.contains("Zelfscan gedaan: klaar"), "{told}");
}

#[test]
fn consent_is_kept_without_a_network_and_so_is_its_withdrawal() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    phone.ok(&["sync"]);
    drop(town);
    assert_eq!(phone.fails(&["readiness", "share"]).0, 6);
    assert_eq!(phone.ok(&["readiness"])["consent"], "given");
    assert_eq!(phone.fails(&["readiness", "withhold"]).0, 6);
    assert_eq!(phone.ok(&["readiness"])["consent"], "withdrawing");
}
