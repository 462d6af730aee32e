//! The adviser's portal, as a browser meets it and as pages of others do. What it does with commands a real browser plays.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use baken_schemas::time::SystemClock;
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
    let at = |name: &str| folder.path().join(name);
    let folders = PortalFolders { adviser: at("adviser"), root: None, edition: at("edition") };
    let address: SocketAddr = "127.0.0.1:18080".parse().unwrap();
    portal(folders, address, Arc::new(SystemClock), &mut ChaCha20Rng::seed_from_u64(3))
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
