//! `baken check-in`: what it answers, what it sends, and what it says to who types nonsense.

use serde_json::json;

use crate::relay::Town;
use crate::{PIN, Phone, ended};

#[test]
fn a_check_in_is_started_extended_and_settled_and_lists_how_it_stands() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let notes_before = town.notes_of_duress().len();
    let started = phone.ok(&["check-in", "start", "--for", "2h30m", "--place", "Dorpsstraat 1", "--grace", "10m"]);
    assert_eq!((&started["state"], &started["extension_waits"]), (&json!("running"), &json!(false)));
    assert_eq!(started["text"], "Plaats: Dorpsstraat 1");
    let (due, raise) = (started["due_at"].as_i64().unwrap(), started["raise_at"].as_i64().unwrap());
    assert_eq!(raise - due, 600_000);
    let id = started["check_in"].as_str().unwrap();
    let extended = phone.ok(&["check-in", "extend", &id[..8], "--for", "4h"]);
    assert!(extended["due_at"].as_i64().unwrap() > due + 5_000_000);
    phone.ok(&["check-in", "renew", "--position", "52.1,5.2,10"]);
    let timers = town.timers();
    let sent: Vec<_> = timers.iter().map(|timers| (timers.seq, timers.due_in_s.is_some())).collect();
    assert_eq!(sent, [(1, true), (2, true), (3, false)]);
    assert!(timers[0].due_in_s.unwrap().abs_diff(9_000) < 60);
    let listed = phone.ok(&["check-in", "list"]);
    assert_eq!(listed["check_ins"][0]["check_in"], id);
    let settled = phone.ok(&["check-in", "settle"]);
    assert_eq!(settled["state"], "settled");
    assert_eq!(phone.fails(&["check-in", "settle", id]), (3, "check_in_over".to_owned()));
    assert_eq!(phone.fails(&["check-in", "extend", id, "--for", "1h"]), (3, "check_in_over".to_owned()));
    // One note when it was started, one when it was extended, one in the settlement, two of the tries that failed.
    assert!(town.notes_of_duress().len() > notes_before + 2);
    let said = phone.says(&["check-in", "list"]);
    assert!(said.contains("afgemeld"), "{said}");
}

#[test]
fn a_wrong_pin_settles_nothing_and_a_duress_pin_is_answered_like_the_true_one() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let mut add = phone.command(&["pin", "duress", "add"]);
    assert_eq!(ended(add.env("BAKEN_NEW_PIN", "735519")).0, 0);
    let settle = |pin: &str| {
        let mut command = phone.command(&["check-in", "settle"]);
        ended(command.env("BAKEN_PIN", pin))
    };
    let answers = [PIN, "735519"].map(|pin| {
        phone.ok(&["check-in", "start", "--for", "1h"]);
        let (code, mut settled) = settle(pin);
        assert_eq!(code, 0, "{settled}");
        for changing in ["check_in", "started_at", "due_at", "raise_at", "renewed_at"] {
            settled[changing] = json!(null);
        }
        settled
    });
    assert_eq!(answers[0], answers[1]);
    phone.ok(&["check-in", "start", "--for", "1h"]);
    let (code, refused) = settle("000000");
    assert_eq!((code, refused["error"]["code"].as_str()), (4, Some("wrong_pin")));
    assert_eq!(phone.ok(&["check-in", "list"])["check_ins"][0]["state"], "running");
    assert_eq!(town.notes_of_duress().iter().filter(|duress| **duress).count(), 1);
}

#[test]
fn what_is_not_at_the_relay_is_said_and_sent_later() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    town.unplug();
    let (code, started) = phone.run(&["check-in", "start", "--until", "23:59"]);
    assert_eq!((code, started["state"].as_str()), (6, Some("not-at-relay")));
    assert!(started["words"][0].as_str().unwrap().contains("nog niet bij de server"));
    let (code, settled) = phone.run(&["check-in", "settle"]);
    assert_eq!((code, settled["state"].as_str()), (6, Some("settling")));
}

#[test]
fn nonsense_is_answered_in_words() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    for (args, code) in [
        (&["start", "--for", "0s"][..], "check_in_time"),
        (&["start", "--for", "3650d"], "check_in_time"),
        (&["start", "--for", "8d"], "check_in_time"),
        (&["start", "--for", "1h", "--grace", "2h"], "check_in_time"),
        (&["start", "--for", "1h", "--silent-after", "0s"], "check_in_time"),
        (&["start", "--for", "99999999999999999d"], "check_in_end"),
        (&["start", "--until", "25:00"], "check_in_end"),
        (&["start", "--for", "1h", "--grace", "kort"], "span"),
        (&["every", "23:61"], "time_of_day"),
        (&["every", "23:00", "--days", "feestdag"], "days"),
        (&["settle"], "no_such_check_in"),
        (&["every", "--end", "7"], "no_such_check_in"),
    ] {
        let all = [&["check-in"][..], args].concat();
        let (exit, found) = phone.fails(&all);
        assert_eq!(found, code, "{args:?}");
        assert!(matches!(exit, 2 | 3), "{args:?}: {exit}");
    }
    assert_eq!(phone.ok(&["check-in", "list"])["check_ins"], json!([]));
    assert!(town.timers().is_empty());
}

#[test]
fn one_that_comes_back_runs_at_once_and_again_when_it_is_settled() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let rules = phone.ok(&["check-in", "every", "23:00", "--days", "ma,di,wo,do,vr,za,zo", "--note", "Elke avond"]);
    assert_eq!(
        (&rules["rules"][0]["minute"], &rules["rules"][0]["weekdays"]),
        (&json!(1380), &json!([0, 1, 2, 3, 4, 5, 6]))
    );
    let first = phone.ok(&["check-in", "list"])["check_ins"][0].clone();
    assert_eq!((first["state"].as_str(), first["rule"].as_i64()), (Some("running"), Some(1)));
    phone.ok(&["check-in", "settle"]);
    phone.ok(&["check-in", "renew"]);
    let listed = phone.ok(&["check-in", "list"]);
    let next = &listed["check_ins"][0];
    assert_eq!(next["state"], "running");
    assert!(next["due_at"].as_i64().unwrap() > first["due_at"].as_i64().unwrap() + 22 * 3_600_000);
    assert_eq!(phone.ok(&["check-in", "every", "--end", "1"])["rules"], json!([]));
}

#[test]
fn watching_renews_and_says_when_something_is_due() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    phone.ok(&["check-in", "start", "--for", "61s", "--grace", "1h"]);
    let mut watching = phone.start(&["check-in", "watch", "--timeout", "120"]);
    let soon = watching.line_where(|line| line.get("news").is_some());
    assert_eq!(soon["news"], "soon");
    assert_eq!(soon["check_in"], phone.ok(&["check-in", "list"])["check_ins"][0]["check_in"]);
}
