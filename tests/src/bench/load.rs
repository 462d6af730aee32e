//! An open load: each request leaves at its time whether or not the last was answered, so that a stall shows in the
//! figures instead of slowing the load.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Spread, now};
use crate::story::process::PATIENCE;

/// The row of [`flood`].
pub const A_SECOND: &str = "alarms_a_second";

/// What every contestant is given.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many one at a time.
    pub single: usize,
    /// Rates, a second.
    pub rates: &'static [usize],
    /// How long each rate lasts, in seconds.
    pub seconds: usize,
    /// How many as fast as it goes.
    pub flood: usize,
    /// And how many of those at a time.
    pub at_once: usize,
    /// How many are acknowledged before each is killed.
    pub killed_after: usize,
    /// How many phones have a live stream.
    pub streams: usize,
}

impl Load {
    /// Each run: what it is called, its rate, how many.
    pub fn runs(self) -> impl Iterator<Item = (String, Option<usize>, usize)> {
        let rated = self.rates.iter().map(move |rate| (format!("{rate}/s"), Some(*rate), rate * self.seconds));
        std::iter::once(("one at a time".to_owned(), None, self.single)).chain(rated)
    }
}

/// When what was sent arrived at the other end. Cheap to clone; all clones are one.
#[derive(Debug)]
pub struct Arrivals<K>(Arc<(Mutex<HashMap<K, Instant>>, Notify)>);

impl<K> Clone for Arrivals<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Arrivals<K> {
    fn default() -> Self {
        Self(Arc::new((Mutex::new(HashMap::new()), Notify::new())))
    }
}

impl<K: Eq + Hash> Arrivals<K> {
    /// Notes the first arrival of a key.
    pub fn note(&self, key: K, at: Instant) {
        let (arrived, news) = &*self.0;
        arrived.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(at);
        news.notify_one();
    }

    /// Whether it arrived.
    pub fn has(&self, key: &K) -> bool {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// Waits for one more.
    pub async fn more(&self) {
        self.0.1.notified().await;
    }

    /// How long each took, once all are there.
    fn times(&self, sent: &HashMap<K, Instant>) -> Option<Vec<Duration>> {
        let arrived = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().map(|(key, at)| Some(arrived.get(key)?.saturating_duration_since(*at))).collect()
    }

    /// How late each was after its moment, once all are there.
    pub async fn all(&self, sent: &HashMap<K, Instant>) -> Vec<Duration> {
        loop {
            // Looked through only when there may be enough: with many, looking at each arrival took the time measured.
            if self.0.0.lock().unwrap_or_else(PoisonError::into_inner).len() >= sent.len()
                && let Some(times) = self.times(sent)
            {
                return times;
            }
            self.more().await;
        }
    }
}

/// Runs the requests, `at_once` of them at any time, and gives how many a second were answered and had arrived, from the
/// first to the last.
///
/// # Errors
/// As [`run`].
pub async fn flood<K, F>(at_once: usize, requests: Vec<(K, F)>, arrivals: &Arrivals<K>) -> Result<f64>
where
    K: Eq + Hash,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let count = requests.len();
    let (mut sent, mut running) = (HashMap::new(), JoinSet::new());
    let begin = now();
    for (key, request) in requests {
        if running.len() >= at_once
            && let Some(done) = running.join_next().await
        {
            done??;
        }
        sent.insert(key, begin);
        running.spawn(request);
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    let times = tokio::time::timeout(PATIENCE, arrivals.all(&sent)).await.context("what was answered never arrived")?;
    let took = times.into_iter().max().unwrap_or_default().max(begin.elapsed());
    #[allow(clippy::cast_precision_loss, reason = "a few thousand requests")]
    let count = count as f64;
    Ok(count / took.as_secs_f64())
}

/// Runs the requests, `rate` a second or one after the other: times to the answer, and to the arrival.
///
/// # Errors
/// When one fails, or one that was answered never arrives.
pub async fn run<K, F>(rate: Option<usize>, requests: Vec<(K, F)>, arrivals: &Arrivals<K>) -> Result<(Spread, Spread)>
where
    K: Eq + Hash,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (mut sent, mut answered, mut running) = (HashMap::new(), Vec::new(), JoinSet::new());
    let begin = now();
    for (n, (key, request)) in requests.into_iter().enumerate() {
        if let Some(rate) = rate {
            #[allow(clippy::cast_precision_loss, reason = "a few thousand requests")]
            let due = begin + Duration::from_secs_f64(n as f64 / rate as f64);
            tokio::time::sleep_until(due.into()).await;
        }
        let started = now();
        sent.insert(key, started);
        let timed = async move { request.await.map(|()| started.elapsed()) };
        if rate.is_some() {
            running.spawn(timed);
        } else {
            answered.push(timed.await?);
        }
    }
    while let Some(done) = running.join_next().await {
        answered.push(done??);
    }
    let handed =
        tokio::time::timeout(PATIENCE, arrivals.all(&sent)).await.context("what was answered never arrived")?;
    Ok((Spread::of(answered), Spread::of(handed)))
}
