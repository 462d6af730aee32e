//! A desk's channels as those who keep them meet them: tested by a button over the very way that alarms go, and said to
//! work only once something went over them.

use baken_schemas::time::Clock as _;
use baken_server::channel::Why;
use baken_server::dc09::sender::Path;
use baken_server::desk::{PROOF_LASTS_MS, Standing, TestError, channel_views};
use http::StatusCode;
use serde_json::{Value, json};

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{MAYOR, World};
use crate::peer::Peer;

/// Mail to two people over a server on this machine.
fn mail(port: u16) -> String {
    format!(
        "[[smtp]]\nname = \"piket\"\nserver = \"127.0.0.1\"\nport = {port}\nencryption = \"plain\"\nown_network = true\n\
         from = \"baken@desk.example\"\nto = [\"piket@politie.example\", \"wacht@politie.example\"]\n"
    )
}

async fn mail_server(arguments: &[&str]) -> (Peer, u16) {
    Peer::listening("smtp_server.py", arguments, &[]).await
}

fn standings(world: &World) -> Vec<Standing> {
    world.desk.channel_views().unwrap()[0].recipients.iter().map(|recipient| recipient.standing).collect()
}

#[tokio::test]
async fn an_alarm_goes_to_each_by_mail_and_says_no_more_than_it_may() {
    let (mut peer, port) = mail_server(&[]).await;
    let mut world = World::with_channels(&mail(port)).await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.deliver_all().await.unwrap();
    let letters = [peer.next().await, peer.next().await];
    for (letter, to) in letters.iter().zip(["piket@politie.example", "wacht@politie.example"]) {
        assert!(letters.iter().any(|letter| letter["to"] == json!([to])), "{letters:?}");
        let told = letter.to_string();
        assert!(told.contains(&format!("https://desk.example:8444/alarms/{id}")), "{told}");
        assert!(letter["headers"]["Message-ID"].as_str().unwrap().starts_with(&format!("<{id}-received-")), "{told}");
        for private in [MAYOR, "burgemeester", "deur", "52.37", "Noodalarm", "+31600000001"] {
            assert!(!told.contains(private), "{private} is in {told}");
        }
    }
    let view = world.view(&alarm);
    for delivery in &view.deliveries {
        assert_eq!((delivery.state, delivery.answer.as_deref()), ("handed-over", Some("250")), "never delivered");
    }
    assert!(view.summary.ringing && view.summary.held_by.is_none());
    assert_eq!(standings(&world), [Standing::Proven, Standing::Proven]);
    assert_eq!(world.desk.channel_views().unwrap()[0].recipients[0].proven_by, Some("alarm"));
    // Nothing in the database names a recipient.
    let database = std::fs::read(world.dir.path().join("desk.db")).unwrap();
    let log = std::fs::read(world.dir.path().join("desk.db-wal")).unwrap_or_default();
    for bytes in [database, log] {
        assert!(!bytes.windows(15).any(|window| window == b"politie.example"));
    }
}

#[tokio::test]
async fn what_may_be_told_is_told_in_the_channels_language() {
    let (mut peer, port) = mail_server(&[]).await;
    let more = "language = \"en\"\nkind = true\nperson = true\nposition = true\nofficer = true\nevents = [\"seen\"]\n";
    let mut world = World::with_channels(&(mail(port) + more)).await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let (officer, _) = world.officer("Agent Jansen");
    let taken = baken_server::desk::Act::Acknowledge { also: false };
    world.desk.act(alarm.value().header.alarm, &officer, &taken).await.unwrap();
    world.desk.deliver_all().await.unwrap();
    let letter = peer.next().await;
    assert_eq!(letter["headers"]["Subject"], "Baken: alarm taken");
    let text = letter["text"].as_str().unwrap();
    for told in ["Emergency", &format!("{MAYOR}, burgemeester"), "52.3717500, 4.8903500", "Agent Jansen"] {
        assert!(text.contains(told), "{told} is not in {text}");
    }
}

