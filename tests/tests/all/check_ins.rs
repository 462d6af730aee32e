//! Check-ins, with real processes: a phone that is destroyed is missed, by a relay that knows nothing of what it raises,
//! and a settlement under duress looks like any other to everybody but the desk.

use anyhow::{Context as _, Result};
use baken_tests::marks::{Mark, found_in_bytes, found_in_folder};
use baken_tests::story::phone::Phone;
use baken_tests::story::play::pair;
use baken_tests::story::process::run;
use baken_tests::story::second_desk::SecondDesk;
use baken_tests::story::town::{Plan, Town, last_json, text_of};
use serde_json::{Value, json};

const OFFICE: &str = "wethouder";
/// A second PIN, which means that somebody forces her.
const DURESS: &str = "735519";

/// `baken` with another PIN than the phone's.
async fn with_pin(phone: &Phone, town: &Town, pin: &str, args: &[&str]) -> Result<(i32, Value)> {
    let home = phone.home().display().to_string();
    let all = [&["--json", "--home", home.as_str()][..], args].concat();
    let (code, out, err) = run(&town.programs.phone, &all, &[("BAKEN_PIN", pin), ("BAKEN_NEW_PIN", DURESS)]).await?;
    Ok((code, last_json(&out).with_context(|| format!("{out}{err}"))?))
}

