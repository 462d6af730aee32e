//! `bench checkin`: how late missed check-ins ring. Ten thousand are handed in over the wire and fall due within one
//! second; each is timed from its due moment, by the relay's signed answer, to the desk's live stream.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::DepositReceipt;
use baken_schemas::api;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Unverified;
use baken_schemas::time::{Clock as _, SystemClock, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tokio::task::JoinSet;

use super::alarm::listen;
use super::load::Arrivals;
use super::relay::Served;
use super::{Bench, Spread, now};
use crate::story::process::PATIENCE;

/// Check-ins that fall due within one second.
const CHECK_INS: usize = 10_000;
/// Phones that they come from.
const PHONES: usize = 500;
/// How many are handed in at a time.
const AT_ONCE: usize = 32;
/// From the start to the second in which they fall due.
const DUE_AFTER_MS: i64 = 90_000;
/// From the start to the moment at which the desk begins to listen, a few seconds before they fall due.
const LISTEN_AFTER_MS: u64 = 85_000;
/// The shortest timer, in seconds.
const LEAST_S: i64 = 60;

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When a part cannot be started, or a check-in is refused or never raised.
pub async fn check_in(folder: &Path) -> Result<Bench> {
    let mut bench = Bench::new("checkin", folder)?;
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let relay = Served::start(folder, false, &mut rng).await?;
    let (org, wire) = (Arc::new(relay.org.clone()), relay.wire.clone());
    let mut phones = Vec::with_capacity(PHONES);
    for _ in 0..PHONES {
        phones.push(wire.activate(&org, SystemClock.now(), &mut rng).await?);
    }
    let arrivals = Arrivals::<AlarmId>::default();
    let desk = org.desks.first().context("there is a desk")?.clone();

    eprintln!("bench checkin: {CHECK_INS} are handed in");
    let (base, base_at) = (now(), SystemClock.now());
    let target = base_at.plus_ms(DUE_AFTER_MS);
    let (mut due, mut running) = (HashMap::with_capacity(CHECK_INS), JoinSet::new());
    for n in 0..CHECK_INS {
        if running.len() >= AT_ONCE {
            note_due(running.join_next().await, &mut due, (base, base_at))?;
        }
        let (org, wire, keys) = (Arc::clone(&org), wire.clone(), phones[n % phones.len()].clone());
        let mut rng = ChaCha20Rng::seed_from_u64(1_000 + n as u64);
        running.spawn(async move {
            let due_in_s = target.since_ms(SystemClock.now()) / 1000;
            ensure!(due_in_s >= LEAST_S, "this machine is too slow for so many");
            let due_in_s = u32::try_from(due_in_s)?;
            let (alarm, body) = org.deposit(&keys, due_in_s, "", &mut rng)?;
            let key = IdempotencyKey::make(&mut rng);
            let signer = (&keys, RequestKey::Alarm);
            let (status, answer) = wire.send(signer, "POST", api::DEPOSITS, body, key).await?;
            ensure!(status == 200, "a check-in was answered {status}: {}", String::from_utf8_lossy(&answer));
            let at = Unverified::<DepositReceipt>::parse(&answer)?.claims().at;
            Ok((alarm.value().header.alarm, at.plus_ms(i64::from(due_in_s) * 1000)))
        });
    }
    while let Some(done) = running.join_next().await {
        note_due(Some(done), &mut due, (base, base_at))?;
    }
    let handed_in = base.elapsed();
    eprintln!("bench checkin: handed in after {} s; they fall due", handed_in.as_secs());
    // Shortly before, since this client's patience with a stream has an end.
    tokio::time::sleep_until((base + Duration::from_millis(LISTEN_AFTER_MS)).into()).await;
    let listening = tokio::spawn(listen(wire, desk, arrivals.clone()));
    let lateness =
        tokio::time::timeout(PATIENCE, arrivals.all(&due)).await.context("not all that were missed were raised")?;
    listening.abort();
    let last = lateness.iter().max().copied().unwrap_or_default();
    let spread = Spread::of(lateness);
    bench.set("lateness_p50_10000", "ms", "baken", spread.p50_us() / 1000.0);
    bench.set("lateness_p99_10000", "ms", "baken", spread.p99_us() / 1000.0);
    bench.set("lateness_worst_10000", "ms", "baken", last.as_secs_f64() * 1000.0);
    bench.remarks.push(
        "from the due moment to the desk's live stream over TLS, in another process; due moments are whole milliseconds, \
         so a figure may be half of one too small. All 10,000 lie at the relay at once, and no more"
            .into(),
    );
    Ok(bench)
}

/// Notes when a check-in that was handed in falls due.
fn note_due(
    done: Option<Result<Result<(AlarmId, Timestamp)>, tokio::task::JoinError>>,
    due: &mut HashMap<AlarmId, std::time::Instant>,
    (base, base_at): (std::time::Instant, Timestamp),
) -> Result<()> {
    let (id, due_at) = done.context("something runs")???;
    let ahead = u64::try_from(due_at.since_ms(base_at)).context("it is due later")?;
    due.insert(id, base + Duration::from_millis(ahead));
    Ok(())
}
