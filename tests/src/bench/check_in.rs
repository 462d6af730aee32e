//! `bench checkin`: how late missed check-ins ring. Of a million that lie at the relay ten thousand fall due within one
//! second, and then ten thousand more at one instant; each is timed from its due moment to the desk's live stream.
//!
//! Those that ring are handed in over the wire like any other. While the relay is stopped, the bench writes the others
//! beside them, and moves the due moments to where they are wanted: nobody could hand in ten thousand for one instant.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use baken_schemas::api;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::request::RequestKey;
use baken_schemas::time::{Clock as _, SystemClock, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rusqlite::{Connection, OpenFlags, params};
use tokio::task::JoinSet;

use super::alarm::listen;
use super::load::Arrivals;
use super::relay::Served;
use super::{Bench, Spread, now};
use crate::story::process::PATIENCE;

/// How many check-ins.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// That fall due within one second, and again at one instant.
    pub due: usize,
    /// That lie at the relay, all together.
    pub all: usize,
}

impl Load {
    /// For figures.
    pub const FULL: Self = Self { due: 10_000, all: 1_000_000 };
    /// To see that all works.
    pub const QUICK: Self = Self { due: 500, all: 10_000 };
}

/// How many come from one phone, which may have 32.
const OF_ONE_PHONE: usize = 30;
/// How many are handed in at a time.
const AT_ONCE: usize = 32;
/// When they would be due, had the bench not moved them, in seconds.
const DUE_IN_S: u32 = 3600;
/// From the last look at the relay's file to the second in which they fall due: it starts meanwhile, and the desk reads what
/// lies in its mailbox.
const AHEAD_MS: i64 = 15_000;
/// From that second to the instant at which the others do.
const APART_MS: i64 = 15_000;

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When a part cannot be started, or a check-in is refused or never raised.
pub async fn check_in(folder: &Path, load: &Load) -> Result<Bench> {
    let Load { due: count, all } = *load;
    let mut bench = Bench::new("checkin", folder)?;
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut relay = Served::start(folder, false, &mut rng).await?;
    let deposits = hand_in(&relay, 2 * count, &mut rng).await?;
    relay.stop().await?;
    eprintln!("bench checkin: {all} lie at the relay");
    let file = relay.data.join("relay.db");
    let (first, instant) = place(&file, &deposits, load)?;
    relay.start_again().await?;

    let arrivals = Arrivals::<AlarmId>::default();
    let desk = relay.org.desks.first().context("there is a desk")?.clone();
    let (base, base_at) = (now(), SystemClock.now());
    ensure!(first.since_ms(base_at) > 0, "this machine is too slow for so many");
    let listening = tokio::spawn(listen(relay.another_wire(None)?, desk, arrivals.clone()));
    let moment = |at: Timestamp| -> Result<Instant> {
        Ok(base + Duration::from_millis(u64::try_from(at.since_ms(base_at)).context("it is due later")?))
    };
    let (spread_out, together) = deposits.split_at(count);
    let mut due = HashMap::with_capacity(count);
    for (n, id) in spread_out.iter().enumerate() {
        due.insert(*id, moment(first.plus_ms(in_the_second(n, count)))?);
    }
    eprintln!("bench checkin: {count} fall due within a second");
    tokio::time::sleep_until(moment(first)?.into()).await;
    let before = relay.cpu()?;
    let lateness =
        tokio::time::timeout(PATIENCE, arrivals.all(&due)).await.context("not all that were missed were raised")?;
    let after = relay.cpu()?;
    let last = lateness.iter().max().copied().unwrap_or_default();
    let spread = Spread::of(lateness);
    bench.set(&format!("lateness_p50_{count}"), "ms", "baken", spread.p50_us() / 1000.0);
    bench.set(&format!("lateness_p99_{count}"), "ms", "baken", spread.p99_us() / 1000.0);
    bench.set(&format!("lateness_worst_{count}"), "ms", "baken", last.as_secs_f64() * 1000.0);
    #[allow(clippy::cast_precision_loss, reason = "ten thousand")]
    let each = |us: f64| us / count as f64;
    bench.remarks.push(format!(
        "raising one cost the relay {:.0} µs CPU, {:.0} of them the thread that writes the database",
        each(after.all - before.all),
        each(after.writer - before.writer)
    ));

    eprintln!("bench checkin: {count} fall due at one instant");
    let at = moment(instant)?;
    let due: HashMap<AlarmId, Instant> = together.iter().map(|id| (*id, at)).collect();
    tokio::time::sleep_until(at.into()).await;
    let raised = tokio::task::spawn_blocking(move || all_raised(&file, instant));
    let lateness =
        tokio::time::timeout(PATIENCE, arrivals.all(&due)).await.context("not all that were missed were raised")?;
    listening.abort();
    let last = lateness.iter().max().copied().unwrap_or_default();
    bench.set(
        &format!("raised_within_one_instant_{count}"),
        "ms",
        "baken",
        (raised.await?? - at).as_secs_f64() * 1000.0,
    );
    bench.set(&format!("at_the_desk_within_one_instant_{count}"), "ms", "baken", last.as_secs_f64() * 1000.0);
    bench.remarks.push(format!(
        "lateness: from the due moment to the desk's live stream over TLS, in another process; due moments are whole \
         milliseconds. {all} lie at the relay, those that do not ring without their sealed bytes. raised_within_one_instant: \
         until the last of {count} with one due moment is an alarm on disk, with its signed receipt, ladder, mail and \
         row in the audit"
    ));
    super::posthumous::measure(&mut bench, folder).await?;
    Ok(bench)
}

