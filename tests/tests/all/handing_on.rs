//! Handing on to another desk, with real processes: Meldkamer West is on no ladder for alarms, and gets one all the same.

use baken_tests::story::phone::Phone;
use baken_tests::story::process::{run, until};
use baken_tests::story::second_desk::SecondDesk;
use baken_tests::story::town::{Plan, Town, last_json, text_of};
use serde_json::{Value, json};

async fn shown_on(phone: &Phone, alarm: &str) -> Value {
    // It ends with a code that says how far the alarm has got.
    let _ = phone.try_run(&["alarm", "watch", alarm, "--timeout", "1"]).await;
    phone.run(&["alarm", "show", alarm]).await.expect("it is shown")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_handed_on_to_a_desk_off_its_ladder_and_everybody_can_check_that() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "info".to_owned(), tapped: false, programs: (None, None) };
    let town = Town::found(&plan).await.expect("a town");
    let west = SecondDesk::found(&town).await.expect("a second desk");
    let jansen = town.officer("Agent Jansen").await.expect("an officer");
    let phone = Phone::new(&town, "mayor_phone", "nl");
    let invite = town.invite("Femke Wolters", "burgemeester", "0611223344").await.expect("an invite");
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await.expect("it is activated");

    phone.run(&["record", "add", "profile", "code_word=bosuil"]).await.expect("the dossier takes it");
    phone.run(&["card", "publish"]).await.expect("its card lies ready");
    let press = ["alarm", "press", "--position", "52.0907,5.1214,8", "--text", "man bij de deur"];
    let id = text_of(&phone.run(&press).await.expect("it is pressed"), "alarm").expect("an id");
    let path = format!("/api/alarms/{id}");
    jansen.look_until(&path, |alarm| (alarm["ringing"] == true).then_some(())).await.expect("it rings");
    jansen.act(&format!("{path}/acknowledge"), &json!({})).await.expect("it is taken");
    let west_desk = std::fs::read_to_string(data.join("west/config.toml")).expect("a configuration");
    assert!(west_desk.contains("Meldkamer West"));
    let directory = std::fs::read(data.join("org/directory.cbor")).expect("a directory");
    let desks = baken_schemas::signed::Unverified::<baken_schemas::org::Directory>::parse(&directory).expect("one");
    let to = desks.claims().desks.iter().find(|desk| desk.name == "Meldkamer West").expect("it is listed").desk;
    let handed = json!({ "desk": to, "why": "in jullie gebied" });
    jansen.act(&format!("{path}/hand-on"), &handed).await.expect("it is handed on");

    // It opens there, and what was said before it follows.
    let whole = |alarm: &Value| (alarm["kind"].is_string() && alarm["held_by"].is_object()).then(|| alarm.clone());
    let there = west.officer.look_until(&path, whole).await.expect("it is there");
    assert_eq!((there["text"].as_str(), there["signature"].as_str()), (Some("man bij de deur"), Some("proven")));
    assert_eq!((there["person"]["name"].as_str(), there["ringing"].as_bool()), (Some("Femke Wolters"), Some(false)));
    assert_eq!(
        (&there["held_by"]["officer"], &there["passed_on"][0]["text"]),
        (&json!("Agent Jansen"), &json!("in jullie gebied"))
    );
    west.officer
        .look_until(&path, |alarm| (alarm["card"]["code_word"] == "bosuil").then_some(()))
        .await
        .expect("with the card");
    west.officer.act(&format!("{path}/acknowledge"), &json!({ "also": true })).await.expect("it is taken there");
    // The phone sees both, from what each desk signed.
    let seen = until("the phone shows the west", async || {
        Ok(Some(shown_on(&phone, &id).await).filter(|seen| seen["officer"] == "Agent West"))
    });
    let seen = seen.await.expect("it does");
    let on = &seen["handed_on"][0];
    assert_eq!((on["by"].as_str(), on["to"].as_str()), (Some("Meldkamer Oost"), Some("Meldkamer West")));
    assert_eq!((on["officer"].as_str(), on["text"].as_str()), (Some("Agent Jansen"), Some("in jullie gebied")));
    // So does who gets the timeline, of the phone or of the west.
    let (by_phone, by_west) = (data.join("phone.baken"), data.join("west.baken"));
    let file = by_phone.display().to_string();
    phone.run(&["alarm", "export", &id, &file]).await.expect("it is exported");
    let taken = west.officer.fetch(&format!("/alarms/{id}/timeline")).await.expect("the course");
    std::fs::write(&by_west, taken).expect("it is written");
    for file in [by_phone, by_west] {
        let file = file.display().to_string();
        let args = ["--json", "verify", "--timeline", &file];
        let (code, out, err) = run(&town.programs.server, &args, &[]).await.expect("it runs");
        assert_eq!(code, 0, "{out}{err}");
        let proven = last_json(&out).expect("JSON");
        assert_eq!((&proven["faults"], &proven["handed_on"][0]["to"]), (&json!([]), &json!("Meldkamer West")));
    }
}
