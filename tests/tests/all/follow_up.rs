//! Reopening, with real processes: an officer acknowledges and then does nothing, and a desk acknowledges and then dies.

use std::path::Path;

use baken_tests::story::phone::Phone;
use baken_tests::story::second_desk::SecondDesk;
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::{Value, json};

fn add_to(file: &Path, text: &str) {
    let before = std::fs::read_to_string(file).expect("the file is there");
    std::fs::write(file, format!("{before}\n{text}\n")).expect("it can be written");
}

fn in_state(state: &'static str) -> impl Fn(&Value) -> Option<Value> {
    move |alarm| (alarm["state"] == state).then(|| alarm.clone())
}

/// What the phone shows, after it has asked the relay.
async fn shown_on(phone: &Phone, alarm: &str) -> Value {
    // It ends with a code that says how far the alarm has got.
    let _ = phone.try_run(&["alarm", "watch", alarm, "--timeout", "1"]).await;
    phone.run(&["alarm", "show", alarm]).await.expect("it is shown")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_follows_on_is_called_out_again_by_the_desk_and_passed_by_the_relay_when_the_desk_is_gone() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "info".to_owned(), tapped: false, programs: (None, None) };
    let mut town = Town::found(&plan).await.expect("a town");
    let west = SecondDesk::found(&town).await.expect("a second desk");
    let ladder = "Standaard=Meldkamer Oost:30,Meldkamer West:60";
    let org = town.folder("org");
    let directory = ["org", "directory", "--data", &org, "--ladder", ladder, "--publish"];
    town.server(&directory).await.expect("a ladder with both");
    // Both waits are set in files, and read at the next start.
    add_to(&data.join("desk/desk.toml"), "[follow_up]\nwithin_s = 4");
    town.desk.take().expect("the desk runs").kill().await.expect("it is killed");
    town.start_desk().await.expect("it starts again");
    let (jansen, bakker) = (town.officer("Agent Jansen").await.unwrap(), town.officer("Agent Bakker").await.unwrap());
    let phone = Phone::new(&town, "mayor_phone", "nl");
    let invite = town.invite("Femke Wolters", "burgemeester", "0611223344").await.expect("an invite");
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await.expect("it is activated");

    let pressed = phone.run(&["alarm", "press", "--position", "52.0907,5.1214,8"]).await.expect("it is pressed");
    let id = text_of(&pressed, "alarm").expect("an id");
    let path = format!("/api/alarms/{id}");
    jansen.look_until(&path, in_state("received")).await.expect("it rings");
    jansen.act(&format!("{path}/acknowledge"), &json!({})).await.expect("it is taken");
    // Nothing follows: it rings again, names who had it, and the channels are told again.
    let shown = bakker.look_until(&path, in_state("reopened")).await.expect("it is reopened");
    assert_eq!((shown["ringing"].as_bool(), shown["held_by"].is_null()), (Some(true), true), "{shown}");
    assert_eq!(shown["had_by"]["officer"], "Agent Jansen");
    let told = |line: &Value| line.to_string().contains("reopened");
    town.webhook.json_where(told).await.expect("the webhook is told");
    let seen = shown_on(&phone, &id).await;
    assert_eq!((seen["state"].as_str(), seen["green"].as_bool()), (Some("reopened"), Some(false)), "{seen}");
    assert_eq!(seen["call_112"], true);
    let said = "Meldkamer Oost: er volgde niets nadat het gezien was; iedereen wordt opnieuw opgeroepen";
    assert_eq!(seen["words"], said);
    bakker.act(&format!("{path}/acknowledge"), &json!({})).await.expect("it is taken again");
    bakker.act(&format!("{path}/underway"), &json!({ "what": "eenheid 12" })).await.expect("help is on its way");
    bakker.act(&format!("{path}/close"), &json!({ "outcome": "veilig" })).await.expect("it is over");

    // Another: the desk acknowledges and then dies. The relay, started again with a short wait, calls the next rung.
    let pressed = phone.run(&["alarm", "press", "--position", "52.0907,5.1214,8"]).await.expect("it is pressed");
    let id = text_of(&pressed, "alarm").expect("an id");
    let path = format!("/api/alarms/{id}");
    jansen.look_until(&path, in_state("received")).await.expect("it rings");
    let config = data.join("relay/config.toml");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(&config, text.replace("follow_up_s = 900", "follow_up_s = 3")).expect("it can be written");
    town.kill_relay().await.expect("the relay runs");
    town.start_relay().await.expect("the relay starts");
    jansen.act(&format!("{path}/acknowledge"), &json!({})).await.expect("it is taken");
    jansen
        .look_until(&path, |alarm| {
            let receipts = alarm["receipts"].as_array()?;
            let own: Vec<&Value> = receipts.iter().filter(|receipt| receipt["own"] == true).collect();
            own.iter().all(|receipt| receipt["sending"] == "sent").then_some(())
        })
        .await
        .expect("the relay has it");
    town.desk.take().expect("the desk runs").kill().await.expect("it is killed");
    town.kill_relay().await.expect("the relay runs");
    town.start_relay().await.expect("the relay starts");
    // It rings there, and says so with what the relay signed.
    let by_relay = |receipt: &Value| receipt["state"] == "reopened" && receipt["by"] == "relay";
    let rung = |alarm: &Value| {
        let reopened = alarm["receipts"].as_array()?.iter().any(by_relay);
        (alarm["ringing"] == true && reopened).then(|| alarm.clone())
    };
    let rung = west.officer.look_until(&path, rung).await.expect("the next rung is called");
    assert_eq!((rung["signature"].as_str(), rung["state"].as_str()), (Some("proven"), Some("reopened")), "{rung}");
    let seen = shown_on(&phone, &id).await;
    assert_eq!((seen["state"].as_str(), seen["green"].as_bool()), (Some("reopened"), Some(false)), "{seen}");
    west.officer.act(&format!("{path}/acknowledge"), &json!({})).await.expect("it is taken");
    let green = |seen: &Value| seen["green"] == true && seen["words"] == "Meldkamer West: gezien door Agent West";
    baken_tests::story::process::until("green", async || Ok(Some(shown_on(&phone, &id).await).filter(&green)))
        .await
        .expect("the phone shows who has it now");
}
