//! Prometheus' Alertmanager (Debian's package) under the same load: from POST to its answer, and to its webhook.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::load::{self, Arrivals};
use super::{Bench, now};
use crate::story::process::{PATIENCE, Process, free_port, until};

const CONTESTANT: &str = "alertmanager";

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
    let arrivals = Arrivals::<String>::default();
    let hook = webhook(arrivals.clone()).await?;
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
    let asked = format!("{base}/-/ready");
    until("alertmanager is ready", async || {
        Ok(client.get(&asked).send().await.ok().filter(|answer| answer.status().is_success()))
    })
    .await?;
    let url = format!("{base}/api/v2/alerts");
    let runs = std::iter::once(("one at a time".to_owned(), None, single))
        .chain(rates.iter().map(|rate| (format!("{rate}/s"), Some(*rate), rate * seconds)));
    for (run, (measure, rate, count)) in runs.enumerate() {
        eprintln!("bench alarm: {count} alerts to alertmanager, {measure}");
        let alerts = (0..count).map(|n| {
            let name = format!("alarm-{run}-{n}");
            let request = client.post(&url).json(&json!([{ "labels": { "alertname": name } }]));
            (name, async move {
                request.send().await?.error_for_status()?;
                Ok(())
            })
        });
        let (stored, handed) = load::run(rate, alerts.collect(), &arrivals).await?;
        bench.set(&format!("stored p50, {measure}"), "ms", CONTESTANT, stored.p50_us() / 1000.0);
        bench.set(&format!("stored p99, {measure}"), "ms", CONTESTANT, stored.p99_us() / 1000.0);
        bench.set(&format!("at the desk p50, {measure}"), "ms", CONTESTANT, handed.p50_us() / 1000.0);
        bench.set(&format!("at the desk p99, {measure}"), "ms", CONTESTANT, handed.p99_us() / 1000.0);
        if let Some(rate) = rate {
            bench.set(&format!("to_desk_p99_{rate}"), "ms", CONTESTANT, handed.p99_us() / 1000.0);
        }
    }
    bench.remarks.push(
        "alertmanager keeps alerts in memory only: its `stored` is no promise; plain HTTP, one group an alert, \
         group_wait 0, figures to its webhook"
            .into(),
    );
    Ok(())
}

/// Listens for Alertmanager's webhook; the port.
async fn webhook(arrivals: Arrivals<String>) -> Result<u16> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let app = axum::Router::new().fallback(move |body: axum::Json<Value>| {
        let arrivals = arrivals.clone();
        async move {
            let at = now();
            for alert in body.0["alerts"].as_array().into_iter().flatten() {
                if let Some(name) = alert["labels"]["alertname"].as_str() {
                    arrivals.note(name.to_owned(), at);
                }
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(port)
}
