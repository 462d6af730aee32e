//! Ten thousand phones with a live stream each over TLS: the relay's memory for one. And the next responder: how soon the
//! second desk on a ladder is called when the first is gone.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::AlarmKind;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::time::{Clock as _, SystemClock};
use futures_util::{StreamExt as _, TryStreamExt as _};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rand_core::CryptoRng;

use super::Bench;
use super::alarm::listen;
use super::load::{self, Arrivals};
use super::relay::Served;
use crate::story::process::run;

/// How many are opened at a time.
const AT_ONCE: usize = 32;
/// Fewer than the relay takes from one address.
const OF_ONE_ADDRESS: usize = 900;
/// Files and sockets that one process needs for that.
const OPEN_FILES: u64 = 16_384;
/// Alarms that the second desk is called for.
const PASSED_ON: usize = 20;
/// How long the first desk is waited for, in seconds.
const WAIT_S: u32 = 1;

/// Lets this process, and what it starts, open enough sockets.
async fn raise_open_files() -> Result<()> {
    let (pid, files) = (std::process::id().to_string(), format!("--nofile={OPEN_FILES}:"));
    let (code, _, why) = run(Path::new("prlimit"), &["--pid", &pid, &files], &[]).await?;
    ensure!(code == 0, "{OPEN_FILES} open files are needed; {}", why.trim());
    Ok(())
}

/// Opens the streams and looks at the relay's memory.
///
/// # Errors
/// When a part cannot be started, or a stream is refused.
pub async fn memory(bench: &mut Bench, folder: &Path, count: usize, rng: &mut dyn CryptoRng) -> Result<()> {
    if let Err(why) = raise_open_files().await {
        bench.remarks.push(format!("{count} live streams were not opened: {why}"));
        return Ok(());
    }
    let relay = Arc::new(Served::start(&folder.join("streams"), false, rng).await?);
    eprintln!("bench alarm: {count} phones are activated");
    let phones: Vec<DeviceKeys> = each(&relay, count, |relay, n| async move {
        let mut rng = ChaCha20Rng::seed_from_u64(50_000 + n as u64);
        relay.wire.activate(&relay.org, SystemClock.now(), &mut rng).await
    })
    .await?;
    let before = relay.memory_bytes()?;
    eprintln!("bench alarm: {count} live streams are opened");
    let phones = Arc::new(phones);
    let streams = each(&relay, count, |relay, n| {
        let phones = Arc::clone(&phones);
        async move {
            let mut rng = ChaCha20Rng::seed_from_u64(90_000 + n as u64);
            let keys = phones.get(n).context("a phone a stream")?;
            let local = IpAddr::V4(Ipv4Addr::new(127, 0, 1, u8::try_from(1 + n / OF_ONE_ADDRESS)?));
            let wire = relay.another_wire(Some(local))?;
            let mut response = wire.live(keys, IdempotencyKey::make(&mut rng)).await?;
            // The first sign of life: from now on it waits.
            response.chunk().await?.context("a stream has no end")?;
            Ok((wire, response))
        }
    })
    .await?;
    let after = relay.memory_bytes()?;
    #[allow(clippy::cast_precision_loss, reason = "ten thousand")]
    let each = (after - before) / streams.len() as f64;
    bench.set(&format!("memory_per_stream_{count}"), "KB", "baken", each / 1000.0);
    bench.remarks.push(format!(
        "memory_per_stream: {} phones, each with a TLS connection and a live stream of its own; the relay's resident \
         memory went from {:.0} to {:.0} MB",
        streams.len(),
        before / 1e6,
        after / 1e6
    ));
    Ok(())
}

/// One of something for each stream.
async fn each<T, F>(relay: &Arc<Served>, count: usize, make: impl Fn(Arc<Served>, usize) -> F) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>>,
{
    futures_util::stream::iter(0..count)
        .map(|n| make(Arc::clone(relay), n))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// The first desk on the ladder is gone; how soon the second has each alarm.
///
/// # Errors
/// When a part cannot be started, or the second desk is never called.
pub async fn failover(bench: &mut Bench, folder: &Path, rng: &mut dyn CryptoRng) -> Result<()> {
    eprintln!("bench alarm: the first desk is gone, the second is called");
    let relay = Served::start_for(&folder.join("failover"), false, (2, WAIT_S), rng).await?;
    let keys = relay.wire.activate(&relay.org, SystemClock.now(), rng).await?;
    let second = relay.org.desks.get(1).context("there is a second desk")?.clone();
    let arrivals = Arrivals::<AlarmId>::default();
    let listening = tokio::spawn(listen(relay.another_wire(None)?, second, arrivals.clone()));
    let mut sent = Vec::with_capacity(PASSED_ON);
    for _ in 0..PASSED_ON {
        let alarm = relay.org.alarm(&keys, AlarmKind::Panic, "", rng)?.0;
        let (wire, request) = (relay.wire.clone(), relay.wire.pressed(&keys, &alarm)?);
        sent.push((alarm.value().header.alarm, async move {
            wire.execute(request).await?.error_for_status()?;
            Ok(())
        }));
    }
    let (_, handed) = load::run(Some(PASSED_ON), sent, &arrivals).await?;
    listening.abort();
    bench.set("responder_failover_p50", "ms", "baken", handed.p50_us() / 1000.0);
    bench.set("responder_failover_p99", "ms", "baken", handed.p99_us() / 1000.0);
    bench.remarks.push(format!(
        "responder_failover: from the press to the second desk's live stream, the first desk being gone and its ladder \
         giving it {WAIT_S} s"
    ));
    Ok(())
}
