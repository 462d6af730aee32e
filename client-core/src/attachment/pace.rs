//! How many chunks are on their way at a time: one at first, then more while they go through quickly, and one again when
//! they do not. On a line so slow that four at once would each run out of time, one still gets through.

use std::future::Future;

use baken_schemas::time::Timestamp;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::{BakenError, Context};

/// The most chunks on their way at a time. The relay commits what comes together as one, so that each of them costs a
/// part of a disk's sync; and a line with a long way is kept busy while it answers.
const CHUNKS_AT_ONCE: usize = 4;
/// A chunk that takes longer says that the line is slow: a request is given up after 30 s.
const SLOW_MS: i64 = 5_000;

/// Runs `carry` for each place, and says whether none is left: from the moment `until` on, none is begun. The first error
/// ends it, and what is on its way then is dropped.
pub(super) async fn each<F>(
    context: &Context,
    places: Vec<u32>,
    until: Option<Timestamp>,
    carry: impl Fn(u32) -> F,
) -> Result<bool, BakenError>
where
    F: Future<Output = Result<(), BakenError>>,
{
    let timed = |place| {
        let carried = carry(place);
        async move {
            let started = context.now();
            carried.await.map(|()| context.now().0.saturating_sub(started.0))
        }
    };
    let mut places = places.into_iter();
    let is_over = || until.is_some_and(|until| context.now() >= until);
    let mut on_their_way = FuturesUnordered::new();
    let mut at_once = 1;
    loop {
        while on_their_way.len() < at_once && !is_over() {
            let Some(place) = places.next() else { break };
            on_their_way.push(timed(place));
        }
        let Some(took_ms) = on_their_way.next().await else { return Ok(places.len() == 0) };
        at_once = if took_ms? > SLOW_MS { 1 } else { CHUNKS_AT_ONCE.min(at_once + 1) };
    }
}
