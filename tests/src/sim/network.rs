//! A network in memory between phones and a relay's real router: requests and answers can be lost, separately, and
//! the relay can be away. Everything that happens is decided by one seeded source.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_schemas::api::PAGE_BYTES;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tower::ServiceExt as _;

/// The authority that every simulated relay has.
pub const AUTHORITY: &str = "relay.test";

/// The weather on the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// The relay is away: nothing gets through.
    pub down: bool,
    /// How many requests in a hundred are lost before the relay sees them.
    pub lose_requests: u8,
    /// How many answers in a hundred are lost after the relay has acted.
    pub lose_answers: u8,
}

impl Weather {
    /// Everything gets through.
    pub const FAIR: Self = Self { down: false, lose_requests: 0, lose_answers: 0 };
}

struct Inner {
    router: Option<Router>,
    weather: Weather,
    rng: ChaCha20Rng,
}

/// The network. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Network(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network(…)")
    }
}

impl Network {
    /// A fair network without a relay.
    pub fn new(seed: u64) -> Self {
        let inner = Inner { router: None, weather: Weather::FAIR, rng: ChaCha20Rng::seed_from_u64(seed) };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a relay's router on the network, or takes it away.
    pub fn connect(&self, router: Option<Router>) {
        self.with(|inner| inner.router = router);
    }

    /// Changes the weather.
    pub fn set_weather(&self, weather: Weather) {
        self.with(|inner| inner.weather = weather);
    }

    /// The router, when this request gets through, and whether its answer will.
    fn admit(&self) -> Option<(Router, bool)> {
        self.with(|inner| {
            let Weather { down, lose_requests, lose_answers } = inner.weather;
            let lost = inner.rng.random_range(0..100) < lose_requests;
            let answered = inner.rng.random_range(0..100) >= lose_answers;
            if down || lost { None } else { inner.router.clone().map(|router| (router, answered)) }
        })
    }
}

#[async_trait]
impl Transport for Network {
    fn authority(&self) -> &str {
        AUTHORITY
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (router, answered) = self.admit().ok_or(TransportError::Unreachable)?;
        let mut built = http::Request::builder()
            .method(request.method)
            .uri(request.path_and_query)
            .header("host", AUTHORITY);
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        let built = built.body(Body::from(request.body)).map_err(|_| TransportError::Unreachable)?;
        let response = router.oneshot(built).await.map_err(|never| match never {})?;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), PAGE_BYTES * 2)
            .await
            .map_err(|_| TransportError::TooLarge)?;
        if answered { Ok(Response { status, body }) } else { Err(TransportError::Unreachable) }
    }

    async fn live(&self, _request: Request) -> Result<EventStream, TransportError> {
        // A simulation asks again instead: a stream would only hide when things are asked.
        Err(TransportError::Unreachable)
    }
}