#[tokio::test]
async fn the_button_tests_a_channel_over_the_alarms_own_way_and_that_is_the_proof() {
    // The first try of the first letter fails: a test is tried again like an alarm.
    let (mut peer, port) = mail_server(&["--answers", "451,250"]).await;
    let mut world = World::with_channels(&mail(port)).await;
    let (_, token) = world.officer("Agent Jansen");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    let page = browser.get("/channels").await;
    assert!(page.text.contains("Nooit bewezen") && page.text.contains("Test dit kanaal"), "{}", page.text);
    assert_eq!(standings(&world), [Standing::Never, Standing::Never]);

    assert_eq!(browser.post("/channels/piket/test", "").await.status, StatusCode::SEE_OTHER);
    let page = browser.get("/channels").await;
    assert!(page.text.contains("Er loopt een test") && !page.text.contains("Test dit kanaal"), "{}", page.text);
    let again = browser.ask("POST", "/api/channels/piket/test", "application/json", String::new()).await;
    let problem: Value = serde_json::from_str(&again.text).unwrap();
    assert_eq!((again.status, &problem["code"]), (StatusCode::CONFLICT, &json!("test_under_way")));
    world.desk.deliver_all().await.unwrap();
    for _ in 0..2 {
        let letter = peer.next().await;
        let letter = if letter.get("answered").is_some() { peer.next().await } else { letter };
        assert_eq!(letter["headers"]["Subject"], "Baken: test van dit kanaal, u hoeft niets te doen");
    }
    let listed: Value = serde_json::from_str(&browser.get("/api/channels").await.text).unwrap();
    let channel = &listed["channels"][0];
    assert_eq!((&channel["kind"], &channel["standing"]), (&json!("smtp"), &json!("proven")));
    let recipient = &channel["recipients"][0];
    assert_eq!((&recipient["to"], &recipient["proven_by"]), (&json!("p…@politie.example"), &json!("test")));
    assert_eq!((&recipient["proof"], &recipient["last"]["test"]), (&json!("handed-over"), &json!(true)));
    assert!(browser.get("/channels").await.text.contains("door een test"));
    assert!(browser.get("/").await.text.contains("geen open alarmen"), "a test is no alarm");

    // Proofs do not last for ever.
    world.clock.advance(PROOF_LASTS_MS - 60_000);
    assert_eq!(standings(&world), [Standing::Proven, Standing::Proven]);
    world.clock.advance(120_000);
    assert_eq!(standings(&world), [Standing::Old, Standing::Old]);
    // The same from the folder alone, as the doctor sees it.
    let views = channel_views(world.dir.path(), world.clock.now());
    assert!(views.is_err(), "this folder has no keys");
}

#[tokio::test]
async fn one_who_was_never_reached_does_not_hide_behind_the_others_and_a_test_ends() {
    let (peer, port) = mail_server(&["--refuses", "wacht@politie.example"]).await;
    let world = World::with_channels(&mail(port)).await;
    world.desk.test_channel("piket", "test").await.unwrap();
    world.desk.deliver_all().await.unwrap();
    assert_eq!(standings(&world), [Standing::Proven, Standing::Never]);
    let view = &world.desk.channel_views().unwrap()[0];
    assert_eq!(view.standing, Standing::Never);
    let last = view.recipients[1].last.as_ref().unwrap();
    assert_eq!((last.state, last.why), ("failed", Some(Why::Reply { reply: 550 })));
    assert!(matches!(world.desk.test_channel("other", "test").await, Err(TestError::Unknown)));
    peer.stop().await;
    // Nobody is there any more: it is tried a few times, and then said to have failed.
    world.desk.test_channel("piket", "test").await.unwrap();
    world.desk.deliver_all().await.unwrap();
    let view = &world.desk.channel_views().unwrap()[0];
    let last = view.recipients[0].last.as_ref().unwrap();
    assert_eq!((last.state, last.attempts, last.why), ("failed", 5, Some(Why::Unreachable)));
    assert_eq!(view.recipients[0].standing, Standing::Proven, "that it once worked stays true");
}

