//! The adviser's portal, as a browser meets it and as pages of others do. What it does with commands a real browser plays.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use baken_schemas::time::{Clock, SystemClock, Timestamp};
use baken_server::portal::{PortalAt, PortalFolders, portal};
use http::{Request, Response, StatusCode, header};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tower::ServiceExt as _;

struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    host: &'a str,
    origin: &'a str,
    cookie: &'a str,
    body: String,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        let (host, origin) = ("localhost:18080", "http://localhost:18080");
        Self { method: "GET", path: "/ladders", host, origin, cookie: "", body: String::new() }
    }
}

async fn ask(router: &Router, asked: Asked<'_>) -> Response<Body> {
    let request = Request::builder()
        .method(asked.method)
        .uri(asked.path)
        .header(header::HOST, asked.host)
        .header(header::ORIGIN, asked.origin)
        .header(header::COOKIE, asked.cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    router.clone().oneshot(request.body(Body::from(asked.body)).unwrap()).await.unwrap()
}

fn started(folder: &tempfile::TempDir) -> (PortalAt, Router) {
    started_with(folder, Arc::new(SystemClock))
}

fn started_with(folder: &tempfile::TempDir, clock: Arc<dyn Clock>) -> (PortalAt, Router) {
    let at = |name: &str| folder.path().join(name);
    let folders = PortalFolders { adviser: at("adviser"), root: None, edition: at("edition") };
    let address: SocketAddr = "127.0.0.1:18080".parse().unwrap();
    portal(folders, address, clock, &mut ChaCha20Rng::seed_from_u64(3))
}

#[tokio::test]
async fn nobody_but_the_browser_that_used_the_link_is_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let (at, router) = started(&folder);
    let token = at.link.rsplit('/').next().unwrap();
    let enter =
        |token: &str| Asked { method: "POST", path: "/enter", body: format!("token={token}"), ..Asked::default() };
    assert_eq!(ask(&router, Asked::default()).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&router, enter("guessed")).await.status(), StatusCode::FORBIDDEN);
    // A page of somebody else, and a name of theirs that leads to this machine.
    for wrong in [
        Asked { origin: "https://evil.example", ..enter(token) },
        Asked { origin: "null", ..enter(token) },
        Asked { host: "evil.example:18080", ..enter(token) },
        Asked { host: "localhost:18081", origin: "http://localhost:18081", ..enter(token) },
    ] {
        assert_eq!(ask(&router, wrong).await.status(), StatusCode::FORBIDDEN);
    }
    // Looking at the link does not use it up.
    let offered = ask(&router, Asked { path: &format!("/enter/{token}"), ..Asked::default() }).await;
    assert_eq!((offered.status(), offered.headers().get(header::SET_COOKIE)), (StatusCode::OK, None));
    let entered = ask(&router, enter(token)).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(ask(&router, enter(token)).await.status(), StatusCode::FORBIDDEN);
    // Let in, it is told what is wrong with the folder; everybody else is told nothing.
    let inside = |cookie| Asked { cookie, ..Asked::default() };
    assert_eq!(ask(&router, inside(cookie)).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ask(&router, inside("baken-adviser=x")).await.status(), StatusCode::UNAUTHORIZED);
    let foreign = Asked { host: "evil.example", ..inside(cookie) };
    assert_eq!(ask(&router, foreign).await.status(), StatusCode::FORBIDDEN);
    let leave = Asked { method: "POST", path: "/leave", cookie, ..Asked::default() };
    assert_eq!(ask(&router, leave).await.status(), StatusCode::OK);
    assert_eq!(ask(&router, inside(cookie)).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_of_the_portal_runs_no_script_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (_, router) = started(&folder);
    for path in ["/", "/people", "/assets/portal.js", "/nothing"] {
        let answer = ask(&router, Asked { path, ..Asked::default() }).await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("trusted-types 'none'"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test]
async fn only_names_that_never_leave_the_machine_reach_the_portal() {
    let folder = tempfile::tempdir().unwrap();
    let (_, router) = started(&folder);
    // The status says how far it came: 401 is the portal's own answer to who was not let in.
    for own in ["localhost:18080", "LOCALHOST:18080", "127.0.0.1:18080", "127.255.3.4:18080", "[::1]:18080"] {
        let page = format!("http://{own}");
        let leave = Asked { method: "POST", path: "/leave", host: own, origin: &page, ..Asked::default() };
        assert_eq!(ask(&router, leave).await.status(), StatusCode::UNAUTHORIZED, "{own}");
        // A page under one name is not a page under another.
        let other =
            Asked { method: "POST", path: "/leave", host: own, origin: "http://127.0.0.9:18080", ..Asked::default() };
        assert_eq!(ask(&router, other).await.status(), StatusCode::FORBIDDEN, "{own}");
    }
    let foreign = [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "127.0.0.1:18081",
        "[::1]:18081",
        "128.0.0.1:18080",
        "0.0.0.0:18080",
        "[::]:18080",
        "[::2]:18080",
        "127.1:18080",
        "127.0.0.1.evil.example:18080",
        "localhost.evil.example:18080",
        "localhost.:18080",
        "::1:18080",
        "[::ffff:10.0.0.1]:18080",
        "evil.example:18080",
        "",
    ];
    for host in foreign {
        assert_eq!(ask(&router, Asked { host, ..Asked::default() }).await.status(), StatusCode::FORBIDDEN, "{host}");
    }
}

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn a_session_of_the_portal_ends_when_nobody_asks_and_after_a_shift() {
    const MINUTE_MS: i64 = 60_000;
    for (step_minutes, steps_in) in [(29, 16), (30, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Set(AtomicI64::new(1_800_000_000_000)));
        let (at, router) = started_with(&folder, clock.clone());
        let body = format!("token={}", at.link.rsplit('/').next().unwrap());
        let entered = ask(&router, Asked { method: "POST", path: "/enter", body, ..Asked::default() }).await;
        let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
        // A folder that is not there is told to the one who is let in alone.
        for _ in 0..steps_in {
            clock.0.fetch_add(step_minutes * MINUTE_MS, Ordering::Relaxed);
            let asked = ask(&router, Asked { cookie, ..Asked::default() }).await;
            assert_eq!(asked.status(), StatusCode::UNPROCESSABLE_ENTITY);
        }
        // 16 steps of 29 minutes are 464; the next is past eight hours.
        clock.0.fetch_add(step_minutes * MINUTE_MS, Ordering::Relaxed);
        assert_eq!(ask(&router, Asked { cookie, ..Asked::default() }).await.status(), StatusCode::UNAUTHORIZED);
        // What ended stays ended, even if the clock is set back.
        clock.0.fetch_add(-step_minutes * MINUTE_MS, Ordering::Relaxed);
        assert_eq!(ask(&router, Asked { cookie, ..Asked::default() }).await.status(), StatusCode::UNAUTHORIZED);
    }
}
