//! A network in memory between phones, desks and a relay's real router. Requests and answers are lost, repeated and
//! late, each on its own line; the relay can be away and can be killed while an answer is on its way. Everything that
//! happens is decided by one seeded source a line.

use std::collections::VecDeque;
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

use crate::sim::liar::Liar;

/// The authority that every simulated relay has.
pub const AUTHORITY: &str = "relay.test";
/// The most requests that are under way for longer than anybody waits for them; others are lost for good.
const MAX_LATE: usize = 32;

/// The weather on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Nothing gets through.
    pub down: bool,
    /// How many requests in a hundred do not reach the relay in time.
    pub lose_requests: u8,
    /// How many of those in a hundred reach it later, when nobody waits for the answer any more.
    pub late: u8,
    /// How many requests in a hundred reach the relay twice.
    pub repeat: u8,
    /// How many answers in a hundred are lost after the relay has acted.
    pub lose_answers: u8,
    /// The relay adds receipts of its own making.
    pub lies: bool,
}

impl Weather {
    /// Everything gets through.
    pub const FAIR: Self = Self { down: false, lose_requests: 0, late: 0, repeat: 0, lose_answers: 0, lies: false };
}

/// The relay's end of all lines.
struct Hub {
    router: Option<Router>,
    /// How often the relay was taken away. An answer from before that never arrives.
    cuts: u64,
    late: VecDeque<Request>,
    liar: Option<Liar>,
}

/// A caller's end of its line.
struct Line {
    weather: Weather,
    rng: ChaCha20Rng,
}

/// What becomes of a request.
struct Passage {
    lost: bool,
    late: bool,
    repeated: bool,
    answered: bool,
    lies: bool,
}

/// One line to the relay. Cheap to clone; all clones are the same line.
#[derive(Clone)]
pub struct Network {
    hub: Arc<Mutex<Hub>>,
    line: Arc<Mutex<Line>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network(…)")
    }
}

fn with<S, T>(state: &Mutex<S>, work: impl FnOnce(&mut S) -> T) -> T {
    work(&mut state.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Network {
    /// A line in fair weather to where a relay will be.
    pub fn new(seed: u64) -> Self {
        let hub = Hub { router: None, cuts: 0, late: VecDeque::new(), liar: None };
        Self::on(Arc::new(Mutex::new(hub)), seed)
    }

    /// Another line to the same relay, with weather of its own.
    pub fn another(&self, seed: u64) -> Self {
        Self::on(Arc::clone(&self.hub), seed)
    }

    fn on(hub: Arc<Mutex<Hub>>, seed: u64) -> Self {
        let line = Line { weather: Weather::FAIR, rng: ChaCha20Rng::seed_from_u64(seed) };
        Self { hub, line: Arc::new(Mutex::new(line)) }
    }

    /// Puts a relay's router on the network, or takes it away with all answers that are still on their way.
    pub fn connect(&self, router: Option<Router>) {
        with(&self.hub, |hub| {
            hub.cuts += 1;
            hub.router = router;
        });
    }

    /// What the relay lies with on lines whose weather says so.
    pub(super) fn set_liar(&self, liar: Liar) {
        with(&self.hub, |hub| hub.liar = Some(liar));
    }

    /// Changes the weather on this line.
    pub fn set_weather(&self, weather: Weather) {
        with(&self.line, |line| line.weather = weather);
    }

    /// The weather on this line.
    pub fn weather(&self) -> Weather {
        with(&self.line, |line| line.weather)
    }

    /// Lets one late request, the `choice`th of those under way, reach the relay. Says what the relay answered to
    /// nobody; `None` when none is under way or the relay is away.
    pub async fn deliver_late(&self, choice: usize) -> Option<String> {
        let (router, request) = with(&self.hub, |hub| {
            let router = hub.router.clone()?;
            let choice = choice.checked_rem(hub.late.len())?;
            Some((router, hub.late.remove(choice)?))
        })?;
        let answer = call(router, &request).await.map_or(0, |response| response.status);
        Some(format!("{} {} {answer}", request.method, request.path_and_query))
    }

    fn passage(&self) -> Passage {
        with(&self.line, |line| {
            let weather = line.weather;
            // Every draw is made whatever the others say, so that one decision does not move all later ones.
            let [lost, late, repeated, unanswered] = std::array::from_fn(|_| line.rng.random_range(0..100));
            Passage {
                lost: weather.down || lost < weather.lose_requests,
                late: !weather.down && late < weather.late,
                repeated: repeated < weather.repeat,
                answered: unanswered >= weather.lose_answers,
                lies: weather.lies,
            }
        })
    }

    /// What the relay answers, unless it is taken away before it has.
    async fn reach(&self, request: &Request, passage: &Passage) -> Result<Response, TransportError> {
        let (router, cuts) = with(&self.hub, |hub| (hub.router.clone(), hub.cuts));
        let router = router.ok_or(TransportError::Unreachable)?;
        let mut response = call(router.clone(), request).await?;
        if passage.repeated {
            response = call(router, request).await?;
        }
        with(&self.hub, |hub| {
            if hub.cuts != cuts {
                return Err(TransportError::Unreachable);
            }
            match &hub.liar {
                Some(liar) if passage.lies => Ok(liar.overstate(request, response)),
                _ => Ok(response),
            }
        })
    }
}

async fn call(router: Router, request: &Request) -> Result<Response, TransportError> {
    let mut built =
        http::Request::builder().method(request.method.clone()).uri(&request.path_and_query).header("host", AUTHORITY);
    for (name, value) in &request.headers {
        built = built.header(*name, value);
    }
    let built = built.body(Body::from(request.body.clone())).map_err(|_| TransportError::Unreachable)?;
    let response = router.oneshot(built).await.map_err(|never| match never {})?;
    let status = response.status().as_u16();
    let body =
        axum::body::to_bytes(response.into_body(), PAGE_BYTES * 2).await.map_err(|_| TransportError::TooLarge)?;
    Ok(Response { status, body })
}

#[async_trait]
impl Transport for Network {
    fn authority(&self) -> &str {
        AUTHORITY
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        // The way there and the way back: in between others act, and whoever waits can be killed.
        tokio::task::yield_now().await;
        let passage = self.passage();
        if passage.lost {
            if passage.late {
                with(&self.hub, |hub| {
                    if hub.late.len() < MAX_LATE {
                        hub.late.push_back(request);
                    }
                });
            }
            return Err(TransportError::Unreachable);
        }
        let cuts = with(&self.hub, |hub| hub.cuts);
        let response = self.reach(&request, &passage).await?;
        tokio::task::yield_now().await;
        let cut = with(&self.hub, |hub| hub.cuts) != cuts;
        if cut || !passage.answered { Err(TransportError::Unreachable) } else { Ok(response) }
    }

    async fn live(&self, _request: Request) -> Result<EventStream, TransportError> {
        // A simulation asks again instead: a stream would only hide when things are asked.
        Err(TransportError::Unreachable)
    }
}
