//! What was agreed with a person, at hand when they call: instructions, verifying, the hand-over to 112.

use baken_schemas::alarm::AlarmKind;
use baken_schemas::api::MailKind;
use baken_server::desk::Act;
use baken_server::desk::instructions::{Instruction, Instructions, MAX_TEXT_BYTES};
use http::StatusCode;
use serde_json::Value;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{MAYOR, World};

#[tokio::test]
async fn instructions_are_written_in_the_console_sealed_on_disk_and_shown_with_the_alarm() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let (_, token) = world.officer("Agent Jansen");
    let mut browser = Browser::new(desk_of(&world));
    let path = format!("/people/{}", phone.account);
    for closed in ["/people", &path] {
        assert_eq!(browser.get(closed).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
    let people = browser.get("/people").await;
    assert!(people.text.contains(MAYOR) && people.text.contains(&path), "{}", people.text);
    assert!(browser.get(&path).await.text.contains("Meeluisteren"));
    let form = "text=Bel+eerst+de+partner.%0AHond+in+huis.&call_back=0612&listen_in=0613";
    assert_eq!(browser.post(&path, form).await.status, StatusCode::SEE_OTHER);
    let shown = browser.get(&format!("/alarms/{id}")).await;
    for there in ["Bel eerst de partner.", "Hond in huis.", "0612", "0613"] {
        assert!(shown.text.contains(there), "{there} is not in {}", shown.text);
    }
    let json: Value = serde_json::from_str(&browser.get(&format!("/api/alarms/{id}")).await.text).unwrap();
    assert_eq!((&json["instruction"]["listen_in"], &json["call_back"]), (&"0613".into(), &"0612".into()));
    let english = browser.get(&format!("{path}?lang=en")).await;
    assert!(english.text.contains("What to do") && english.text.contains("Bel eerst de partner."));
    // On disk nobody reads it.
    for file in std::fs::read_dir(world.dir.path().join("instructions")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"partner"));
    }
    // Too much, somebody unknown, and another site's form change nothing.
    let too_much = format!("text={}&call_back=&listen_in=", "x".repeat(MAX_TEXT_BYTES + 1));
    assert_eq!(browser.post(&path, &too_much).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = format!("/people/{}", "0".repeat(32));
    assert_eq!(browser.post(&unknown, form).await.status, StatusCode::NOT_FOUND);
    browser.origin = Some("https://evil.example");
    assert_eq!(browser.post(&path, form).await.status, StatusCode::FORBIDDEN);
    let kept = Instructions::open(world.dir.path(), &world.keys).unwrap().read(phone.account).unwrap().unwrap();
    assert_eq!(kept.call_back, "0612");
}

#[tokio::test]
async fn what_is_read_aloud_to_112_says_who_where_what_since_when_and_what_is_known() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (jansen, token) = world.officer("Agent Jansen");
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let instructions = Instructions::open(world.dir.path(), &world.keys).unwrap();
    let agreed = Instruction { listen_in: "0613".to_owned(), ..Instruction::default() };
    instructions.write(phone.account, &agreed, &mut world.rng).unwrap();
    world.clock.advance(200_000);
    let before = world.desk.handover(id, &jansen).await.unwrap().unwrap();
    assert!(before.nl.contains(&"Gecontroleerd: nog niet.".to_owned()), "{:?}", before.nl);
    world.desk.act(id, &jansen, &Act::Acknowledge { also: false }).await.unwrap();
    world.desk.act(id, &jansen, &Act::Verify { how: "teruggebeld".to_owned() }).await.unwrap();
    let verification = world.view(&alarm).summary.verification.unwrap();
    assert_eq!(
        (verification.how.as_deref(), verification.officer.as_deref()),
        (Some("teruggebeld"), Some("Agent Jansen"))
    );
    let mut browser = Browser::new(desk_of(&world));
    assert_eq!(browser.get(&format!("/alarms/{id}/handover")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
    let page = browser.get(&format!("/alarms/{id}/handover")).await;
    assert_eq!(page.status, StatusCode::OK);
    let json: Value = serde_json::from_str(&browser.get(&format!("/api/alarms/{id}/handover")).await.text).unwrap();
    let text = |language: &str| {
        let lines = json[language].as_array().unwrap().iter().filter_map(Value::as_str);
        lines.collect::<Vec<_>>().join("\n")
    };
    let (nl, en) = (text("nl"), text("en"));
    for said in [
        "Dit is Oost.",
        &format!("Wie: {MAYOR}, burgemeester."),
        "breedte 52.3717500, lengte 4.8903500 (RD 12",
        "nauwkeurig tot 12 meter, 3 minuten geleden gemeten",
        "Wat: noodalarm; man bij de deur.",
        "3 minuten geleden",
        "Gecontroleerd: teruggebeld (Agent Jansen, Oost, ",
        "Terugbellen: de persoon op +31600000001; meeluisteren op 0613.",
    ] {
        assert!(nl.contains(said), "{said} is not in {nl}");
    }
    for said in ["This is Oost.", "measured 3 minutes ago", "emergency alarm", "Call back: the person at +31600000001"]
    {
        assert!(en.contains(said), "{said} is not in {en}");
    }
    assert!(page.text.contains("noodalarm; man bij de deur") && page.text.contains("112"));
}

#[tokio::test]
async fn i2_the_hand_over_says_of_nobody_more_than_is_proven_and_has_nobody_called_who_must_not_be() {
    let mut world = World::new().await;
    let (jansen, _) = world.officer("Agent Jansen");
    let phone = world.phone().await;
    let (silent, _) = world.alarm(&phone, AlarmKind::Silent);
    world.bring(MailKind::Alarm, silent.bytes()).await;
    let said = world.desk.handover(silent.value().header.alarm, &jansen).await.unwrap().unwrap();
    let call_back = said.nl.last().unwrap();
    assert!(call_back.contains("niet de persoon zelf"), "{call_back}");
    let stranger = world.stranger().await;
    let (unknown, _) = world.alarm(&stranger, AlarmKind::Panic);
    world.bring(MailKind::Alarm, unknown.bytes()).await;
    let said = world.desk.handover(unknown.value().header.alarm, &jansen).await.unwrap().unwrap();
    assert!(said.nl.contains(&"Wie: niet bekend.".to_owned()), "{:?}", said.nl);
    world.bring(MailKind::Alarm, b"not an alarm").await;
    let list = world.desk.alarms(true).unwrap();
    let damaged = list.alarms.iter().find(|alarm| alarm.kind.is_none()).unwrap().alarm;
    let said = world.desk.handover(damaged, &jansen).await.unwrap().unwrap();
    assert!(said.en.iter().any(|line| line == "Where: position not known."), "{:?}", said.en);
}
