//! `bench alarm`: from POST to the signed `stored`, and to the desk's live stream; one at a time and at a fixed rate.
//!
//! Alarms are sealed beforehand; the relay is the real binary over TLS on
//! loopback, answering after fsync.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::{Alarm, AlarmKind};
use baken_schemas::api::{self, LiveEvent, MailKind};
use baken_schemas::cbor;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Unverified;
use baken_schemas::time::{Clock as _, SystemClock};
use base64::Engine as _;
use futures_util::StreamExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::load::{self, Arrivals};
use super::relay::Served;
use super::{Bench, now};
use crate::fleet::Wire;

/// Alarms sent one at a time.
const SINGLE: usize = 500;
/// Seconds that each rate lasts.
const SECONDS: usize = 5;
/// Alarms a second.
const RATES: [usize; 3] = [50, 200, 1000];
/// Phones that the alarms come from.
const PHONES: usize = 50;

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When a part cannot be started, or an alarm is refused or lost.
pub async fn alarm(folder: &Path) -> Result<Bench> {
    let mut bench = Bench::new("alarm", folder)?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let relay = Served::start(folder, false, &mut rng).await?;
    let (org, wire) = (&relay.org, &relay.wire);
    let mut phones = Vec::new();
    for _ in 0..PHONES {
        phones.push(wire.activate(org, SystemClock.now(), &mut rng).await?);
    }
    let arrivals = Arrivals::<AlarmId>::default();
    let desk = org.desks.first().context("there is a desk")?.clone();
    let listening = tokio::spawn(listen(wire.clone(), desk, arrivals.clone()));

    for (measure, rate, count) in std::iter::once(("one at a time".to_owned(), None, SINGLE))
        .chain(RATES.map(|rate| (format!("{rate}/s"), Some(rate), rate * SECONDS)))
    {
        eprintln!("bench alarm: {count} alarms, {measure}");
        let mut presses = Vec::with_capacity(count);
        for n in 0..count {
            let (wire, keys) = (wire.clone(), phones[n % phones.len()].clone());
            let alarm = org.alarm(&keys, AlarmKind::Panic, "", &mut rng)?.0;
            presses.push((alarm.value().header.alarm, async move {
                let (status, body) = wire.press(&keys, &alarm).await?;
                ensure!(status == 200, "an alarm was answered {status}: {}", String::from_utf8_lossy(&body));
                Ok(())
            }));
        }
        let (stored, handed) = load::run(rate, presses, &arrivals).await?;
        bench.set(&format!("stored p50, {measure}"), "ms", "baken", stored.p50_us() / 1000.0);
        bench.set(&format!("stored p99, {measure}"), "ms", "baken", stored.p99_us() / 1000.0);
        bench.set(&format!("at the desk p50, {measure}"), "ms", "baken", handed.p50_us() / 1000.0);
        bench.set(&format!("at the desk p99, {measure}"), "ms", "baken", handed.p99_us() / 1000.0);
        if let Some(rate) = rate {
            // The same figure under a name to look up.
            bench.set(&format!("to_desk_p99_{rate}"), "ms", "baken", handed.p99_us() / 1000.0);
        }
    }
    listening.abort();
    super::alertmanager::measure(&mut bench, folder, SINGLE, &RATES, SECONDS).await?;
    bench.remarks.push(
        "baken answers after fsync with a signed receipt, over TLS, to signed requests; an alarm is about 7 kB".into(),
    );
    Ok(bench)
}

/// Reads the desk's live stream and notes when each alarm came.
pub(super) async fn listen(wire: Wire, desk: DeviceKeys, arrivals: Arrivals<AlarmId>) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let path = format!("{}?mail=0", api::LIVE);
    let idempotency = IdempotencyKey::make(&mut rng);
    let response = wire.request((&desk, RequestKey::Sig), "GET", &path, Vec::new(), idempotency).await?;
    let mut stream = response.bytes_stream();
    let mut buffer = Vec::new();
    while let Some(chunk) = stream.next().await {
        buffer.extend_from_slice(&chunk?);
        let at = now();
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let text = String::from_utf8_lossy(data);
            let event = base64::engine::general_purpose::STANDARD.decode(text.trim())?;
            let event: LiveEvent = cbor::from_slice(&event, "a live event")?;
            if let LiveEvent::Mail { mail, .. } = event
                && mail.kind == MailKind::Alarm
            {
                let alarm = Unverified::<Alarm>::parse(&mail.document)?.claims().header.alarm;
                arrivals.note(alarm, at);
            }
        }
    }
    Ok(())
}
