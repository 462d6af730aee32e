//! A whole desk against a real relay over TLS.

use baken_schemas::alarm::{AlarmBody, Card, CardBody, ReceiptState};
use baken_schemas::api;
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::time::{Clock as _, SystemClock};
use baken_server::channel::WebhookSecret;
use baken_server::desk::{Act, AlarmDetail};
use baken_server::relay_client::{RelayClient, RelayError, Trust};
use http::Method;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use serde_json::json;

use crate::desk::town::{Town, TownPhone, until};
use crate::desk::world::body;
use crate::peer::Peer;

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };

fn states(receipts: &[baken_schemas::signed::Signed<baken_schemas::alarm::Receipt>]) -> Vec<ReceiptState> {
    receipts.iter().map(|receipt| receipt.value().state).collect()
}

#[tokio::test]
async fn a_press_reaches_the_desk_and_the_officers_name_comes_back() {
    let mut town = Town::new(&["Oost", "West"], "").await;
    let phone = town.phone("Ans Testma").await;
    let key = SymmetricKey::make(&mut town.rng);
    let card = CardBody { code_word: "bosuil".to_owned(), ..CardBody::default() };
    let sealed = Card::seal(phone.keys.device, 1, &card, &key, &phone.keys.sig, &mut town.rng).unwrap();
    let path = api::CARD.replace("{device}", &phone.keys.device.to_string());
    let once = IdempotencyKey::make(&mut town.rng);
    phone.sig.send(Method::PUT, &path, "", sealed.bytes().to_vec(), once).await.unwrap();

    let with_card = AlarmBody { card_key: Some(key.as_bytes().to_vec().into()), ..body() };
    let (alarm, content) = town.press(&phone, with_card).await;
    let id = alarm.value().header.alarm;
    let desk = &town.sites[0].desk;
    let shown: AlarmDetail = until("the alarm with its card", || {
        desk.alarm(id).unwrap().filter(|alarm| alarm.card.is_some() && alarm.summary.person.is_some())
    })
    .await;
    assert_eq!(shown.card.unwrap().code_word, "bosuil");
    assert_eq!(shown.summary.person.unwrap().name, "Ans Testma");

    let officers = desk.officers();
    let (officer, _) = officers.add("Agent Jansen", SystemClock.now(), &mut town.rng).unwrap();
    desk.act(id, &officer, &ACKNOWLEDGE).await.unwrap();
    let receipts = town.wait_for_receipts(&phone, &alarm, 3).await;
    assert_eq!(states(&receipts), [ReceiptState::Stored, ReceiptState::Received, ReceiptState::Seen]);
    let detail = receipts[2].value().open_detail(&content).unwrap().unwrap();
    assert_eq!((detail.officer.as_str(), receipts[2].value().by), ("Agent Jansen", town.sites[0].keys.device));
    assert_eq!(receipts[2].value().prev, receipts[1].hash());
    until("the console shows that it was sent", || {
        let receipts = desk.alarm(id).unwrap().unwrap().receipts;
        receipts.iter().filter(|receipt| receipt.own).all(|receipt| receipt.sending == Some("sent")).then_some(())
    })
    .await;
    // The second rung was never called.
    assert!(town.sites[1].desk.alarm(id).unwrap().is_none());
}

#[tokio::test]
async fn i1_killed_desks_show_each_alarm_once_and_say_received_once() {
    let mut town = Town::new(&["Oost"], "").await;
    let phone = town.phone("Ans Testma").await;
    let mut pressed = Vec::new();
    for round in 0..6 {
        // Killed before, between and after: wherever the loops happen to be.
        if round % 2 == 0 {
            pressed.push(town.press(&phone, body()).await.0);
            town.kill_desk(0);
        } else {
            town.kill_desk(0);
            pressed.push(town.press(&phone, body()).await.0);
        }
        town.revive_desk(0).await;
    }
    for alarm in &pressed {
        let receipts = town.wait_for_receipts(&phone, alarm, 2).await;
        assert_eq!(states(&receipts), [ReceiptState::Stored, ReceiptState::Received]);
    }
    let listed = town.sites[0].desk.alarms(true).unwrap();
    assert_eq!((listed.alarms.len(), listed.open), (pressed.len(), pressed.len()));
    // A sign that all is quiet: one more alarm goes through, and nothing else came of the others meanwhile.
    let last = town.press(&phone, body()).await.0;
    town.wait_for_receipts(&phone, &last, 2).await;
    for alarm in &pressed {
        assert_eq!(town.receipts(&phone, alarm).await.len(), 2);
    }
}

#[tokio::test]
async fn i10_an_act_made_while_the_relay_is_away_arrives_when_it_is_back() {
    let mut town = Town::new(&["Oost"], "").await;
    let phone = town.phone("Ans Testma").await;
    let (alarm, _) = town.press(&phone, body()).await;
    let id = alarm.value().header.alarm;
    let desk = std::sync::Arc::clone(&town.sites[0].desk);
    until("the alarm", || desk.alarm(id).unwrap()).await;
    town.wait_for_receipts(&phone, &alarm, 2).await;
    town.stop_relay().await;
    let (officer, _) = desk.officers().add("Agent Jansen", SystemClock.now(), &mut town.rng).unwrap();
    desk.act(id, &officer, &ACKNOWLEDGE).await.unwrap();
    assert_eq!(desk.alarm(id).unwrap().unwrap().receipts.last().unwrap().sending, Some("waiting"));
    town.start_relay().await;
    let receipts = town.wait_for_receipts(&phone, &alarm, 3).await;
    assert_eq!(states(&receipts).last(), Some(&ReceiptState::Seen));
    // And the mail flows again.
    let (next, _) = town.press(&phone, body()).await;
    until("the next alarm", || desk.alarm(next.value().header.alarm).unwrap()).await;
}

