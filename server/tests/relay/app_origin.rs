//! Which web page may read the relay's answers: the phone app's own, where the relay is told of one, and no other.

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use baken_server::relay::RelayOptions;

use super::world::{AUTHORITY, World, open_with};

const APP: &str = "https://app.example";

/// The status and headers of an answer to a page of this origin.
async fn asked(world: &World, method: &str, origin: &str) -> (u16, HeaderMap) {
    let request = Request::builder().method(method).uri("/health").header("origin", origin);
    let request = request.header("access-control-request-method", "GET").body(Body::empty()).unwrap();
    let answer = world.request(request).await;
    (answer.status().as_u16(), answer.headers().clone())
}

#[tokio::test]
async fn no_page_but_the_apps_own_reads_what_the_relay_tells() {
    let mut world = World::new().await;
    for method in ["GET", "OPTIONS"] {
        let (_, headers) = asked(&world, method, APP).await;
        assert!(!headers.contains_key("access-control-allow-origin"), "{method} without an app");
    }

    world.relay.close();
    let options = RelayOptions {
        authorities: vec![AUTHORITY.to_owned()],
        app_origin: Some(APP.to_owned()),
        ..RelayOptions::default()
    };
    world.relay = open_with(options, world.dir.path(), &world.clock, &world.relay_keys, &mut world.rng).await;
    let (status, headers) = asked(&world, "OPTIONS", APP).await;
    assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (204, APP));
    let named = headers["access-control-allow-headers"].to_str().unwrap();
    assert!(
        ["signature", "signature-input", "content-digest", "idempotency-key"].iter().all(|name| named.contains(name))
    );
    // No cookie ever goes along.
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let (status, headers) = asked(&world, "GET", APP).await;
    assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (200, APP));
    for other in ["https://app.example.evil", "http://app.example", "null"] {
        for method in ["GET", "OPTIONS"] {
            let (_, headers) = asked(&world, method, other).await;
            assert!(!headers.contains_key("access-control-allow-origin"), "{method} {other}");
        }
    }
}
