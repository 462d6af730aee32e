//! Guided steps as a program sees them: the four questions, signals, changes of life, the ways, reminders, the letter. None
//! needs the relay once the phone is activated.

use baken_schemas::record::words::Origin;
use serde_json::{Value, json};

use super::relay::Town;
use super::{Phone, ended};

/// A phone that is activated and has lost its network.
fn alone() -> (Town, Phone) {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    town.unplug();
    (town, phone)
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a Vec<Value> {
    answer[name].as_array().unwrap_or_else(|| panic!("{name}: {answer}"))
}

fn id(answer: &Value) -> String {
    answer["record"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The agenda of the coming years, with what each is about.
fn tasks(phone: &Phone) -> Vec<(String, String)> {
    let agenda = phone.ok(&["agenda", "--days", "3000", "--full"]);
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    list(&agenda, "agenda").iter().map(|item| (text(item, "about"), text(item, "record"))).collect()
}

#[test]
fn r05_the_four_questions_are_resumed_leave_tasks_and_end_with_whom_to_call() {
    let (_town, phone) = alone();
    assert_eq!(phone.fails(&["review", "show"]), (3, "no_review".to_owned()));
    assert_eq!(phone.fails(&["review", "answer", "1", "yes"]), (3, "no_review".to_owned()));
    let begun = phone.ok(&["review", "start", "--with", "Ans, adviseur"]);
    assert_eq!((&begun["next"], &begun["contacts"][0]["id"]), (&json!(1), &json!("support-team")), "no threshold");
    assert!(
        list(&begun, "answers").iter().all(|answer| answer["text"].as_str().is_some_and(|text| text.ends_with('?')))
    );
    let left = phone.ok(&["review", "answer", "1", "no", "--said", "plan is van 2022", "--by", "2031-01-15"]);
    assert_eq!((&left["next"], &left["task"]["done"]), (&json!(2), &json!(false)));
    // Gone on with, not begun anew.
    let resumed = phone.ok(&["review"]);
    assert_eq!(
        (&resumed["review"], &resumed["next"], &resumed["whom"]),
        (&begun["review"], &json!(2), &json!("Ans, adviseur"))
    );
    phone.ok(&["review", "answer", "2", "yes"]);
    phone.ok(&["review", "answer", "3", "open"]);
    let end = phone.ok(&["review", "answer", "4", "no"]);
    assert_eq!((&end["next"], list(&end, "tasks").len()), (&json!(null), 3));
    // Answered again: the same task on another day; and with a yes it is done.
    phone.ok(&["review", "answer", "1", "open", "--by", "2031-02-01"]);
    phone.ok(&["review", "answer", "4", "yes"]);
    let shown = phone.ok(&["review", "show"]);
    let open: Vec<&Value> = list(&shown, "tasks").iter().filter(|task| task["done"] == false).collect();
    assert_eq!(open.len(), 2);
    let told = phone.says(&["review", "show"]);
    for part in ["plan is van 2022", "nog open", "2031-02-01", "070-373 83 14", "een gevoel is genoeg"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Nothing of it is on a lock screen, and with a word the person sees what it is about.
    let agenda = phone.says(&["agenda", "--days", "3000"]);
    assert!(agenda.contains("Gesprek") && !agenda.contains("adviseur"), "{agenda}");
    assert!(tasks(&phone).iter().any(|(about, _)| about.contains("wat in het plan ontbreekt")));
    assert_eq!(phone.ok(&["review"])["review"], begun["review"], "read again, not begun anew");
    assert_ne!(phone.ok(&["review", "start", "--again"])["review"], begun["review"]);
    assert_eq!(phone.fails(&["review", "answer", "5", "no"]), (3, "no_such_review_question".to_owned()));
    assert_eq!(phone.command(&["review", "answer", "1", "maybe"]).output().expect("baken runs").status.code(), Some(2));
}

#[test]
fn signals_beside_each_other_say_which_belong_together_and_never_how_bad_it_is() {
    let (_town, phone) = alone();
    let first = id(&phone.ok(&["signal", "add", "Zelfde auto", "--place", "thuis", "--told", "driehoek"]));
    let alone = phone.ok(&["signal", "list"]);
    assert_eq!((list(&alone, "together").len(), list(&alone, "untold").len()), (0, 0));
    let second = id(&phone.ok(&["signal", "add", "Belt en zegt niets", "--place", " Thuis "]));
    phone.ok(&["signal", "add", "Lang geleden", "--at", "2020-01-01"]);
    let incident = id(&phone.ok(&["incident", "add", "--what", "Brief"]));
    phone.ok(&["incident", "link", &second, &incident]);
    let signals = phone.ok(&["signal", "list"]);
    assert_eq!(list(&signals, "signals").len(), 3, "what is long ago is on the timeline");
    let why = |why: &str| {
        let group = list(&signals, "together").iter().find(|group| group["why"] == why).expect("a group");
        list(group, "records").len()
    };
    assert_eq!((why("same-place"), why("same-time"), why("same-perpetrator")), (2, 3, 2));
    assert_eq!(signals["untold"], json!([second]));
    let said = phone.says(&["signal", "list"]);
    assert!(said.contains("Bespreek ze samen met de politie") && said.contains("bron: "), "{said}");
    phone.ok(&["signal", "told", &second, "police", "region", "--at", "2020-01-02"]);
    let told = phone.ok(&["signal", "list"]);
    assert_eq!(told["untold"], json!([]));
    assert!(phone.ok(&["record", "show", &first])["fields"]["driehoek_told_at"].is_i64());
    assert_eq!(phone.fails(&["signal", "told", &incident, "police"]), (3, "not_a_signal".to_owned()));
    assert_eq!(phone.fails(&["signal", "add", " "]), (3, "what_missing".to_owned()));
    assert_eq!(phone.fails(&["signal", "add", "x", "--at", "straks"]), (3, "value_not_time".to_owned()));
}

#[test]
fn leaving_office_shows_first_and_then_notes_the_end_and_leaves_tasks() {
    let (_town, phone) = alone();
    assert_eq!(phone.fails(&["life", "leave-office", "--office", "mayor"]), (3, "office_not_held".to_owned()));
    assert_eq!(phone.fails(&["life", "leave-office"]), (3, "office_missing".to_owned()));
    phone.ok(&["record", "add", "profile", "name=A. Testma", "office=wethouder", "organisation=Zandhoven"]);
    let camera = id(&phone.ok(&["record", "add", "measure", "title=Camera", "type=camera", "status=done"]));
    let origin = format!("origin={}", Origin::System.tag());
    phone.ok(&["record", "add", "measure", "title=Bewaking", &origin, "status=decided"]);
    phone.ok(&["record", "add", "measure", "title=Nooit", "status=not-wanted"]);
    phone.ok(&["record", "add", "subscription", "title=Alarmcentrale"]);
    let shown = phone.ok(&["life", "leave-office", "--on", "2031-03-31"])["plan"].clone();
    let points = list(&shown, "points");
    let of = |id: &str| points.iter().filter(|point| point["id"] == id).collect::<Vec<_>>();
    assert_eq!((of("measure").len(), of("measure-system").len(), of("subscription").len()), (1, 1, 1));
    assert_eq!((&of("measure")[0]["about"], &of("measure")[0]["named"]), (&json!(camera), &json!("Camera")));
    let facts: Vec<&Value> = list(of("rights")[0], "facts").iter().collect();
    assert_eq!((&facts[0]["id"], facts[1]["status"].as_str()), (&json!("measures-in-office"), Some("unconfirmed")));
    assert!(facts.iter().all(|fact| fact["source_date"].is_string()));
    // Nothing was done by showing it.
    assert_eq!(tasks(&phone), []);
    assert_eq!(phone.ok(&["life"])["offices"][0]["until"], json!(null));

    let (code, lines) = phone.typing(&["life", "leave-office", "--on", "2031-03-31", "--yes"], "");
    assert_eq!(code, 0, "{lines:?}");
    let done = lines[1]["done"].clone();
    let left = tasks(&phone);
    assert_eq!(left.len(), list(&done, "tasks").len());
    assert!(left.iter().any(|(about, _)| about.contains("meldkamer mijn alarm")));
    assert!(!left.iter().any(|(about, _)| about.contains("Bewaking")), "no task names a measure");
    let office = phone.ok(&["life"])["offices"][0].clone();
    assert_eq!(
        (&office["office"], &office["held"], office["until"].is_i64()),
        (&json!("alderman"), &json!(true), true)
    );
    // Twice is once, and a day that was moved is moved in the tasks.
    phone.ok(&["life", "leave-office", "--on", "2031-04-30", "--yes"]);
    assert_eq!(tasks(&phone).len(), left.len());
    phone.ok(&["life", "leave-office", "--on", "2020-01-01", "--yes"]);
    assert_eq!(phone.ok(&["life"])["offices"][0]["held"], false);
    assert_eq!(phone.fails(&["rights"]), (3, "office_missing".to_owned()));
    // Done is done.
    let (_, first) = tasks(&phone)[0].clone();
    phone.ok(&["agenda", "--done", &first, "--outcome", "geregeld"]);
    assert_eq!(tasks(&phone).len(), left.len() - 1);
    let profile = id(&phone.ok(&["record", "list", "profile"])["records"][0]);
    assert_eq!(phone.fails(&["agenda", "--done", &profile]), (3, "not_a_task".to_owned()));
}

#[test]
fn a_second_office_has_the_rules_of_both() {
    let (_town, phone) = alone();
    phone.ok(&["record", "add", "profile", "office=raadslid", "organisation=Zandhoven"]);
    let same = ["life", "second-office", "--office", "councillor", "--organisation", "zandhoven", "--yes"];
    assert_eq!(phone.fails(&same), (3, "office_held".to_owned()));
    let second = ["life", "second-office", "--office", "water-executive", "--organisation", "Waterschap Rijn", "--yes"];
    let (code, lines) = phone.typing(&second, "");
    assert_eq!(code, 0, "{lines:?}");
    let rights = list(&lines[0], "rights");
    let says = |at: usize, code: &str| list(&rights[at], "answers").iter().any(|answer| answer["code"] == code);
    assert!(says(0, "outside-scheme") && says(1, "entitled-to-measures") && says(1, "read-start-pack"));
    assert_eq!(list(&phone.ok(&["life"]), "offices").len(), 2);
    let (_, both) = phone.typing(&["rights"], "");
    let offices: Vec<&Value> = both.iter().map(|line| &line["situation"]["office"]).collect();
    assert_eq!(offices, [&json!("councillor"), &json!("water-executive")]);
    // Again is no third office; leaving the first leaves the second.
    phone.ok(&second);
    assert_eq!(list(&phone.ok(&["life"]), "offices").len(), 2);
    phone.ok(&["life", "leave-office", "--office", "councillor", "--on", "2020-01-01", "--yes"]);
    assert_eq!(phone.ok(&["rights"])["situation"]["office"], "water-executive");
}

#[test]
fn moving_house_changes_the_card_on_the_day_and_not_before() {
    let (_town, phone) = alone();
    phone.ok(&["record", "add", "profile", "office=wethouder", "home_address=Lindelaan 12"]);
    let old = id(&phone.ok(&["record", "add", "home", "address=Lindelaan 12", "pkvw=met"]));
    assert_eq!(phone.fails(&["life", "move", "--address", " "]), (3, "value_refused".to_owned()));
    phone.ok(&["life", "move", "--address", "Zeeweg 3", "--on", "2031-02-01", "--yes"]);
    assert!(phone.ok(&["card", "show"]).to_string().contains("Lindelaan 12"));
    let planned = tasks(&phone);
    assert!(planned.iter().any(|(about, _)| about.contains("Vandaag het nieuwe adres")));
    phone.ok(&["life", "move", "--address", "Zeeweg 3", "--access", "achterom", "--yes"]);
    let card = phone.ok(&["card", "show"]).to_string();
    assert!(card.contains("Zeeweg 3") && card.contains("achterom") && !card.contains("Lindelaan"), "{card}");
    let homes = phone.ok(&["record", "list", "home"]);
    assert_eq!(list(&homes, "records").len(), 1);
    assert_eq!(homes["records"][0]["fields"]["pkvw"], "unknown");
    assert_eq!(tasks(&phone).len(), planned.len(), "the same tasks, on nearer days");
    for about in [
        "Geheimhouding vragen",
        "KVK vragen",
        "Kadaster",
        "zelfscan opnieuw",
        "noodcontacten",
        "contact bij de politie",
    ] {
        assert!(planned.iter().any(|(task, _)| task.contains(about)), "{about}");
    }
    phone.ok(&["record", "restore", &old]);
}

#[test]
fn a_dossier_goes_along_to_another_organisation() {
    let (town, phone) = (Town::found(), Phone::new());
    phone.ok(&["activate", &town.invite(), "--name", "Telefoon"]);
    phone.ok(&["record", "add", "profile", "name=A. Testma", "office=wethouder"]);
    phone.ok(&["record", "add", "incident", "what=Brief"]);
    phone.ok(&["circle", "create", "case", "--name", "Zaak 14"]);
    let told = phone.ok(&["life", "new-organisation"])["plan"].clone();
    let case = list(&told, "points").iter().find(|point| point["id"] == "case").expect("the case is told of").clone();
    assert_eq!((&case["named"], &case["outcome"]), (&json!("Zaak 14"), &json!("ends")));
    // As the help says.
    let file = phone.folder.path().join("dossier.baken");
    let file = file.to_str().expect("a path");
    let (code, lines) = phone.typing(&["export", file], "");
    assert_eq!(code, 0, "{lines:?}");
    let code_of = lines.iter().find_map(|line| line["code"].as_str()).expect("a code").to_owned();
    let (elsewhere, new) = (Town::found(), Phone::new());
    new.ok(&["activate", &elsewhere.invite(), "--name", "Telefoon"]);
    let (code, lines) = new.typing(&["import", file, "--into-dossier"], &format!("{code_of}\n"));
    assert_eq!(code, 0, "{lines:?}");
    assert_eq!(new.ok(&["record", "list", "incident"])["records"][0]["fields"]["what"], "Brief");
    assert_eq!(new.ok(&["life"])["offices"][0]["office"], "alderman");
    assert_eq!(new.ok(&["alarm", "press", "--kind", "test"])["state"], "stored", "the new organisation takes it");
    // The old one is as it was, until it is wiped.
    assert_eq!(phone.fails(&["activate", &elsewhere.invite()]), (3, "already_activated".to_owned()));
    assert_eq!(phone.ok(&["record", "list", "incident"])["records"][0]["fields"]["what"], "Brief");
}

#[test]
fn the_ways_say_what_comes_next_from_what_is_written_down() {
    let (_town, phone) = alone();
    let next = |way: &str| {
        let told = phone.ok(&["steps", way]);
        let step = list(&told["ways"][0], "steps").iter().find(|step| step["next"] == true).cloned();
        step.map_or("done".to_owned(), |step| step["step"].as_str().expect("a word").to_owned())
    };
    assert_eq!(phone.ok(&["steps"])["now"], "start");
    assert_eq!((next("start").as_str(), next("prevention").as_str()), ("profile", "self-scan"));
    phone.ok(&["record", "add", "profile", "name=A. Testma", "office=wethouder", "home_address=Lindelaan 12"]);
    assert_eq!(next("start"), "emergency-contact");
    let incident = id(&phone.ok(&["incident", "add", "--what", "Brief"]));
    assert_eq!((phone.ok(&["steps"])["now"].clone(), next("threat")), (json!("threat"), "internal".to_owned()));
    phone.ok(&["incident", "report", &incident, "--internal", "griffier"]);
    assert_eq!(next("threat"), "police");
    phone.ok(&["incident", "report", &incident, "--police", "none-yet"]);
    assert_eq!(next("threat"), "police", "not yet needs a reason");
    phone.ok(&["incident", "report", &incident, "--police", "melding", "--reason", "geen strafbaar feit"]);
    assert_eq!(next("threat"), "police-advice");
    phone.ok(&["record", "add", "measure", "title=Knop", "origin=police-advice", "status=proposed"]);
    phone.ok(&["record", "add", "briefing", "by=politie", "no_news=true", "next=2031-01-01"]);
    assert_eq!((next("threat").as_str(), next("after").as_str()), ("done", "aftercare"));
    phone.ok(&["aftercare", "start", "--helper", "huisarts"]);
    assert_eq!((phone.ok(&["steps"])["now"].clone(), next("after")), (json!("after"), "evaluation".to_owned()));
    phone.ok(&["record", "add", "evaluation", "title=Terugkijken", "learnt=Eerder bellen"]);
    phone.ok(&["check-up", "remind", "--on", "2031-05-01"]);
    assert_eq!(next("after"), "closed");
    let plan = id(&phone.ok(&["record", "list", "aftercare"])["records"][0]);
    assert_eq!(phone.ok(&["record", "show", &plan])["fields"]["helper"], "huisarts");
    phone.ok(&["record", "set", &plan, "ended_at=2031-06-01"]);
    assert_eq!(next("after"), "done");
    // Something new after it had ended is a threat again, of which nothing is done yet.
    phone.ok(&["incident", "add", "--what", "Nog een brief", "--when", "2031-07-01"]);
    assert_eq!((phone.ok(&["steps"])["now"].clone(), next("threat")), (json!("threat"), "internal".to_owned()));
    let said = phone.says(&["steps"]);
    assert!(said.contains("[x] ") && said.contains("[ ] ") && said.contains("baken steps after"), "{said}");
}

#[test]
fn a_check_ups_passphrase_is_changed_and_nothing_is_lost() {
    let (_town, phone) = alone();
    let with = |old: &str, new: &str, args: &[&str]| {
        ended(phone.command(args).env("BAKEN_CHECK_UP", old).env("BAKEN_NEW_CHECK_UP", new))
    };
    let change = ["check-up", "passphrase"];
    assert_eq!(with("wachtzin een", "wachtzin twee", &change).0, 4, "there is none yet");
    assert_eq!(with("wachtzin een", "", &["check-up", "add", "slaapt slecht"]).0, 0);
    let wrong = with("wachtzin nul", "wachtzin twee", &change);
    assert_eq!((wrong.0, &wrong.1["error"]["code"]), (4, &json!("lock_wrong")));
    assert_eq!(with("wachtzin een", "kort", &change).0, 3);
    assert_eq!(
        with("wachtzin een", "wachtzin twee", &change),
        (0, json!({"changed": true, "locks_of_another_passphrase": 0}))
    );
    assert_eq!(with("wachtzin een", "", &["check-up", "list"]).0, 4);
    assert_eq!(with("wachtzin twee", "", &["check-up", "add", "slaapt beter"]).0, 0);
    let (_, listed) = with("wachtzin twee", "", &["check-up", "list"]);
    let texts: Vec<&Value> = list(&listed, "check_ups").iter().map(|check_up| &check_up["text"]).collect();
    assert_eq!(texts, [&json!("slaapt slecht"), &json!("slaapt beter")]);
}

#[test]
fn a_reminder_of_a_check_up_is_ones_own_neutral_and_comes_again() {
    let (_town, phone) = alone();
    let due = || {
        let agenda = phone.ok(&["agenda", "--days", "3000"]);
        list(&agenda, "agenda").iter().map(|item| (item["title"].clone(), item["at"].clone())).collect::<Vec<_>>()
    };
    phone.ok(&["check-up", "remind", "--on", "2031-05-27", "--every", "6"]);
    let first = due();
    assert_eq!((first.len(), &first[0].0), (1, &json!("Moment voor uzelf")));
    // Earlier, though the first was later.
    phone.ok(&["check-up", "remind", "--on", "2030-05-27", "--every", "6"]);
    assert!(due()[0].1.as_i64() < first[0].1.as_i64());
    // A check-up says when the next one is, by the months that were asked for.
    let add = ["check-up", "add", "goed", "--at", "2030-05-20"];
    assert_eq!(ended(phone.command(&add).env("BAKEN_CHECK_UP", "een lange zin")).0, 0);
    let (title, at) = due()[0].clone();
    assert_eq!(due().len(), 1);
    let half_a_year_on = 1_921_363_200_000_i64;
    assert!((at.as_i64().expect("a moment") - half_a_year_on).abs() < 86_400_000, "2030-11-20: {at}");
    assert_eq!(title, "Moment voor uzelf");
    phone.ok(&["check-up", "remind", "--off"]);
    assert_eq!(due(), []);
    for args in [&["check-up", "remind"][..], &["check-up", "remind", "--on", "2031-01-01", "--every", "0"]] {
        assert_eq!(phone.command(args).output().expect("baken runs").status.code(), Some(2), "{args:?}");
    }
    assert_eq!(phone.fails(&["check-up", "remind", "--on", "straks"]), (3, "value_not_time".to_owned()));
}

#[test]
fn the_letter_for_a_home_scan_needs_nothing_and_says_what_to_leave_out() {
    let phone = Phone::new();
    let letter = phone.without_pin(&["scan", "letter", "--office", "councillor"])["letter"].clone();
    let text = letter["text"].as_str().expect("a text");
    assert!(
        text.contains("Ik ben raadslid") && text.contains("griffier") && text.contains("geen concrete dreiging"),
        "{text}"
    );
    let out = list(&letter, "leave_out").iter().map(Value::to_string).collect::<String>();
    assert!(out.contains("adres") && out.contains("Maatregelen"), "{out}");
    let facts: Vec<&Value> = list(&letter, "facts").iter().map(|fact| &fact["id"]).collect();
    assert_eq!(facts[0], "scan-all");
    let english = phone.says(&["--lang", "en", "scan", "letter"]);
    assert!(english.contains("[your office]") && english.contains("What to leave out"), "{english}");
}