#[tokio::test]
async fn nobody_but_an_officer_at_the_console_tests_or_looks() {
    let mut world = World::with_channels(&mail(9)).await;
    let (_, token) = world.officer("Agent Jansen");
    let mut browser = Browser::new(desk_of(&world));
    for path in ["/channels", "/api/channels"] {
        assert_eq!(browser.get(path).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(browser.post("/channels/piket/test", "").await.status, StatusCode::UNAUTHORIZED);
    browser.log_in(token.reveal()).await;
    browser.origin = Some("https://evil.example");
    assert_eq!(browser.post("/channels/piket/test", "").await.status, StatusCode::FORBIDDEN);
    // The gateways' door takes no session and opens to nobody without a signature.
    for path in ["/callbacks/piket/1", "/callbacks/other/1"] {
        let refused = browser.post(path, "MessageStatus=delivered&MessageSid=SM1").await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    let large = browser.post("/callbacks/piket/1", &"x".repeat(20_000)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(world.desk.channel_views().unwrap()[0].recipients.iter().all(|recipient| recipient.queued == 0));
}

#[tokio::test]
async fn who_is_taken_out_of_the_settings_is_sent_nothing_more() {
    let (mut peer, port) = mail_server(&[]).await;
    let mut world = World::with_channels(&mail(port)).await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let fewer = mail(port).replace(", \"wacht@politie.example\"", "");
    std::fs::write(world.dir.path().join("desk.toml"), fewer).unwrap();
    world.restart();
    world.desk.deliver_all().await.unwrap();
    assert_eq!(peer.next().await["to"], json!(["piket@politie.example"]));
    assert!(peer.stop().await.is_empty());
    let states: Vec<_> = world.view(&alarm).deliveries.iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, ["handed-over", "failed"]);
}

#[tokio::test]
async fn those_on_duty_are_told_by_the_roster_of_the_moment() {
    let (mut peer, port) = mail_server(&[]).await;
    let dir_roster = |who: &str| {
        format!(
            "[[person]]\nname = \"A\"\nmail = \"a@politie.example\"\n[[person]]\nname = \"B\"\nmail = \"b@politie.example\"\n\
             [[shift]]\nwho = [\"{who}\"]\nfrom = \"mon 00:00\"\nto = \"mon 00:00\"\n"
        )
    };
    let addressed = mail(port).replace("\"piket@politie.example\", \"wacht@politie.example\"", "\"on-duty\"");
    let mut world = World::new().await;
    std::fs::write(world.dir.path().join("desk.toml"), addressed).unwrap();
    std::fs::write(world.dir.path().join("roster.toml"), dir_roster("A")).unwrap();
    world.restart();
    let phone = world.phone().await;
    world.ringing(&phone).await;
    world.desk.deliver_all().await.unwrap();
    assert_eq!(peer.next().await["to"], json!(["a@politie.example"]));
    // Handed over while the desk runs.
    std::fs::write(world.dir.path().join("roster.toml"), dir_roster("B")).unwrap();
    world.ringing(&phone).await;
    world.desk.deliver_all().await.unwrap();
    assert_eq!(peer.next().await["to"], json!(["b@politie.example"]));
    let (_, token) = world.officer("Agent Jansen");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    let page = browser.get("/channels").await;
    assert!(page.text.contains("Nu dienst: B") && !page.text.contains("Niemand heeft dienst"), "{}", page.text);
    // A roster that cannot be read is no roster of nobody; each of its people is tested.
    std::fs::write(world.dir.path().join("roster.toml"), "[[person]]\nname = 1").unwrap();
    world.ringing(&phone).await;
    world.desk.test_channel("piket", "test").await.unwrap();
    world.desk.deliver_all().await.unwrap();
    let rest: Vec<Value> = peer.stop().await.into_iter().map(|letter| letter["to"][0].clone()).collect();
    let told = |to: &str| rest.iter().filter(|told| *told == to).count();
    assert_eq!((told("a@politie.example"), told("b@politie.example")), (1, 2), "{rest:?}");
}

#[tokio::test]
async fn a_channel_that_fails_stops_no_other_and_a_closed_alarm_is_given_up_with_a_reason() {
    let (mut peer, port) = mail_server(&[]).await;
    let dead = "[[webhook]]\nname = \"dood\"\nurl = \"http://127.0.0.1:9/\"\nown_network = true\n\
                secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nevents = [\"received\"]\n";
    let mut world = World::with_channels(&format!("{dead}{}", mail(port))).await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let delivered = tokio::time::timeout(std::time::Duration::from_millis(900), world.desk.deliver_all()).await;
    assert!(delivered.is_err(), "the dead one is still tried");
    peer.next().await;
    peer.next().await;
    let (officer, _) = world.officer("Agent Jansen");
    let id = alarm.value().header.alarm;
    for act in [
        baken_server::desk::Act::Acknowledge { also: false },
        baken_server::desk::Act::Close { outcome: "veilig".to_owned(), ending: baken_server::desk::Ending::Unsaid },
    ] {
        world.desk.act(id, &officer, &act).await.unwrap();
    }
    let view = world.view(&alarm);
    let dead = view.deliveries.iter().find(|delivery| delivery.name == "dood").unwrap();
    assert_eq!((dead.state, dead.why), ("failed", Some(Why::AlarmClosed)));
    let mut browser = Browser::new(desk_of(&world));
    let token = world.desk.officers().link("Agent Jansen", world.clock.now(), &mut world.rng).unwrap();
    browser.log_in(token.reveal()).await;
    let page = browser.get(&format!("/alarms/{id}")).await;
    for shown in ["dood (webhook): mislukt", "afgesloten voordat dit was afgeleverd", "p…@politie.example: doorgegeven"]
    {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
}

#[tokio::test]
async fn an_alarm_centre_that_does_not_answer_is_known_before_it_is_needed() {
    let (mut main, port) = Peer::listening("dc09_receiver.py", &["--account", "1234"], &[]).await;
    let (gone, back_up) = Peer::listening("dc09_receiver.py", &["--account", "1234"], &[]).await;
    gone.stop().await;
    let channels = format!(
        "[[dc09]]\nname = \"pac\"\naddress = \"127.0.0.1:{port}\"\nbackup = \"127.0.0.1:{back_up}\"\naccount = \"1234\"\n\
         supervision_s = 60\n"
    );
    let mut world = World::with_channels(&channels).await;
    let lines = world.desk.start_lines();
    assert_eq!(lines, [("pac".to_owned(), Path::Main), ("pac".to_owned(), Path::BackUp)]);
    for line in &lines {
        assert!(world.desk.next_question(line) <= world.clock.now(), "each is asked at once");
        world.desk.ask_receiver(line).await;
        assert!(world.desk.next_question(line).since_ms(world.clock.now()) > 50_000, "and then after the interval");
        // Not yet time: nothing goes out.
        world.desk.ask_receiver(line).await;
    }
    assert_eq!(main.next().await["message"], "NULL");
    assert!(world.desk.silent_receivers().is_empty(), "one missed answer is none");

    // An alarm's own acknowledgement says as much as a question would.
    world.clock.advance(50_000);
    let phone = world.phone().await;
    world.ringing(&phone).await;
    world.desk.deliver_all().await.unwrap();
    assert_eq!(main.next().await["code"], "PA");
    assert!(world.desk.next_question(&lines[0]).since_ms(world.clock.now()) > 50_000);

    world.clock.advance(71_000);
    for line in &lines {
        world.desk.ask_receiver(line).await;
    }
    assert_eq!(main.next().await["message"], "NULL");
    let silent = world.desk.silent_receivers();
    assert_eq!((silent.len(), silent[0].path), (1, "back-up"));
    let view = &world.desk.channel_views().unwrap()[0];
    assert!(view.receivers[0].heard_at.is_some() && !view.receivers[0].silent);
    assert_eq!((view.receivers[1].silent, view.receivers[1].why), (true, Some(Why::Unreachable)));

    // It is back, and the warning goes.
    let (mut back, _) =
        Peer::listening("dc09_receiver.py", &["--account", "1234", "--port", &back_up.to_string()], &[]).await;
    world.clock.advance(61_000);
    world.desk.ask_receiver(&lines[1]).await;
    assert_eq!(back.next().await["message"], "NULL");
    assert!(world.desk.silent_receivers().is_empty());
    assert!(main.stop().await.is_empty());
}
