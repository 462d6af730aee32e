//! What users of other programs complained of, as stories at a desk. The page of all of them is `docs/complaints.md`.

use std::time::Duration;

use baken_schemas::alarm::{Alarm, AlarmBody, Fix, FixAbsent};
use baken_schemas::api::MailKind;
use baken_schemas::time::Clock as _;
use http::StatusCode;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{World, body};
use crate::peer::Peer;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(port: u16) -> String {
    format!(
        "[[webhook]]\nname = \"zaken\"\nurl = \"http://127.0.0.1:{port}/hook\"\nown_network = true\nsecret = \"{SECRET}\"\n\
         events = [\"received\"]\n"
    )
}

#[tokio::test]
async fn goalert_4188_forty_alarms_in_a_minute_are_forty_messages_at_once() {
    let (mut peer, port) = Peer::listening("webhook_receiver.py", &[], &[("WEBHOOK_SECRET", SECRET)]).await;
    let mut world = World::with_channels(&webhook(port)).await;
    let mut expected = Vec::new();
    for _ in 0..4 {
        let phone = world.phone().await;
        for _ in 0..10 {
            let (alarm, _) = world.ringing(&phone).await;
            expected.push(format!("{}-received", alarm.value().header.alarm));
        }
    }
    // What is held back by a limit is due later, and this waits for what is due.
    let all = tokio::time::timeout(Duration::from_secs(30), world.desk.deliver_all());
    all.await.expect("nothing is held back").unwrap();
    let mut seen = Vec::new();
    for _ in 0..expected.len() {
        seen.push(peer.next().await["id"].as_str().unwrap().to_owned());
    }
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn healthchecks_212_what_was_being_sent_when_the_desk_was_killed_is_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut world = World::with_channels(&webhook(port)).await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let asked = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The request is under way, and no answer comes.
        stream.read_u8().await.unwrap();
    };
    tokio::select! {
        () = asked => {}
        done = world.desk.deliver_all() => panic!("it had an answer: {done:?}"),
    }
    drop(listener);
    world.restart();
    let arguments = ["--port", &port.to_string()];
    let (mut peer, _) = Peer::listening("webhook_receiver.py", &arguments, &[("WEBHOOK_SECRET", SECRET)]).await;
    world.desk.deliver_all().await.unwrap();
    let seen = peer.next().await;
    assert_eq!(seen["id"], format!("{}-received", alarm.value().header.alarm), "under the same id");
    assert_eq!(world.view(&alarm).deliveries[0].state, "delivered");
    assert!(peer.stop().await.is_empty(), "and once");
}

#[tokio::test]
async fn healthchecks_190_who_opens_every_link_does_nothing_by_it() {
    let mut world = World::with_channels(&webhook(9)).await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let (_, token) = world.officer("Agent Jansen");
    let again = world.desk.officers().link("Agent Jansen", world.clock.now(), &mut world.rng).unwrap();
    let mut browser = Browser::new(desk_of(&world));
    assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
    // Every address that does something, and every link that a mail or a page has, opened by one who is logged in.
    let id = alarm.value().header.alarm;
    let mut links = vec![format!("/alarms/{id}"), format!("/login/{}", again.reveal()), "/logout".to_owned()];
    for act in [
        "acknowledge",
        "verify",
        "underway",
        "close",
        "take-over",
        "hand-to",
        "hand-on",
        "next-rung",
        "hold",
        "release",
    ] {
        links.push(format!("/alarms/{id}/{act}"));
        links.push(format!("/api/alarms/{id}/{act}"));
    }
    links.extend(["/channels/zaken/test", "/api/channels/zaken/test", "/push/00/remove"].map(str::to_owned));
    let audited = |world: &World| {
        let db = rusqlite::Connection::open(world.dir.path().join("desk.db")).unwrap();
        db.query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = audited(&world);
    for link in links {
        let page = browser.get(&link).await;
        assert!(!page.status.is_server_error(), "{link}: {}", page.status);
    }
    assert_eq!(audited(&world), before, "nothing was done");
    let shown = world.view(&alarm);
    assert!(shown.summary.ringing && shown.summary.held_by.is_none());
    assert_eq!(browser.get("/").await.status, StatusCode::OK, "still logged in");
    let mut other = browser.beside();
    assert_eq!(other.log_in(again.reveal()).await, StatusCode::SEE_OTHER, "the link was not used up");
}

#[tokio::test]
async fn traccar_3285_who_stands_still_and_calls_again_is_heard_again() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    for count in 1..=3 {
        let (alarm, _) = world.ringing(&phone).await;
        let list = world.desk.alarms(true).unwrap();
        assert_eq!((list.open, list.alarms.iter().filter(|alarm| alarm.ringing).count()), (count, count));
        assert!(world.view(&alarm).summary.position.is_some());
        world.clock.advance(10_000);
    }
}

#[tokio::test]
async fn traccar_5062_keepalive_213_a_call_without_a_position_rings_and_says_why_there_is_none() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (_, token) = world.officer("Agent Jansen");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    let mut pages = Vec::new();
    for why in [FixAbsent::NotYet, FixAbsent::SwitchedOff, FixAbsent::NoReceiver] {
        let without = AlarmBody { fix: Fix::Absent(why), ..body() };
        let header = world.header(&phone);
        let (alarm, _) = Alarm::seal(header, &without, &world.directory(), &phone.keys.alarm, &mut world.rng).unwrap();
        world.bring(MailKind::Alarm, alarm.bytes()).await;
        let shown = world.view(&alarm).summary;
        assert!(shown.ringing);
        assert_eq!((shown.position.is_none(), shown.position_absent), (true, Some(why)));
        pages.push(browser.get(&format!("/api/alarms/{}", header.alarm)).await.text);
    }
    assert_ne!(pages[0], pages[1]);
}
