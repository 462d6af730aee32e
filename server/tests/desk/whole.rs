//! A whole desk against a real relay over TLS.

use baken_schemas::alarm::{AlarmBody, Card, CardBody, Note, NoteBody, NoteKind, ReceiptState};
use baken_schemas::api::{self, LiveEvent, MailKind};
use baken_schemas::circle::{CircleKind, Member, MemberRole, Membership, Operation};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, IdempotencyKey, NoteId};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, SystemClock};
use baken_server::channel::WebhookSecret;
use baken_server::desk::{Act, AlarmDetail};
use baken_server::relay_client::{Caller, RelayClient, RelayError, Trust};
use http::Method;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use serde_json::json;

use crate::desk::town::{PATIENCE, Town, TownPhone, until};
use crate::desk::world::body;
use crate::peer::Peer;

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };

fn states(receipts: &[Signed<baken_schemas::alarm::Receipt>]) -> Vec<ReceiptState> {
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
async fn delivered(town: &Town, alarm: &Signed<baken_schemas::alarm::Alarm>) -> AlarmDetail {
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
        "[[webhook]]\nname = \"zaak\"\nurl = \"http://127.0.0.1:{port}/\"\nown_network = true\nsecret = \"{}\"\nevents = [\"received\"]\n",
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
    let received = tokio::time::timeout(PATIENCE, print.recv()).await.unwrap().unwrap();
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
async fn a_running_desk_asks_its_alarm_centre_whether_it_is_there() {
    let (mut peer, port) = Peer::listening("dc09_receiver.py", &["--account", "1234"], &[]).await;
    let channels =
        format!("[[dc09]]\nname = \"pac\"\naddress = \"127.0.0.1:{port}\"\naccount = \"1234\"\nsupervision_s = 5\n");
    let town = Town::new(&["Oost"], &channels).await;
    // At once, and again when it heard nothing for the agreed time.
    for _ in 0..2 {
        assert_eq!(peer.next().await["message"], "NULL");
    }
    let desk = &town.sites[0].desk;
    until("the answer", || desk.channel_views().unwrap()[0].receivers[0].heard_at).await;
    assert!(desk.silent_receivers().is_empty());
}

#[tokio::test]
async fn a_channel_that_hangs_keeps_no_other_waiting() {
    let (hanging, address) = crate::desk::town::listen(crate::desk::town::ANY).await;
    let held = tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Ok((stream, _)) = hanging.accept().await {
            streams.push(stream);
        }
    });
    let (mut peer, port) = Peer::listening("smtp_server.py", &[], &[]).await;
    let channels = format!(
        "[[webhook]]\nname = \"hangt\"\nurl = \"http://{address}/\"\nown_network = true\n\
         secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nevents = [\"received\"]\n\
         [[smtp]]\nname = \"piket\"\nserver = \"127.0.0.1\"\nport = {port}\nencryption = \"plain\"\n\
         own_network = true\nfrom = \"baken@desk.example\"\nto = [\"piket@politie.example\"]\n"
    );
    let mut town = Town::new(&["Oost"], &channels).await;
    let phone = town.phone("Ans Testma").await;
    let (alarm, _) = town.press(&phone, body()).await;
    assert_eq!(peer.next().await["to"], json!(["piket@politie.example"]));
    let id = alarm.value().header.alarm;
    let detail = until("the letter's state", || {
        let detail = town.sites[0].desk.alarm(id).unwrap()?;
        detail.deliveries.iter().any(|delivery| delivery.state == "handed-over").then_some(detail)
    })
    .await;
    let hanging = detail.deliveries.iter().find(|delivery| delivery.name == "hangt").unwrap();
    assert_eq!((hanging.state, hanging.attempts), ("queued", 0), "the other is still waiting for its answer");
    held.abort();
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

#[tokio::test]
async fn a_running_desk_hands_on_a_freeze_until_the_relay_takes_it_and_the_tablet_has_it() {
    let mut town = Town::new(&["Oost"], "").await;
    let phone = town.phone("Ans Testma").await;
    let tablet = DeviceKeys::make(&mut town.rng);
    let once = IdempotencyKey::make(&mut town.rng);
    phone.sig.post(api::DEVICES, tablet.identity().bytes(), once).await.unwrap();

    // A duress PIN is used before the relay has heard of the dossier: the order waits.
    let (root, circle) = (SigningKey::make(&mut town.rng), CircleId::make(&mut town.rng));
    let order = Order {
        circle,
        device: phone.keys.device,
        author: phone.keys.device,
        kind: OrderKind::Freeze,
        number: 1,
        made_at: SystemClock.now(),
    };
    let order = Signed::make(order, &phone.keys.sig);
    let note = NoteBody {
        kind: NoteKind::Unlocked,
        duress: true,
        alarm: None,
        made_at: SystemClock.now(),
        freeze: Some(order.bytes().to_vec().into()),
    };
    let (id, entry) = (NoteId::make(&mut town.rng), town.directory().desks[0].clone());
    let note = Note::seal(id, phone.keys.device, &entry, &note, &phone.keys.alarm, &mut town.rng).unwrap();
    phone.alarm.post(api::NOTES, note.bytes(), IdempotencyKey(id.0)).await.unwrap();
    let desk = std::sync::Arc::clone(&town.sites[0].desk);
    let waits = || desk.waiting_orders().unwrap().iter().any(|order| order.attempts > 0).then_some(());
    until("a try that the relay refused", waits).await;
    town.kill_desk(0);

    let owner = |keys: &DeviceKeys| Member {
        device: keys.device,
        sig: keys.sig.verify_key(),
        kem: keys.kem.public(),
        role: MemberRole::Owner,
    };
    let (mut membership, genesis) =
        Membership::found(circle, CircleKind::Dossier, root.verify_key(), None, owner(&phone.keys), &root);
    let mut records = vec![genesis];
    for operation in [Operation::Add { member: owner(&tablet) }, Operation::Confirm { device: tablet.device }] {
        let record = membership.next(phone.keys.device, operation, &phone.keys.sig);
        membership.apply(record.bytes()).unwrap();
        records.push(record);
    }
    let path = api::LOG.replace("{circle}", &circle.to_string());
    for record in &records {
        let once = IdempotencyKey::make(&mut town.rng);
        phone.sig.post(&path, record.bytes(), once).await.unwrap();
    }
    town.revive_desk(0).await;
    let caller = Caller { device: tablet.device, key: tablet.alarm.clone(), which: RequestKey::Alarm };
    let roots = Trust::Roots(vec![town.relay_entry.tls_roots[0].to_vec()]);
    let at_tablet = RelayClient::new(&town.relay_entry.urls, &roots, Some(caller)).unwrap();
    let event = tokio::time::timeout(PATIENCE, async { at_tablet.live(0).await.unwrap().next().await.unwrap() });
    let LiveEvent::Mail { mail, .. } = event.await.unwrap() else { panic!("mail comes first") };
    assert_eq!((mail.kind, &mail.document[..]), (MailKind::Order, order.bytes()));
    let desk = std::sync::Arc::clone(&town.sites[0].desk);
    until("nothing waits any more", || desk.waiting_orders().unwrap().is_empty().then_some(())).await;
}