fn ringing_as(kind: &'static str) -> impl Fn(&Value) -> Option<Value> {
    move |list| {
        let alarms = list["alarms"].as_array()?;
        alarms.iter().find(|alarm| alarm["kind"] == kind && alarm["ringing"] == true).cloned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_phone_is_missed_with_its_newest_position_and_the_next_desk_is_called() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "trace".to_owned(), tapped: true, programs: (None, None) };
    let mut town = Town::found(&plan).await.expect("a town");
    let east = town.officer("Agent Oost").await.expect("an officer");
    let west = SecondDesk::found(&town).await.expect("a second desk");
    let phone = Phone::new(&town, "alderman_phone", "en");
    let invite = town.invite("Femke Wolters", OFFICE, "0611223344").await.expect("an invite");
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await.expect("it is activated");

    // Started with the relay away: it says so. It is due in a minute all the same.
    town.kill_relay().await.expect("the relay runs");
    let start = ["check-in", "start", "--for", "70s", "--grace", "0s", "--place", "Kerkpad 9", "--note", "huisbezoek"];
    let (code, started) = phone.try_run(&start).await.expect("it runs");
    assert_eq!((code, started["state"].as_str()), (6, Some("not-at-relay")), "{started}");
    town.start_relay().await.expect("the relay starts");
    phone.run(&["check-in", "renew", "--position", "52.1000,5.2000,30"]).await.expect("it is handed in");
    let renewed = phone.run(&["check-in", "renew", "--position", "52.0907,5.1214,8"]).await.expect("it is renewed");
    let check_in = &renewed["check_ins"][0];
    assert_eq!((check_in["state"].as_str(), check_in["extension_waits"].as_bool()), (Some("running"), Some(false)));
    let id = text_of(check_in, "check_in").expect("an id");

    // The phone is destroyed; the relay is killed and starts again.
    std::fs::remove_dir_all(phone.home()).expect("its folder is there");
    town.kill_relay().await.expect("the relay runs");
    town.start_relay().await.expect("the relay starts");
    // A minute and some, of which a look waits for one at most.
    let path = format!("/api/alarms/{id}");
    let shown = match east.look_until(&path, |alarm| Some(alarm.clone())).await {
        Ok(shown) => shown,
        Err(_) => east.look_until(&path, |alarm| Some(alarm.clone())).await.expect("the east shows it"),
    };
    assert_eq!((shown["kind"].as_str(), shown["signature"].as_str()), (Some("missed"), Some("proven")));
    assert_eq!(shown["person"]["name"], "Femke Wolters");
    let text = shown["text"].as_str().expect("words");
    assert!(text.contains("huisbezoek") && text.contains("Kerkpad 9"), "{text}");
    let latitude = shown["position"]["latitude"].as_str().expect("a position");
    assert!(latitude.starts_with("52.0907"), "the newest: {latitude}");
    // Nobody in the east acknowledges it.
    let next = west.officer.look_until("/api/alarms", ringing_as("missed")).await.expect("the next rung");
    assert_eq!(next["alarm"], json!(id));
    west.officer.act(&format!("/api/alarms/{id}/acknowledge"), &json!({})).await.expect("it is taken");
    let held = |alarm: &Value| (alarm["held_by"]["desk"] == "Meldkamer West").then_some(());
    east.look_until(&format!("/api/alarms/{id}"), held).await.expect("the east sees who has it");
    // No second alarm of a desk that waits for what it has.
    let list = east.look("/api/alarms").await.expect("a list");
    assert_eq!(list["open"], 1, "{list}");

    // What lies at the relay, passed it, or is in its log shows none of it.
    let marks: Vec<Mark> = ["Femke", "Wolters", "Kerkpad", "huisbezoek", "52.09", "missed"].map(Mark::word).into();
    assert_eq!(found_in_folder(&marks, &data.join("relay")).expect("files"), [""; 0]);
    let captured = town.tap.as_ref().expect("a tap").captured();
    assert!(found_in_bytes(&[Mark::word("/v0/deposits")], "capture", &captured).len() == 1);
    assert_eq!(found_in_bytes(&marks, "the traffic behind TLS", &captured), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_under_duress_looks_like_any_other_and_the_desk_has_it_raised() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data, log_level: "info".to_owned(), tapped: false, programs: (None, None) };
    let town = Town::found(&plan).await.expect("a town");
    let officer = town.officer("Agent Oost").await.expect("an officer");
    let phone = Phone::new(&town, "alderman_phone", "en");
    let invite = town.invite("Femke Wolters", OFFICE, "0611223344").await.expect("an invite");
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await.expect("it is activated");
    let (code, _) =
        with_pin(&phone, &town, baken_tests::story::phone::PIN, &["pin", "duress", "add"]).await.expect("it runs");
    assert_eq!(code, 0);
    let mut answers = Vec::new();
    for pin in [baken_tests::story::phone::PIN, DURESS] {
        let place = ["check-in", "start", "--for", "2h", "--position", "52.0907,5.1214,8"];
        phone.run(&place).await.expect("it is started");
        let (code, mut settled) = with_pin(&phone, &town, pin, &["check-in", "settle"]).await.expect("it runs");
        assert_eq!((code, settled["state"].as_str()), (0, Some("settled")));
        for changing in ["check_in", "started_at", "due_at", "raise_at", "renewed_at"] {
            settled[changing] = Value::Null;
        }
        answers.push(settled);
        if pin == baken_tests::story::phone::PIN {
            let list = officer.look("/api/alarms").await.expect("a list");
            assert_eq!(list["open"], 0, "a true settlement rings nowhere");
        }
    }
    assert_eq!(answers[0], answers[1]);
    officer.look_until("/api/alarms", ringing_as("duress")).await.expect("it rings at once");
    let raised = officer.look_until("/api/alarms", ringing_as("missed")).await.expect("the deposit is raised");
    assert_eq!((raised["duress"].as_bool(), raised["discreet"].as_bool()), (Some(true), Some(true)));
    assert!(raised["position"]["latitude"].is_string());
    // The phone that is looked at shows two settled check-ins and no alarm, also after it has asked the relay.
    let listed = phone.run(&["check-in", "renew"]).await.expect("it asks");
    let states: Vec<&str> =
        listed["check_ins"].as_array().expect("a list").iter().filter_map(|one| one["state"].as_str()).collect();
    assert_eq!(states, ["settled", "settled"]);
    let alarms = phone.run(&["alarm", "list"]).await.expect("it lists");
    assert_eq!(alarms["alarms"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_safe_settles_from_the_tablet_what_the_destroyed_phone_had_started() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "trace".to_owned(), tapped: true, programs: (None, None) };
    let town = Town::found(&plan).await.expect("a town");
    let officer = town.officer("Agent Oost").await.expect("an officer");
    let (phone, tablet) = (Phone::new(&town, "alderman_phone", "en"), Phone::new(&town, "alderman_tablet", "en"));
    let invite = town.invite("Femke Wolters", OFFICE, "0611223344").await.expect("an invite");
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await.expect("it is activated");
    phone.run(&["sync"]).await.expect("it syncs");
    pair(&phone, &tablet).await.expect("they pair");
    tablet.run(&["sync"]).await.expect("it syncs");
    let (code, _) =
        with_pin(&tablet, &town, baken_tests::story::phone::PIN, &["pin", "duress", "add"]).await.expect("it runs");
    assert_eq!(code, 0);
    let none = tablet.run(&["check-in", "others"]).await.expect("it asks");
    assert_eq!(none["elsewhere"], json!([]));
    for place in ["Kerkpad 9", "Dorpsplein 3", "Havenkade 7"] {
        phone
            .run(&["check-in", "start", "--for", "90s", "--grace", "0s", "--place", place])
            .await
            .expect("it is started");
    }
    // Nothing is left of it; nothing of the check-ins was ever synced.
    std::fs::remove_dir_all(phone.home()).expect("its folder is there");
    let seen = tablet.run(&["check-in", "others"]).await.expect("it asks");
    assert_eq!(seen["elsewhere"].as_array().map(Vec::len), Some(3), "{seen}");
    assert_eq!(seen["elsewhere"][0]["name"], "Telefoon");
    let mut answers = Vec::new();
    for pin in [baken_tests::story::phone::PIN, DURESS] {
        // The decoy knows of no other device, so none is named beside it.
        let (code, others) = with_pin(&tablet, &town, pin, &["check-in", "others"]).await.expect("it runs");
        let named = others.to_string().contains("Telefoon");
        assert_eq!((code, named), (0, pin == baken_tests::story::phone::PIN), "{others}");
        let (code, mut settled) = with_pin(&tablet, &town, pin, &["check-in", "settle"]).await.expect("it runs");
        assert_eq!((code, settled["state"].as_str()), (0, Some("settled")), "{settled}");
        for changing in ["check_in", "started_at", "due_at", "raise_at"] {
            settled[changing] = Value::Null;
        }
        answers.push(settled);
        if pin == baken_tests::story::phone::PIN {
            let list = officer.look("/api/alarms").await.expect("a list");
            assert_eq!(list["open"], 0, "a true settlement rings nowhere");
        }
    }
    assert_eq!(answers[0], answers[1]);
    // Without a PIN nothing says that there is another device, whose third check-in still runs. Last, since a wrong PIN
    // has the next one wait.
    let (code, refused) = with_pin(&tablet, &town, "000000", &["check-in", "others"]).await.expect("it runs");
    assert_eq!((code != 0, refused["elsewhere"].as_array()), (true, None), "{refused}");
    officer.look_until("/api/alarms", ringing_as("duress")).await.expect("it rings at once");
    let raised = officer.look_until("/api/alarms", ringing_as("missed")).await.expect("that one is raised");
    assert!(raised["text"].as_str().is_some_and(|text| text.contains("Dorpsplein 3")), "{raised}");
    assert_eq!((raised["duress"].as_bool(), raised["discreet"].as_bool()), (Some(true), Some(true)));
    let marks: Vec<Mark> = ["Kerkpad", "Dorpsplein", "Havenkade", "Telefoon"].map(Mark::word).into();
    assert_eq!(found_in_folder(&marks, &data.join("relay")).expect("files"), [""; 0]);
}
