//! Officers' browsers, woken over a push service that checks who asks with a library of others, and told nothing.

use std::time::Duration;

use baken_server::channel::Why;
use baken_server::desk::{Standing, TestError};
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{MAYOR, World};
use crate::peer::Peer;

/// A desk that wakes browsers, and a push service that its entry trusts.
struct Stage {
    world: World,
    console: Browser,
    peer: Peer,
    port: u16,
    _pems: tempfile::TempDir,
}

impl Stage {
    async fn set_up(answers: &str) -> Self {
        let pems = tempfile::tempdir().unwrap();
        let root_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&root_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = leaf.signed_by(&key, &Issuer::new(params, root_key)).unwrap();
        let (root_path, service) = (pems.path().join("root.pem"), pems.path().join("service.pem"));
        std::fs::write(&root_path, root.pem()).unwrap();
        std::fs::write(&service, certificate.pem() + &key.serialize_pem()).unwrap();
        let entry = format!(
            "[[push]]\nname = \"browsers\"\nsubject = \"mailto:ict@politie.example\"\nown_network = true\nroot = \"{}\"\n",
            root_path.display()
        );
        let world = World::with_channels(&entry).await;
        let taken = world.desk.push_key().unwrap().to_owned();
        let arguments = ["--certificate", service.to_str().unwrap(), "--key", &taken, "--answers", answers];
        let (peer, port) = Peer::listening("push_service.py", &arguments, &[]).await;
        let console = Browser::new(desk_of(&world));
        Self { world, console, peer, port, _pems: pems }
    }

    fn endpoint(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}/{path}", self.port)
    }

    /// An officer at a browser of theirs.
    async fn browser(&mut self, name: &str) -> Browser {
        let (_, token) = self.world.officer(name);
        let mut browser = self.console.beside();
        assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
        browser
    }

    /// They press the button there.
    async fn turn_on(&self, browser: &Browser, path: &str) -> (StatusCode, Value) {
        let body = json!({ "endpoint": self.endpoint(path) }).to_string();
        let page = browser.ask("POST", "/api/push", "application/json", body).await;
        (page.status, serde_json::from_str(&page.text).unwrap())
    }
}

#[tokio::test]
async fn an_alarm_wakes_each_officers_browser_with_an_empty_message_that_proves_whose_it_is() {
    let mut stage = Stage::set_up("503,201").await;
    let jansen = stage.browser("Agent Jansen").await;
    let vries = stage.browser("Agent de Vries").await;
    assert_eq!(stage.turn_on(&jansen, "p/1").await.0, StatusCode::OK);
    assert_eq!(stage.turn_on(&vries, "p/2").await.0, StatusCode::OK);
    let phone = stage.world.phone().await;
    let (alarm, _) = stage.world.ringing(&phone).await;
    stage.world.desk.deliver_all().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(stage.peer.next().await);
    }
    for request in &seen {
        assert_eq!((&request["verified"], &request["body"]), (&json!(true), &json!(0)), "{request}");
        let how = (&request["ttl"], &request["urgency"], &request["topic"]);
        assert_eq!(how, (&json!("3600"), &json!("high"), &json!("baken")));
        assert_eq!(request["subject"], "mailto:ict@politie.example");
    }
    // The first try failed and was made again.
    let answered: Vec<_> = seen.iter().filter(|one| one["answered"] == 201).map(|one| one["path"].clone()).collect();
    assert_eq!((answered.len(), answered.contains(&json!("/p/1")), answered.contains(&json!("/p/2"))), (2, true, true));
    let view = stage.world.view(&alarm);
    let shown: Vec<_> = view.deliveries.iter().map(|one| (one.channel, one.state, one.to.as_deref())).collect();
    assert_eq!(shown[0], ("push", "handed-over", Some("Agent Jansen (127.0.0.1)")));
    assert_eq!(shown.len(), 2);
    assert!(view.summary.ringing && view.summary.held_by.is_none(), "a machine's answer is nobody's eye");
    // Nothing lies in the open, and nothing of the alarm went out.
    let told = format!("{seen:?}");
    let id = alarm.value().header.alarm.to_string();
    assert!(!told.contains(MAYOR) && !told.contains(&id));
    for file in ["desk.db", "desk.db-wal"] {
        let bytes = std::fs::read(stage.world.dir.path().join(file)).unwrap_or_default();
        for secret in ["127.0.0.1", "de Vries"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {file}");
        }
    }
}