/// Waits for the first delivery of an alarm that a machine has answered.
async fn delivered(town: &Town, alarm: &baken_schemas::signed::Signed<baken_schemas::alarm::Alarm>) -> AlarmDetail {
    let id = alarm.value().header.alarm;
    until("a machine's answer", || {
        let detail = town.sites[0].desk.alarm(id).unwrap()?;
        detail.deliveries.iter().any(|delivery| delivery.state == "delivered").then_some(detail)
    })
    .await
}

#[tokio::test]
async fn i2_a_webhook_tells_a_real_receiver_no_more_than_it_may_and_is_nobodys_eye() {
    let secret = WebhookSecret::make(&mut ChaCha20Rng::seed_from_u64(1));
    // The first try fails, so the second must come under the same id.
    let environment = [("WEBHOOK_SECRET", secret.reveal())];
    let (mut peer, port) = Peer::listening("webhook_receiver.py", &["--answers", "503,204"], &environment).await;
    let channels = format!(
        "[[webhook]]\nname = \"zaak\"\nurl = \"http://127.0.0.1:{port}/\"\nsecret = \"{}\"\nevents = [\"received\"]\n",
        secret.reveal()
    );
    let mut town = Town::new(&["Oost"], &channels).await;
    let phone: TownPhone = town.phone("Ans Testma").await;
    let (alarm, _) = town.press(&phone, body()).await;
    let id = alarm.value().header.alarm;
    let (first, second) = (peer.next().await, peer.next().await);
    for seen in [&first, &second] {
        assert_eq!(seen["verified"], json!(true), "{seen}");
        assert_eq!(seen["id"], json!(format!("{id}-received")));
        assert_eq!(seen["body"]["data"]["alarm"], json!(id));
        let told = seen.to_string();
        assert!(!told.contains("Testma") && !told.contains("deur") && !told.contains("52.37"), "{told}");
    }
    assert_eq!(first["body"], second["body"]);
    let shown = delivered(&town, &alarm).await;
    assert_eq!((shown.deliveries[0].attempts, shown.deliveries[0].answer.as_deref()), (2, Some("204")));
    assert!(shown.summary.ringing && shown.summary.held_by.is_none(), "a machine's 2xx is nobody's eye");
}

#[tokio::test]
async fn i2_an_alarm_centres_ack_over_dc09_is_a_machines() {
    let (listener, address) = crate::desk::town::listen(crate::desk::town::ANY).await;
    let (printed, mut print) = tokio::sync::mpsc::unbounded_channel();
    let key: baken_server::dc09::Key = "ascii:0123456789ABCDEF".parse().unwrap();
    let rng = Box::new(ChaCha20Rng::seed_from_u64(2));
    tokio::spawn(baken_server::dc09::command::listen(
        listener,
        "1234".parse().unwrap(),
        Some(key),
        std::sync::Arc::new(SystemClock),
        rng,
        move |value| drop(printed.send(value)),
        std::future::pending(),
    ));
    let channels = format!(
        "[[dc09]]\nname = \"pac\"\naddress = \"{address}\"\naccount = \"1234\"\nkey = \"ascii:0123456789ABCDEF\"\n\
         position = true\n"
    );
    let mut town = Town::new(&["Oost"], &channels).await;
    let phone = town.phone("Ans Testma").await;
    let (alarm, _) = town.press(&phone, body()).await;
    let received = tokio::time::timeout(crate::desk::town::PATIENCE, print.recv()).await.unwrap().unwrap();
    let message = &received["received"];
    assert_eq!((&message["account"], &message["events"][0]["code"]), (&json!("1234"), &json!("PA")), "{received}");
    assert_eq!((&message["sequence"], &message["encrypted"]), (&json!(1), &json!(true)));
    let latitude = message["position"]["latitude_e7"].as_i64().unwrap();
    assert!((latitude - 523_717_500).abs() < 20, "{latitude}");
    assert!(!received.to_string().contains("Testma"));
    let shown = delivered(&town, &alarm).await;
    assert_eq!((shown.deliveries[0].channel, shown.deliveries[0].answer.as_deref()), ("dc09", Some("ACK")));
    assert!(shown.summary.ringing);
}

#[tokio::test]
async fn a_relay_is_trusted_by_its_root_and_by_nothing_else() {
    let mut town = Town::new(&["Oost"], "").await;
    let urls = town.relay_entry.urls.clone();
    let org = town.org.org();
    let ask = |trust: Trust| {
        let client = RelayClient::new(&urls, &trust, None).unwrap();
        async move { client.directory(org).await.map(|directory| directory.value().version) }
    };
    let root = town.relay_entry.tls_roots[0].to_vec();
    assert_eq!(ask(Trust::Roots(vec![root.clone()])).await, Ok(1));
    assert_eq!(ask(Trust::RootHash(baken_server::tls::root_sha256(&root))).await, Ok(1));
    assert_eq!(ask(Trust::RootHash([7; 32])).await, Err(RelayError::Untrusted));
    let other = std::fs::read(town.sites[0].dir.path().join("tls-root.der")).unwrap();
    assert_eq!(ask(Trust::Roots(vec![other])).await, Err(RelayError::Untrusted));
    town.stop_relay().await;
    assert_eq!(ask(Trust::Roots(vec![root])).await, Err(RelayError::Unreachable));
}
