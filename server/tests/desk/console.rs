//! The console as a browser sees it, and as somebody who should not be there does.

use axum::body::Body;
use axum::extract::ConnectInfo;
use baken_schemas::alarm::Timeline;
use baken_schemas::id::AlarmId;
use baken_server::desk::officers::{LINK_LIFETIME_MS, Token};
use baken_server::desk::run::RelayLink;
use baken_server::desk::{Desk, SESSION_LIFETIME_MS};
use baken_server::web::Console;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::desk::world::{CONSOLE, MAYOR, World, open};

/// A browser at a console.
#[derive(Clone)]
pub struct Browser {
    router: axum::Router,
    cookie: String,
    pub origin: Option<&'static str>,
    /// Where it connects from.
    pub address: SocketAddr,
    _link: watch::Sender<RelayLink>,
    _stop: watch::Sender<bool>,
}

pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Browser {
    pub fn new(desk: Desk) -> Self {
        let since = desk.now();
        let (link, links) = watch::channel(RelayLink::Live { since });
        let (stop, stops) = watch::channel(false);
        let router = Console::new(Arc::new(desk), links, stops).router();
        Self {
            router,
            cookie: String::new(),
            origin: Some(CONSOLE),
            address: ([127, 0, 0, 1], 4000).into(),
            _link: link,
            _stop: stop,
        }
    }

    /// Another one at the same console, in which nobody has logged in.
    pub fn beside(&self) -> Self {
        Self { cookie: String::new(), ..self.clone() }
    }

    pub async fn ask(&self, method: &str, path: &str, kind: &str, body: String) -> Page {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, &self.cookie);
        }
        if let Some(origin) = self.origin.filter(|_| method == "POST") {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn send(&self, mut request: Request<Body>) -> Page {
        request.extensions_mut().insert(ConnectInfo(self.address));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Page { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes: bytes.to_vec() }
    }

    /// As the page's own script looks while nobody touches it.
    pub async fn look_untouched(&self, path: &str) -> Page {
        let request = Request::builder().uri(path).header(header::COOKIE, &self.cookie).header("baken-untouched", "1");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Page {
        self.ask("GET", path, "text/plain", String::new()).await
    }

    pub async fn post(&self, path: &str, form: &str) -> Page {
        self.ask("POST", path, "application/x-www-form-urlencoded", form.to_owned()).await
    }

    async fn act(&self, alarm: AlarmId, act: &str, said: Value) -> Page {
        self.ask("POST", &format!("/api/alarms/{alarm}/{act}"), "application/json", said.to_string()).await
    }

    pub async fn log_in(&mut self, token: &str) -> StatusCode {
        let page = self.post("/login", &format!("token={token}")).await;
        self.keep_session(&page);
        page.status
    }

    /// Keeps the session that an answer starts, as a browser does.
    pub fn keep_session(&mut self, page: &Page) {
        if let Some(cookie) = page.headers.get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            for part in ["__Host-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
    }
}

/// A console with one ringing alarm and one officer's link.
async fn ringing() -> (World, AlarmId, String) {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let (_, token) = world.officer("Agent Jansen");
    (world, alarm.value().header.alarm, token.reveal().to_owned())
}

/// The desk again, for a browser to own; the world keeps the folder.
pub fn desk_of(world: &World) -> Desk {
    open(world.dir.path(), &world.keys, &world.org, &world.clock)
}

#[tokio::test]
async fn an_officer_sees_the_alarm_acts_with_plain_forms_and_reads_the_result() {
    let (world, alarm, token) = ringing().await;
    let mut browser = Browser::new(desk_of(&world));
    let offered = browser.get(&format!("/login/{token}")).await;
    assert_eq!((offered.status, offered.headers.get(header::SET_COOKIE)), (StatusCode::OK, None));
    assert_eq!(browser.log_in(&token).await, StatusCode::SEE_OTHER);
    let list = browser.get("/").await;
    for shown in [
        "Noodalarm",
        MAYOR,
        "52.3717500, 4.8903500",
        ">RD</dt><dd>12",
        "Nauwkeurig tot</dt><dd>12 m",
        "Ik heb deze",
        "geo:52.37",
    ] {
        assert!(list.text.contains(shown), "{shown} is not in {}", list.text);
    }
    let english = browser.get("/?lang=en").await;
    assert!(english.text.contains("Emergency") && english.text.contains("lang=\"en\""));

    let taken = browser.post(&format!("/alarms/{alarm}/acknowledge"), "").await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
    assert_eq!(taken.headers[header::LOCATION], format!("/alarms/{alarm}"));
    let verified = browser.post(&format!("/alarms/{alarm}/verify"), "how=teruggebeld").await;
    assert_eq!(verified.status, StatusCode::SEE_OTHER);
    let page = browser.get(&format!("/alarms/{alarm}")).await;
    for shown in ["Agent Jansen van Oost heeft dit alarm", "teruggebeld", "Geverifieerd"] {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
    assert!(page.text.contains(&format!("/alarms/{alarm}/timeline")));
    let file = browser.get(&format!("/alarms/{alarm}/timeline")).await;
    let proven = Timeline::parse(&file.bytes).unwrap().prove(Some(world.directory().org())).unwrap();
    assert_eq!((proven.faults.len(), proven.steps.len()), (0, 3));
    assert_eq!(proven.steps[2].text.as_deref(), Some("teruggebeld"));
    let empty = browser.post(&format!("/alarms/{alarm}/close"), "outcome=").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let closed = browser.post(&format!("/alarms/{alarm}/close"), "outcome=veilig+thuis").await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/").await.text.contains("geen open alarmen"));
    assert!(browser.get("/?closed=1").await.text.contains(MAYOR));
}

#[tokio::test]
async fn a_login_link_works_once_and_not_for_long() {
    let (mut world, _, token) = ringing().await;
    let (_, late) = world.officer("Agent Bakker");
    let mut browser = Browser::new(desk_of(&world));
    assert_eq!(browser.log_in(&token).await, StatusCode::SEE_OTHER);
    let mut thief = Browser::new(desk_of(&world));
    assert_eq!(thief.log_in(&token).await, StatusCode::FORBIDDEN);
    assert_eq!(thief.log_in("x").await, StatusCode::FORBIDDEN);
    world.clock.advance(LINK_LIFETIME_MS + 1000);
    assert_eq!(thief.log_in(late.reveal()).await, StatusCode::FORBIDDEN);
    assert_eq!(thief.get("/").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn guesses_at_a_login_do_not_fill_the_audit() {
    let mut world = World::new().await;
    let database = rusqlite::Connection::open(world.dir.path().join("desk.db")).unwrap();
    let noted = || -> u32 {
        let sql = "SELECT count(*) FROM audit WHERE act = 'login' AND result = 'refused'";
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for _ in 0..100 {
        assert!(world.desk.log_in(&Token::make(&mut world.rng)).await.unwrap().is_none());
    }
    let in_a_minute = noted();
    assert!((1..=20).contains(&in_a_minute), "{in_a_minute} rows that anybody can write");
    world.clock.advance(60_000);
    world.desk.log_in(&Token::make(&mut world.rng)).await.unwrap();
    assert_eq!(noted(), in_a_minute + 1);
}

#[tokio::test]
async fn a_session_ends_with_its_shift_its_officer_and_on_request() {
    let (mut world, _, token) = ringing().await;
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(&token).await;
    world.clock.advance(SESSION_LIFETIME_MS - 60_000);
    assert_eq!(browser.get("/api/alarms").await.status, StatusCode::OK);
    world.clock.advance(120_000);
    assert_eq!(browser.get("/api/alarms").await.status, StatusCode::UNAUTHORIZED);

    let (_, token) = world.officer("Agent Bakker");
    browser.log_in(token.reveal()).await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    world.desk.officers().remove("Agent Bakker").unwrap();
    assert_eq!(browser.get("/").await.status, StatusCode::UNAUTHORIZED);

    let (_, token) = world.officer("Agent Visser");
    browser.log_in(token.reveal()).await;
    browser.post("/logout", "").await;
    assert_eq!(browser.get("/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nothing_is_shown_or_done_for_who_is_not_logged_in() {
    let (world, alarm, _) = ringing().await;
    let browser = Browser::new(desk_of(&world));
    for path in [
        "/",
        "/?closed=1",
        &format!("/alarms/{alarm}"),
        "/api/alarms",
        &format!("/api/alarms/{alarm}"),
        "/live",
        &format!("/alarms/{alarm}/timeline"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!page.text.contains(MAYOR), "{path}");
    }
    for act in ["acknowledge", "verify", "underway", "close"] {
        let refused = browser.act(alarm, act, json!({ "how": "x", "outcome": "x" })).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(browser.post(&format!("/alarms/{alarm}/{act}"), "").await.status, StatusCode::UNAUTHORIZED);
    }
    assert!(world.desk.alarm(alarm).unwrap().unwrap().summary.ringing);
}

#[tokio::test]
async fn another_sites_page_cannot_act_in_an_officers_name() {
    let (world, alarm, token) = ringing().await;
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(&token).await;
    for origin in [Some("https://evil.example"), Some("null"), Some("https://desk.example"), None] {
        browser.origin = origin;
        assert_eq!(browser.post(&format!("/alarms/{alarm}/acknowledge"), "").await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.act(alarm, "acknowledge", json!({})).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.post("/logout", "").await.status, StatusCode::FORBIDDEN);
    }
    assert!(world.desk.alarm(alarm).unwrap().unwrap().summary.ringing);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_second_officer_is_told_who_has_it() {
    let (mut world, alarm, token) = ringing().await;
    let (_, other) = world.officer("Agent Bakker");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(&token).await;
    let taken = browser.act(alarm, "acknowledge", json!({})).await;
    assert_eq!(taken.status, StatusCode::OK);
    let taken: Value = serde_json::from_str(&taken.text).unwrap();
    assert_eq!((&taken["state"], &taken["held_by"]["officer"]), (&json!("seen"), &json!("Agent Jansen")));
    browser.log_in(other.reveal()).await;
    let late = browser.act(alarm, "acknowledge", json!({})).await;
    let problem: Value = serde_json::from_str(&late.text).unwrap();
    assert_eq!((late.status, &problem["code"]), (StatusCode::CONFLICT, &json!("already_acknowledged")));
    assert!(problem["detail"].as_str().unwrap().contains("Agent Jansen"), "{problem}");
    let page = browser.post(&format!("/alarms/{alarm}/acknowledge"), "").await;
    assert!(page.status == StatusCode::CONFLICT && page.text.contains("Agent Jansen"));
}

#[tokio::test]
async fn a_page_may_load_nothing_from_elsewhere_and_shows_what_was_sent_as_text() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let header = world.header(&phone);
    let body = baken_schemas::alarm::AlarmBody { text: "<script>alert(1)</script>".to_owned(), ..super::world::body() };
    let directory = world.directory();
    let (alarm, _) =
        baken_schemas::alarm::Alarm::seal(header, &body, &directory, &phone.keys.alarm, &mut world.rng).unwrap();
    world.bring(baken_schemas::api::MailKind::Alarm, alarm.bytes()).await;
    let (_, token) = world.officer("Agent <b>Jansen");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    for path in ["/", &format!("/alarms/{}", header.alarm)] {
        let page = browser.get(path).await;
        assert!(!page.text.contains("<script>alert") && !page.text.contains("<b>Jansen"), "{}", page.text);
        assert!(page.text.contains("alert(1)"));
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
        assert!(!page.text.contains("style=") && !page.text.contains("onclick="));
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    }
    for asset in ["/assets/console.css", "/assets/console.js"] {
        assert_eq!(browser.get(asset).await.status, StatusCode::OK);
    }
    assert_eq!(browser.get("/assets/../desk.db").await.status, StatusCode::NOT_FOUND);
    let large = browser.post(&format!("/alarms/{}/verify", header.alarm), &format!("how={}", "x".repeat(20_000))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_map_comes_from_the_tile_server_that_the_desk_names_and_from_nowhere_else() {
    let map = "[map]\ntiles = \"https://tiles.example:8443/nl/{z}/{x}/{y}.png\"\nattribution = \"Kaart: Voorbeeld\"\n";
    for (channels, named) in [("", false), (map, true)] {
        let mut world = World::with_channels(channels).await;
        let phone = world.phone().await;
        let (alarm, _) = world.ringing(&phone).await;
        let (_, token) = world.officer("Agent Jansen");
        let mut browser = Browser::new(desk_of(&world));
        browser.log_in(token.reveal()).await;
        let page = browser.get(&format!("/alarms/{}", alarm.value().header.alarm)).await;
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert_eq!(policy.contains("img-src 'self' https://tiles.example:8443;"), named, "{policy}");
        assert_eq!(policy.matches("https://").count(), usize::from(named), "{policy}");
        // Level 18 at the square of the test's position (OpenStreetMap's "Slippy map tilenames").
        assert_eq!(page.text.contains("href=\"https://tiles.example:8443/nl/18/"), named);
        assert_eq!(page.text.contains("Kaart: Voorbeeld"), named);
        assert!(page.text.contains("class=\"accuracy\""));
    }
}