#[tokio::test]
async fn a_test_is_the_proof_and_without_a_browser_there_is_nothing_to_test() {
    let mut stage = Stage::set_up("201").await;
    assert!(matches!(stage.world.desk.test_channel("browsers", "test").await, Err(TestError::Nobody)));
    assert_eq!(stage.world.desk.channel_views().unwrap()[0].standing, Standing::Never);
    let jansen = stage.browser("Agent Jansen").await;
    stage.turn_on(&jansen, "p/1").await;
    let page = jansen.get("/channels").await.text;
    assert!(page.contains("Nooit bewezen") && page.contains("Agent Jansen (127.0.0.1)"), "{page}");
    assert!(page.contains(&format!("data-key=\"{}\"", stage.world.desk.push_key().unwrap())));
    assert_eq!(jansen.post("/channels/browsers/test", "").await.status, StatusCode::SEE_OTHER);
    stage.world.desk.deliver_all().await.unwrap();
    assert_eq!(stage.peer.next().await["urgency"], "high");
    assert_eq!(stage.world.desk.channel_views().unwrap()[0].standing, Standing::Proven);
    // The same browser again stays one, and proven.
    stage.turn_on(&jansen, "p/1").await;
    assert_eq!(stage.world.desk.channel_views().unwrap()[0].recipients.len(), 1);
    assert_eq!(stage.world.desk.channel_views().unwrap()[0].standing, Standing::Proven);
    // What the browser loads for it is here, and nothing else runs.
    let worker = jansen.get("/push-worker.js").await;
    assert_eq!((worker.status, worker.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "text/javascript"));
    assert!(worker.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
}

#[tokio::test]
async fn a_browser_that_is_gone_is_woken_no_more_and_that_is_said_until_it_is_turned_on_again() {
    let mut stage = Stage::set_up("201").await;
    let jansen = stage.browser("Agent Jansen").await;
    stage.turn_on(&jansen, "gone/1").await;
    let phone = stage.world.phone().await;
    let (alarm, _) = stage.world.ringing(&phone).await;
    stage.world.desk.deliver_all().await.unwrap();
    assert_eq!(stage.peer.next().await["answered"], 410);
    let delivery = &stage.world.view(&alarm).deliveries[0];
    assert_eq!((delivery.state, delivery.why, delivery.attempts), ("failed", Some(Why::Unsubscribed), 1));
    let page = jansen.get("/channels").await.text;
    assert!(page.contains("zet meldingen in die browser opnieuw aan"), "{page}");
    let listed: Value = serde_json::from_str(&jansen.get("/api/push").await.text).unwrap();
    assert!(listed["browsers"][0]["ended_at"].is_i64() || listed["browsers"][0]["ended_at"].is_string(), "{listed}");
    // Nothing more goes there, and another takes its place.
    stage.world.ringing(&phone).await;
    stage.turn_on(&jansen, "p/2").await;
    stage.world.ringing(&phone).await;
    stage.world.desk.deliver_all().await.unwrap();
    assert_eq!(stage.peer.next().await["path"], "/p/2");
    let listed: Value = serde_json::from_str(&jansen.get("/api/push").await.text).unwrap();
    assert_eq!(listed["browsers"].as_array().map(Vec::len), Some(1));
    assert!(stage.peer.stop().await.is_empty());
}

#[tokio::test]
async fn only_an_officer_turns_their_own_browser_on_and_off_and_only_towards_the_outside() {
    let mut stage = Stage::set_up("201").await;
    let (jansen, vries) = (stage.browser("Agent Jansen").await, stage.browser("Agent de Vries").await);
    let stranger = stage.console.beside();
    assert_eq!(stage.turn_on(&stranger, "p/1").await.0, StatusCode::UNAUTHORIZED);
    let id = stage.turn_on(&jansen, "p/1").await.1["browser"].as_str().unwrap().to_owned();
    assert_eq!(vries.post(&format!("/push/{id}/remove"), "").await.status, StatusCode::NOT_FOUND);
    for wrong in ["http://127.0.0.1:1/x", "no address", ""] {
        let body = json!({ "endpoint": wrong }).to_string();
        let page = jansen.ask("POST", "/api/push", "application/json", body).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    for number in 2..=8 {
        assert_eq!(stage.turn_on(&jansen, &format!("p/{number}")).await.0, StatusCode::OK);
    }
    let (status, problem) = stage.turn_on(&jansen, "p/9").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("too_many")));
    assert_eq!(jansen.post(&format!("/push/{id}/remove"), "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(stage.turn_on(&jansen, "p/9").await.0, StatusCode::OK);
    // Who is an officer no more is woken no more.
    stage.world.desk.officers().remove("Agent Jansen").unwrap();
    stage.turn_on(&vries, "p/vries").await;
    stage.world.desk.test_channel("browsers", "test").await.unwrap();
    stage.world.desk.deliver_all().await.unwrap();
    assert_eq!(stage.peer.next().await["path"], "/p/vries");
    assert!(stage.peer.stop().await.is_empty());
    // A desk without the entry offers none.
    let world = World::new().await;
    assert_eq!(world.desk.push_key(), None);
}

#[tokio::test]
async fn a_browser_that_could_not_be_read_for_a_moment_is_woken_all_the_same() {
    let mut stage = Stage::set_up("201").await;
    let jansen = stage.browser("Agent Jansen").await;
    stage.turn_on(&jansen, "p/1").await;
    let phone = stage.world.phone().await;
    let (alarm, _) = stage.world.ringing(&phone).await;
    let disk = rusqlite::Connection::open(stage.world.dir.path().join("desk.db")).unwrap();
    disk.execute_batch("ALTER TABLE push_subscription RENAME TO out_of_reach").unwrap();
    let back = async {
        while stage.world.view(&alarm).deliveries[0].attempts == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(stage.world.view(&alarm).deliveries[0].why, Some(Why::NotRead));
        disk.execute_batch("ALTER TABLE out_of_reach RENAME TO push_subscription").unwrap();
    };
    let (delivered, ()) = tokio::join!(stage.world.desk.deliver_all(), back);
    delivered.unwrap();
    assert_eq!(stage.peer.next().await["path"], "/p/1");
    assert_eq!(stage.world.view(&alarm).deliveries[0].state, "handed-over");
}

/// What the worker shows when the browser's service has given it another address, and the desk answers like this.
fn shown_after_a_change(answer: &str) -> Value {
    let script = r#"
        const [worker, answer] = process.argv.slice(1);
        const listeners = {}, shown = [], sent = [];
        const self = {
            location: { href: "https://desk.example/push-worker.js?lang=en" },
            addEventListener: (kind, listener) => { listeners[kind] = listener; },
            registration: { showNotification: async (title, how) => { shown.push(how); } },
        };
        const fetch = async (path, how) => {
            sent.push([path, how.body]);
            if (answer === "none") throw new TypeError("no connection");
            return { ok: answer === "200", status: Number(answer) };
        };
        new Function("self", "fetch", require("fs").readFileSync(worker, "utf8"))(self, fetch);
        let done;
        const event = { newSubscription: { endpoint: "https://push.example/2" }, waitUntil: (work) => { done = work; } };
        listeners.pushsubscriptionchange(event);
        done.then(() => console.log(JSON.stringify({ shown, sent })));
    "#;
    let worker = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/push-worker.js");
    let run = std::process::Command::new("node").args(["-e", script, worker, answer]).output();
    let run = run.expect("no Node.js: run `cargo xtask test`");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn an_officer_whose_browser_the_desk_did_not_take_under_its_new_address_is_told() {
    let told = shown_after_a_change("200");
    assert_eq!(told["sent"], json!([["/api/push", "{\"endpoint\":\"https://push.example/2\"}"]]));
    assert_eq!(told["shown"], json!([]));
    for failed in ["401", "503", "none"] {
        let told = shown_after_a_change(failed);
        let body = told["shown"][0]["body"].as_str().unwrap_or_default();
        assert!(body.contains("turn them on again"), "{failed}: {told}");
    }
}
