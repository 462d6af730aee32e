//! What `kill -9` costs: how many of those that were acknowledged never arrive once the program runs again.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::AlarmKind;
use baken_schemas::id::AlarmId;
use baken_schemas::time::{Clock as _, SystemClock};
use rand_core::CryptoRng;
use tokio::task::JoinSet;

use super::Bench;
use super::alarm::listen;
use super::alertmanager::Alertmanager;
use super::load::Arrivals;
use super::nats::{self, Nats};
use super::relay::Served;

/// How many are ready for each one that is acknowledged before the kill.
const READY: usize = 8;
/// Senders at a time.
const AT_ONCE: usize = 32;
/// To Alertmanager, whose alerts wait in groups: one group each.
const ALERTS: usize = 50;
/// How long whatever is still on its way is waited for.
const SETTLES: Duration = Duration::from_secs(6);

const MEASURE: &str = "acknowledged and lost after kill -9";

/// Those that were acknowledged. Cheap to clone.
#[derive(Clone)]
struct Acknowledged<K>(Arc<Mutex<HashSet<K>>>);

impl<K: Eq + std::hash::Hash + Copy> Acknowledged<K> {
    fn none() -> Self {
        Self(Arc::default())
    }

    fn note(&self, key: K) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key);
        all.len()
    }

    fn all(&self) -> Vec<K> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Sends until enough were acknowledged; those under way then end as they may.
async fn send_until<K, F>(
    killed_after: usize,
    requests: Vec<(K, F)>,
    acknowledged: &Acknowledged<K>,
) -> Result<JoinSet<()>>
where
    K: Eq + std::hash::Hash + Copy + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (enough, mut told) = tokio::sync::watch::channel(false);
    let enough = Arc::new(enough);
    let mut running = JoinSet::new();
    for (key, request) in requests {
        if *told.borrow_and_update() {
            break;
        }
        if running.len() >= AT_ONCE {
            running.join_next().await;
        }
        let (acknowledged, enough) = (acknowledged.clone(), Arc::clone(&enough));
        running.spawn(async move {
            if request.await.is_ok() && acknowledged.note(key) >= killed_after {
                enough.send_replace(true);
            }
        });
    }
    ensure!(*told.borrow_and_update(), "not enough was acknowledged to be worth a kill");
    Ok(running)
}

#[allow(clippy::cast_precision_loss, reason = "a few thousand")]
fn set(bench: &mut Bench, contestant: &'static str, accepted: usize, lost: usize) {
    bench.set(MEASURE, "of", contestant, lost as f64);
    bench
        .remarks
        .push(format!("{contestant}: killed with `kill -9` and started again; {accepted} acknowledged, {lost} lost"));
}

/// Kills each in turn.
///
/// # Errors
/// When one does not do its part, or does not come back.
pub async fn measure(bench: &mut Bench, folder: &Path, killed_after: usize, rng: &mut dyn CryptoRng) -> Result<()> {
    eprintln!("bench alarm: the relay is killed under load");
    let folder = folder.join("killed");
    ours(bench, &folder.join("baken"), killed_after, rng).await?;
    if let Some(program) = nats::program() {
        eprintln!("bench alarm: nats is killed under load");
        let mut nats = Nats::start(&program, &folder.join("nats")).await?;
        let publisher = nats.publisher().await?;
        let acknowledged = Acknowledged::none();
        let sent = (0..(killed_after * READY) as u64).map(|number| {
            let publisher = publisher.clone();
            (number, async move { publisher.publish(number).await })
        });
        let running = send_until(killed_after, sent.collect(), &acknowledged).await?;
        nats.kill_and_start().await?;
        drop(running);
        let arrivals = Arrivals::default();
        let _desk = nats.consumer(arrivals.clone()).await?;
        let (accepted, lost) = missing(&acknowledged, &arrivals).await;
        set(bench, nats::CONTESTANT, accepted, lost);
    }
    if let Some(alertmanager) = Alertmanager::start(&folder.join("alertmanager"), "2s").await? {
        eprintln!("bench alarm: alertmanager is killed under load");
        let mut alertmanager = alertmanager;
        let acknowledged = Acknowledged::none();
        for number in 0..ALERTS {
            alertmanager.post(&format!("killed-{number}")).await?;
            acknowledged.note(number);
        }
        alertmanager.kill_and_start().await?;
        tokio::time::sleep(SETTLES).await;
        let arrived = |number: &usize| alertmanager.arrivals.has(&format!("killed-{number}"));
        let lost = acknowledged.all().iter().filter(|number| !arrived(number)).count();
        set(bench, super::alertmanager::CONTESTANT, ALERTS, lost);
        bench.remarks.push(
            "alertmanager was killed with `group_wait: 2s` (its own default is 30 s): what it has answered waits in memory".into(),
        );
    }
    Ok(())
}

async fn ours(bench: &mut Bench, folder: &Path, killed_after: usize, rng: &mut dyn CryptoRng) -> Result<()> {
    let mut relay = Served::start(folder, false, rng).await?;
    let keys = relay.wire.activate(&relay.org, SystemClock.now(), rng).await?;
    let acknowledged = Acknowledged::<AlarmId>::none();
    let mut sent = Vec::new();
    for _ in 0..killed_after * READY {
        let alarm = relay.org.alarm(&keys, AlarmKind::Panic, "", rng)?.0;
        let (wire, request) = (relay.wire.clone(), relay.wire.pressed(&keys, &alarm)?);
        sent.push((alarm.value().header.alarm, async move {
            let response = wire.execute(request).await?;
            ensure!(response.status().is_success(), "an alarm was refused");
            response.bytes().await?;
            Ok(())
        }));
    }
    let running = send_until(killed_after, sent, &acknowledged).await?;
    relay.kill_and_start().await?;
    drop(running);
    let arrivals = Arrivals::default();
    let desk = relay.org.desks.first().context("there is a desk")?.clone();
    // The old connection has ended with the old process.
    let listening = tokio::spawn(listen(relay.another_wire(None)?, desk, arrivals.clone()));
    let (accepted, lost) = missing(&acknowledged, &arrivals).await;
    listening.abort();
    set(bench, "baken", accepted, lost);
    Ok(())
}

/// How many were acknowledged, and how many of them do not arrive.
async fn missing<K: Eq + std::hash::Hash + Copy>(
    acknowledged: &Acknowledged<K>,
    arrivals: &Arrivals<K>,
) -> (usize, usize) {
    let all = acknowledged.all();
    // What an answer was still on its way for counts too, as long as it came.
    let come = async {
        while !all.iter().all(|key| arrivals.has(key)) {
            arrivals.more().await;
        }
    };
    // Whatever is not there by then is not coming.
    let _ = tokio::time::timeout(SETTLES, come).await;
    (all.len(), all.iter().filter(|key| !arrivals.has(key)).count())
}