/// Of so many in a second, the moment of the nth in milliseconds.
fn in_the_second(n: usize, count: usize) -> i64 {
    (n * 1000 / count) as i64
}

/// Hands in those that are to ring.
async fn hand_in(relay: &Served, count: usize, rng: &mut ChaCha20Rng) -> Result<Vec<AlarmId>> {
    let (org, wire) = (Arc::new(relay.org.clone()), relay.wire.clone());
    let mut phones = Vec::new();
    for _ in 0..count.div_ceil(OF_ONE_PHONE) {
        phones.push(wire.activate(&org, SystemClock.now(), rng).await?);
    }
    eprintln!("bench checkin: {count} are handed in");
    let (mut ids, mut running) = (Vec::with_capacity(count), JoinSet::new());
    for n in 0..count {
        if running.len() >= AT_ONCE
            && let Some(done) = running.join_next().await
        {
            ids.push(done??);
        }
        let (org, wire, keys) = (Arc::clone(&org), wire.clone(), phones[n % phones.len()].clone());
        let mut rng = ChaCha20Rng::seed_from_u64(1_000 + n as u64);
        running.spawn(async move {
            let (alarm, body) = org.deposit(&keys, DUE_IN_S, "", &mut rng)?;
            let key = IdempotencyKey::make(&mut rng);
            let (status, answer) = wire.send((&keys, RequestKey::Alarm), "POST", api::DEPOSITS, body, key).await?;
            ensure!(status == 200, "a check-in was answered {status}: {}", String::from_utf8_lossy(&answer));
            anyhow::Ok(alarm.value().header.alarm)
        });
    }
    while let Some(done) = running.join_next().await {
        ids.push(done??);
    }
    Ok(ids)
}

/// Writes the others into the relay's file and sets when those that ring are due: the first in the second, and the instant.
fn place(file: &Path, deposits: &[AlarmId], load: &Load) -> Result<(Timestamp, Timestamp)> {
    let mut db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.execute_batch("PRAGMA cache_size = -500000; PRAGMA synchronous = OFF;")?;
    let at = SystemClock.now();
    let transaction = db.transaction()?;
    for sql in include_str!("sleeping.sql").split_inclusive(";\n") {
        transaction.execute(sql, params![load.all - deposits.len(), deposits.len(), at.0])?;
    }
    transaction.commit()?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    // All that took its time; from here on it counts.
    let transaction = db.transaction()?;
    let first = SystemClock.now().plus_ms(AHEAD_MS);
    let instant = first.plus_ms(APART_MS);
    for (n, id) in deposits.iter().enumerate() {
        let due = if n < load.due { first.plus_ms(in_the_second(n, load.due)) } else { instant };
        transaction
            .prepare_cached("UPDATE deposit SET due_at = ?2, unheard_at = ?2 WHERE deposit = ?1")?
            .execute(params![id.0, due.0])?;
    }
    // As if it had looked after them all the while: else it would wait, since nobody could renew any.
    transaction.execute("UPDATE deposit_clock SET at = ?1, held_until = ?1", [SystemClock.now().0])?;
    transaction.commit()?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok((first, instant))
}

/// When nothing that is due at `instant` waits to be raised any more.
fn all_raised(file: &Path, instant: Timestamp) -> Result<Instant> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut waits = db.prepare("SELECT 1 FROM deposit WHERE state = 0 AND raise_at <= ?1 LIMIT 1")?;
    let begin = now();
    while waits.exists([instant.0])? {
        ensure!(begin.elapsed() < PATIENCE, "not all that were missed were raised");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(now())
}
