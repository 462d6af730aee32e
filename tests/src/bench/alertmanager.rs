//! Prometheus' Alertmanager (Debian's package) under the same load: from POST to its answer, and to its webhook.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{Bench, Spread, now};
use crate::story::process::{PATIENCE, Process, free_port};

const CONTESTANT: &str = "alertmanager";

type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

/// Adds Alertmanager's figures, or why there are none.
///
/// # Errors
/// When it is there and does not do its part.
pub async fn measure(bench: &mut Bench, folder: &Path, single: usize, rates: &[usize], seconds: usize) -> Result<()> {
    let Some(program) = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("prometheus-alertmanager"))
        .find(|path| path.exists())
    else {
        bench.remarks.push("alertmanager was not run: install the package prometheus-alertmanager".into());
        return Ok(());
    };
    let arrivals = Arrivals::default();
    let hook = webhook(Arc::clone(&arrivals)).await?;
    let config = folder.join("alertmanager.yml");
    std::fs::write(
        &config,
        format!(
            "route:\n  receiver: desk\n  group_by: ['alertname']\n  group_wait: 0s\n  group_interval: 1s\n\
             receivers:\n- name: desk\n  webhook_configs:\n  - url: http://127.0.0.1:{hook}/\n    send_resolved: false\n"
        ),
    )?;
    let port = free_port()?;
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.join("alertmanager").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let _running = Process::start(CONTESTANT, &program, &args, &[], &folder.join("alertmanager.log"))?;
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let base = format!("http://127.0.0.1:{port}");
    let ready = async {
        while !client.get(format!("{base}/-/ready")).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.context("alertmanager never became ready")?;
    let url = format!("{base}/api/v2/alerts");
    let runs = std::iter::once(("one at a time".to_owned(), None, single))
        .chain(rates.iter().map(|rate| (format!("{rate}/s"), Some(*rate), rate * seconds)));
    for (run, (measure, rate, count)) in runs.enumerate() {
        eprintln!("bench alarm: {count} alerts to alertmanager, {measure}");
        let names: Vec<String> = (0..count).map(|n| format!("alarm-{run}-{n}")).collect();
        let (stored, handed) = send(&client, &url, &names, rate, &arrivals).await?;
        bench.set(&format!("stored p50, {measure}"), "ms", CONTESTANT, stored.p50_us() / 1000.0);
        bench.set(&format!("stored p99, {measure}"), "ms", CONTESTANT, stored.p99_us() / 1000.0);
        bench.set(&format!("at the desk p50, {measure}"), "ms", CONTESTANT, handed.p50_us() / 1000.0);
        bench.set(&format!("at the desk p99, {measure}"), "ms", CONTESTANT, handed.p99_us() / 1000.0);
    }
    bench.remarks.push(
        "alertmanager keeps alerts in memory only: its `stored` is no promise; plain HTTP, one group an alert, \
         group_wait 0, figures to its webhook"
            .into(),
    );
    Ok(())
}

async fn send(
    client: &reqwest::Client,
    url: &str,
    names: &[String],
    rate: Option<usize>,
    arrivals: &Arrivals,
) -> Result<(Spread, Spread)> {
    let mut sent = HashMap::new();
    let mut answered = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    let begin = now();
    for (n, name) in names.iter().enumerate() {
        if let Some(rate) = rate {
            #[allow(clippy::cast_precision_loss, reason = "a few thousand alerts")]
            let due = begin + Duration::from_secs_f64(n as f64 / rate as f64);
            tokio::time::sleep_until(due.into()).await;
        }
        let started = now();
        sent.insert(name.clone(), started);
        let request = client.post(url).json(&json!([{ "labels": { "alertname": name } }]));
        let post = async move { (request.send().await, started.elapsed()) };
        if rate.is_some() {
            tasks.spawn(post);
        } else {
            let (answer, took) = post.await;
            answer?.error_for_status()?;
            answered.push(took);
        }
    }
    while let Some(done) = tasks.join_next().await {
        let (answer, took) = done?;
        answer?.error_for_status()?;
        answered.push(took);
    }
    let all_there = async {
        loop {
            let arrived = arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if sent.keys().all(|name| arrived.contains_key(name)) {
                return sent.iter().map(|(name, at)| arrived[name].saturating_duration_since(*at)).collect();
            }
            drop(arrived);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, all_there).await {
        Ok(handed) => Ok((Spread::of(answered), Spread::of(handed))),
        Err(_) => bail!("alertmanager did not deliver every alert to its webhook"),
    }
}

/// Listens for Alertmanager's webhook; the port.
async fn webhook(arrivals: Arrivals) -> Result<u16> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let app = axum::Router::new().fallback(move |body: axum::Json<Value>| {
        let arrivals = Arc::clone(&arrivals);
        async move {
            let at = now();
            let mut arrivals = arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for alert in body.0["alerts"].as_array().into_iter().flatten() {
                if let Some(name) = alert["labels"]["alertname"].as_str() {
                    arrivals.entry(name.to_owned()).or_insert(at);
                }
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(port)
}
