//! `bench alarm`: from POST to the signed `stored`, and to the desk's live stream; one at a time, at a fixed rate, and as
//! fast as it goes. Then what `kill -9` costs, how soon the next responder is called, and what a live stream weighs.
//!
//! Alarms are sealed beforehand; the relay is the real binary over TLS on loopback, answering after fsync.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::{Alarm, AlarmKind};
use baken_schemas::api::{LiveEvent, MailKind};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::signed::Unverified;
use baken_schemas::time::{Clock as _, SystemClock};
use base64::Engine as _;
use futures_util::StreamExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::load::{self, Arrivals, Load};
use super::relay::Served;
use super::{Bench, now};
use crate::fleet::Wire;

/// What everybody is given.
pub const FULL: Load = Load {
    single: 500,
    rates: &[50, 200, 1000, 4000],
    seconds: 5,
    flood: 20_000,
    at_once: 64,
    killed_after: 500,
    streams: 10_000,
};
/// To see that all works, not for figures.
pub const QUICK: Load =
    Load { single: 50, rates: &[50, 200], seconds: 2, flood: 1_000, at_once: 64, killed_after: 100, streams: 200 };
/// Phones that the alarms come from.
const PHONES: usize = 50;
/// Connections that they come over.
const CONNECTIONS: usize = 8;
/// How often what a signature costs is measured.
const SIGNATURES: u32 = 2_000;

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When a part cannot be started, or an alarm is refused or lost.
pub async fn alarm(folder: &Path, load: &Load) -> Result<Bench> {
    let mut bench = Bench::new("alarm", folder)?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    ours(&mut bench, folder, load, &mut rng).await?;
    super::alertmanager::measure(&mut bench, folder, load).await?;
    super::nats::measure(&mut bench, folder, load).await?;
    super::losses::measure(&mut bench, folder, load.killed_after, &mut rng).await?;
    super::streams::failover(&mut bench, folder, &mut rng).await?;
    super::streams::memory(&mut bench, folder, load.streams, &mut rng).await?;
    Ok(bench)
}

async fn ours(bench: &mut Bench, folder: &Path, load: &Load, rng: &mut ChaCha20Rng) -> Result<()> {
    let relay = Served::start(folder, false, rng).await?;
    let org = &relay.org;
    let wires: Vec<Wire> = (0..CONNECTIONS).map(|_| relay.another_wire(None)).collect::<Result<_>>()?;
    let mut phones = Vec::new();
    for _ in 0..PHONES {
        phones.push(relay.wire.activate(org, SystemClock.now(), rng).await?);
    }
    let arrivals = Arrivals::<AlarmId>::default();
    let desk = org.desks.first().context("there is a desk")?.clone();
    let listening = tokio::spawn(listen(relay.wire.clone(), desk, arrivals.clone()));
    // Sealed and signed beforehand: phones do that in their own time.
    let mut some = |count: usize| -> Result<Vec<_>> {
        let mut presses = Vec::with_capacity(count);
        for n in 0..count {
            let (wire, keys) = (wires[n % wires.len()].clone(), &phones[n % phones.len()]);
            let alarm = org.alarm(keys, AlarmKind::Panic, "", rng)?.0;
            let request = wire.pressed(keys, &alarm)?;
            presses.push((alarm.value().header.alarm, async move {
                let response = wire.execute(request).await?;
                let (status, body) = (response.status(), response.bytes().await?);
                ensure!(status.is_success(), "an alarm was answered {status}: {}", String::from_utf8_lossy(&body));
                Ok(())
            }));
        }
        Ok(presses)
    };
    for (measure, rate, count) in load.runs() {
        eprintln!("bench alarm: {count} alarms, {measure}");
        match load::run(rate, some(count)?, &arrivals).await {
            Ok(spreads) => bench.set_run("baken", (&measure, rate), &spreads),
            // What it cannot keep up with is said, and shows in how many it takes at most.
            Err(error) => bench.remarks.push(format!("baken did not keep up with {measure}: {error:#}")),
        }
    }
    eprintln!("bench alarm: {} alarms, as fast as it goes", load.flood);
    let presses = some(load.flood)?;
    let before = relay.cpu()?;
    let per_second = load::flood(load.at_once, presses, &arrivals).await?;
    let after = relay.cpu()?;
    listening.abort();
    bench.set(load::A_SECOND, "/s", "baken", per_second);
    #[allow(clippy::cast_precision_loss, reason = "some ten thousand")]
    let each = |us: f64| us / load.flood as f64;
    let (all, writer) = (each(after.all - before.all), each(after.writer - before.writer));
    let (verifying, signing) = signatures(rng)?;
    bench.set("cpu_of_an_alarm", "µs", "baken", all);
    bench.remarks.push(format!(
        "where the relay's time goes, of {all:.0} µs CPU an alarm: {:.0} verifying the signatures of request and alarm, \
         {signing:.0} signing the receipt, {writer:.0} the thread that writes the database, {:.0} TLS, HTTP, reading who \
         calls, and the desk's stream. A relay that checks, signs and keeps nothing has the last of these only",
        2.0 * verifying,
        (all - 2.0 * verifying - signing - writer).max(0.0),
    ));
    bench.remarks.push(
        "baken answers after fsync with a signed receipt, over TLS, to signed requests; an alarm is about 7 kB; the \
         generator and the desk share the machine's cores with it"
            .into(),
    );
    Ok(())
}

/// What verifying and making a signature costs here, in microseconds.
fn signatures(rng: &mut ChaCha20Rng) -> Result<(f64, f64)> {
    let key = SigningKey::make(rng);
    let (verify, message) = (key.verify_key(), [7; 300]);
    let begin = now();
    let mut signature = key.sign_raw(&message);
    for _ in 1..SIGNATURES {
        signature = key.sign_raw(&message);
    }
    let signing = begin.elapsed();
    let begin = now();
    for _ in 0..SIGNATURES {
        verify.verify_raw("a signature", &message, &signature)?;
    }
    let each = |all: std::time::Duration| all.as_secs_f64() * 1e6 / f64::from(SIGNATURES);
    Ok((each(begin.elapsed()), each(signing)))
}

/// Reads the desk's live stream and notes when each alarm came.
pub(super) async fn listen(wire: Wire, desk: DeviceKeys, arrivals: Arrivals<AlarmId>) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let response = wire.live(&desk, IdempotencyKey::make(&mut rng)).await?;
    let mut stream = response.bytes_stream();
    let mut buffer = Vec::new();
    while let Some(chunk) = stream.next().await {
        buffer.extend_from_slice(&chunk?);
        let at = now();
        let mut read = 0;
        while let Some(end) = memchr::memchr(b'\n', &buffer[read..]) {
            let line = &buffer[read..read + end];
            read += end + 1;
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let event = base64::engine::general_purpose::STANDARD.decode(data.trim_ascii())?;
            let event: LiveEvent = cbor::from_slice(&event, "a live event")?;
            if let LiveEvent::Mail { mail, .. } = event
                && mail.kind == MailKind::Alarm
            {
                let alarm = Unverified::<Alarm>::parse(&mail.document)?.claims().header.alarm;
                arrivals.note(alarm, at);
            }
        }
        buffer.drain(..read);
    }
    Ok(())
}
