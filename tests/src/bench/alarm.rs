//! `bench alarm`: from POST to the signed `stored`, and to the desk's live stream; one at a time and at a fixed rate.
//!
//! The load is open: an alarm leaves at its time whether or not the last was answered, so a stall shows in the
//! figures instead of slowing the load. Alarms are sealed beforehand; the relay is the real binary over TLS on
//! loopback, answering after fsync.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use baken_schemas::alarm::{Alarm, AlarmKind};
use baken_schemas::api::{self, LiveEvent, MailKind};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::org::{OrgId, RelayEntry};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock as _, SystemClock};
use base64::Engine as _;
use futures_util::StreamExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::{Bench, Spread, now};
use crate::fleet::{Org, Wire};
use crate::story::process::{Process, Programs, free_port, run};

/// Alarms sent one at a time.
const SINGLE: usize = 500;
/// Seconds that each rate lasts.
const SECONDS: usize = 5;
/// Alarms a second.
const RATES: [usize; 3] = [50, 200, 1000];
/// Phones that the alarms come from.
const PHONES: usize = 50;

type Arrivals = Arc<Mutex<HashMap<AlarmId, Instant>>>;

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When a part cannot be started, or an alarm is refused or lost.
pub async fn alarm(folder: &Path) -> Result<Bench> {
    let mut bench = Bench::new("alarm", folder)?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let programs = Programs::find()?;
    let root = SigningKey::make(&mut rng);
    let data = folder.join("relay");
    let url = format!("https://127.0.0.1:{}", free_port()?);
    let data_arg = data.to_str().context("the folder's name is text")?;
    let org_id = OrgId::of(&root.verify_key()).to_string();
    let args = ["init", "relay", "--data", data_arg, "--url", &url, "--org", &org_id];
    let (code, out, err) = run(&programs.server, &args, &[]).await?;
    if code != 0 {
        bail!("init relay ended with {code}: {out}{err}");
    }
    let log = folder.join("relay.log");
    let _relay = Process::start("relay", &programs.server, &["serve", "relay", "--data", data_arg], &[], &log)?;
    let entry: RelayEntry = cbor::from_slice(&std::fs::read(data.join("relay.cbor"))?, "a relay's entry")?;
    let wire = Wire::new(&url, entry.tls_roots.first().context("a relay has a TLS root")?)?;
    let org = Org::make(entry, root, 1, 3600, &mut rng);
    let published = async {
        while wire.publish(org.directory.bytes()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::story::process::PATIENCE, published).await.context("the relay never answered")?;
    let mut phones = Vec::new();
    for _ in 0..PHONES {
        phones.push(wire.activate(&org, SystemClock.now(), &mut rng).await?);
    }
    let arrivals = Arrivals::default();
    let desk = org.desks.first().context("there is a desk")?.clone();
    let listening = tokio::spawn(listen(wire.clone(), desk, Arc::clone(&arrivals)));

    for (measure, rate, count) in std::iter::once(("one at a time".to_owned(), None, SINGLE))
        .chain(RATES.map(|rate| (format!("{rate}/s"), Some(rate), rate * SECONDS)))
    {
        eprintln!("bench alarm: {count} alarms, {measure}");
        let alarms: Vec<(DeviceKeys, Signed<Alarm>)> = (0..count)
            .map(|n| {
                let keys = phones[n % phones.len()].clone();
                let alarm = org.alarm(&keys, AlarmKind::Panic, "", &mut rng)?.0;
                Ok((keys, alarm))
            })
            .collect::<Result<_>>()?;
        let (stored, handed) = send(&wire, &alarms, rate, &arrivals).await?;
        bench.set(&format!("stored p50, {measure}"), "ms", "baken", stored.p50_us() / 1000.0);
        bench.set(&format!("stored p99, {measure}"), "ms", "baken", stored.p99_us() / 1000.0);
        bench.set(&format!("at the desk p50, {measure}"), "ms", "baken", handed.p50_us() / 1000.0);
        bench.set(&format!("at the desk p99, {measure}"), "ms", "baken", handed.p99_us() / 1000.0);
    }
    listening.abort();
    super::alertmanager::measure(&mut bench, folder, SINGLE, &RATES, SECONDS).await?;
    bench.remarks.push(
        "baken answers after fsync with a signed receipt, over TLS, to signed requests; an alarm is about 7 kB".into(),
    );
    Ok(bench)
}

/// Sends alarms at `rate` a second, or one after the other; times to the answer and to the desk.
async fn send(
    wire: &Wire,
    alarms: &[(DeviceKeys, Signed<Alarm>)],
    rate: Option<usize>,
    arrivals: &Arrivals,
) -> Result<(Spread, Spread)> {
    let mut sent = HashMap::new();
    let mut answered = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    let begin = now();
    for (n, (keys, alarm)) in alarms.iter().enumerate() {
        if let Some(rate) = rate {
            #[allow(clippy::cast_precision_loss, reason = "a few thousand alarms")]
            let due = begin + Duration::from_secs_f64(n as f64 / rate as f64);
            tokio::time::sleep_until(due.into()).await;
        }
        let started = now();
        sent.insert(alarm.value().header.alarm, started);
        if rate.is_some() {
            let (wire, keys, alarm) = (wire.clone(), keys.clone(), alarm.clone());
            tasks.spawn(async move { (wire.press(&keys, &alarm).await, started.elapsed()) });
        } else {
            let (status, _) = wire.press(keys, alarm).await?;
            if status != 200 {
                bail!("an alarm was answered {status}");
            }
            answered.push(started.elapsed());
        }
    }
    while let Some(done) = tasks.join_next().await {
        let (answer, took) = done?;
        let (status, body) = answer?;
        if status != 200 {
            bail!("an alarm was answered {status}: {}", String::from_utf8_lossy(&body));
        }
        answered.push(took);
    }
    let all_there = async {
        loop {
            let arrived = arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if sent.keys().all(|alarm| arrived.contains_key(alarm)) {
                return sent.iter().map(|(alarm, at)| arrived[alarm].saturating_duration_since(*at)).collect();
            }
            drop(arrived);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let handed: Vec<Duration> = tokio::time::timeout(crate::story::process::PATIENCE, all_there)
        .await
        .context("an answered alarm never reached the desk's live stream")?;
    Ok((Spread::of(answered), Spread::of(handed)))
}

/// Reads the desk's live stream and notes when each alarm came.
async fn listen(wire: Wire, desk: DeviceKeys, arrivals: Arrivals) -> Result<()> {
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
                arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(alarm, at);
            }
        }
    }
    Ok(())
}
