//! `baken rights`: the rules on the command line, without PIN where the office is given.

use serde_json::{Value, json};

use super::Phone;
use super::relay::Town;

fn codes(decision: &Value) -> Vec<&str> {
    decision["answers"]
        .as_array()
        .expect("answers")
        .iter()
        .map(|answer| answer["code"].as_str().expect("a code"))
        .collect()
}

fn answer<'a>(decision: &'a Value, code: &str) -> &'a Value {
    let mut answers = decision["answers"].as_array().expect("answers").iter();
    answers.find(|answer| answer["code"] == code).unwrap_or_else(|| panic!("no {code} in {decision}"))
}

#[test]
fn danger_gives_112_and_nothing_else_without_a_pin() {
    let phone = Phone::new();
    let danger = phone.without_pin(&["rights", "--office", "mayor", "--threat", "danger", "--measure", "system"]);
    assert_eq!(codes(&danger), ["call-emergency"]);
    assert_eq!(danger["answers"][0]["contacts"][0]["number"], "112");
    assert_eq!((&danger["sharing"], &danger["gaps"]), (&json!([]), &json!([])));
    let said = phone.says(&["rights", "--office", "mayor", "--threat", "danger"]);
    assert!(said.contains("112") && said.contains("R01") && !said.contains("R06"), "{said}");
}

#[test]
fn rights_change_with_office_and_day_and_say_what_they_rest_on() {
    let phone = Phone::new();
    let on = |office, day| phone.without_pin(&["rights", "--office", office, "--on", day]);
    let (before, after) = (on("alderman", "2023-12-31"), on("alderman", "2024-01-01"));
    let ids = |decision: &Value| -> Vec<String> {
        let facts = answer(decision, "entitled-to-measures")["facts"].as_array().expect("facts").clone();
        facts.iter().map(|fact| fact["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert!(ids(&before).contains(&"measures-maximum".to_owned()), "{before}");
    assert!(ids(&after).contains(&"measures-2024".to_owned()) && !ids(&after).contains(&"measures-maximum".to_owned()));
    let fact = &answer(&after, "entitled-to-measures")["facts"][0];
    assert_eq!((&fact["status"], &fact["source_date"]), (&json!("confirmed"), &json!("2023-10-30")));
    assert!(fact["sources"][0]["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert_eq!(answer(&after, "entitled-to-measures")["rule"], "R06");
    assert!(codes(&on("councillor", "2024-01-01")).contains(&"outside-scheme"));
    // Before any scheme it is said that there is none, and which facts that is about.
    let early = on("alderman", "2020-01-01");
    assert!(!codes(&early).contains(&"entitled-to-measures"));
    assert_eq!(early["gaps"][0]["wanted"][0]["id"], "entitled-executives");

    let said =
        phone.says(&["--lang", "en", "rights", "--office", "mayor", "--threat", "concrete", "--on", "2026-11-27"]);
    for part in ["Why: rule R09, Leidraad L44", "Not confirmed yet. Check at", "[source: ", "0900-8844"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = phone.says(&["rights", "--office", "mayor", "--measure", "system"]);
    assert!(said.contains("Gezin: niet delen") && said.contains("R11"), "{said}");
}

#[test]
fn the_profile_says_the_office_and_whether_the_residence_is_known() {
    let phone = Phone::new();
    assert_eq!(phone.fails(&["rights"]), (3, "office_missing".to_owned()));
    assert_eq!(
        phone.fails(&["rights", "--office", "mayor", "--organisation", "province"]),
        (3, "office_elsewhere".to_owned())
    );
    assert_eq!(phone.fails(&["rights", "--office", "major"]), (2, "usage".to_owned()));
    assert_eq!(phone.fails(&["rights", "--office", "mayor", "--on", "2026-02-30"]), (2, "usage".to_owned()));

    let phone = Phone::activated(&Town::found());
    assert_eq!(phone.fails(&["rights"]), (3, "office_missing".to_owned()), "nobody said which");
    phone.ok(&["record", "add", "profile", "office=Burgemeester", "home_address=Dorpsstraat 1, Zandhoven"]);
    let decision = phone.ok(&["rights", "--threat", "concrete"]);
    assert_eq!(
        (&decision["situation"]["office"], &decision["situation"]["residence_known"]),
        (&json!("mayor"), &json!(true))
    );
    assert!(codes(&decision).contains(&"mayor-route") && !codes(&decision).contains(&"name-residence"));
}
