//! Prometheus' Alertmanager (Debian's package) under the same load: from POST to its answer, and to its webhook.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::load::{self, Arrivals, Load};
use super::{Bench, now};
use crate::story::process::{PATIENCE, Process, free_port, until};

/// Its name in the tables.
pub const CONTESTANT: &str = "alertmanager";

/// One that runs, and its webhook.
#[derive(Debug)]
pub struct Alertmanager {
    /// Alerts that came to the webhook, by name.
    pub arrivals: Arrivals<String>,
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    base: String,
    client: reqwest::Client,
    process: Process,
}

impl Alertmanager {
    /// Starts one that waits `group_wait` before it tells of an alert, with its data in `folder`; `None` where it is not
    /// installed.
    ///
    /// # Errors
    /// When it is there and cannot be started.
    pub async fn start(folder: &Path, group_wait: &str) -> Result<Option<Self>> {
        let Some(program) = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|folder| folder.join("prometheus-alertmanager"))
            .find(|path| path.exists())
        else {
            return Ok(None);
        };
        std::fs::create_dir_all(folder)?;
        let arrivals = Arrivals::<String>::default();
        let hook = webhook(arrivals.clone()).await?;
        let config = folder.join("alertmanager.yml");
        std::fs::write(
            &config,
            format!(
                "route:\n  receiver: desk\n  group_by: ['alertname']\n  group_wait: {group_wait}\n  group_interval: 1s\n\
                 receivers:\n- name: desk\n  webhook_configs:\n  - url: http://127.0.0.1:{hook}/\n    send_resolved: false\n"
            ),
        )?;
        let (port, log) = (free_port()?, folder.join("alertmanager.log"));
        let args = vec![
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", folder.join("alertmanager").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let process = serve(&program, &args, &log)?;
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let base = format!("http://127.0.0.1:{port}");
        let started = Self { arrivals, program, args, log, base, client, process };
        started.is_ready().await?;
        Ok(Some(started))
    }

    async fn is_ready(&self) -> Result<()> {
        let asked = format!("{}/-/ready", self.base);
        until("alertmanager is ready", async || {
            Ok(self.client.get(&asked).send().await.ok().filter(|answer| answer.status().is_success()).map(drop))
        })
        .await
    }

    /// `kill -9`, and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn kill_and_start(&mut self) -> Result<()> {
        self.process.kill().await?;
        self.process = serve(&self.program, &self.args, &self.log)?;
        self.is_ready().await
    }

    /// Posts an alert; done when it is answered.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn post(&self, name: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        let alert = json!([{ "labels": { "alertname": name } }]);
        let request = self.client.post(format!("{}/api/v2/alerts", self.base)).json(&alert);
        async move {
            request.send().await?.error_for_status()?;
            Ok(())
        }
    }
}

fn serve(program: &Path, args: &[String], log: &Path) -> Result<Process> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Process::start(CONTESTANT, program, &args, &[], log)
}

/// Adds Alertmanager's figures, or why there are none.
///
/// # Errors
/// When it is there and does not do its part.
pub async fn measure(bench: &mut Bench, folder: &Path, load: &Load) -> Result<()> {
    let Some(alertmanager) = Alertmanager::start(&folder.join("alertmanager"), "0s").await? else {
        bench.remarks.push("alertmanager was not run: install the package prometheus-alertmanager".into());
        return Ok(());
    };
    let mut numbers = 0_u64..;
    let mut some = |count: usize| -> Vec<(String, _)> {
        let names = numbers.by_ref().take(count).map(|number| format!("alarm-{number}"));
        names.map(|name| (name.clone(), alertmanager.post(&name))).collect()
    };
    for (measure, rate, count) in load.runs() {
        eprintln!("bench alarm: {count} alerts to alertmanager, {measure}");
        match load::run(rate, some(count), &alertmanager.arrivals).await {
            Ok(spreads) => bench.set_run(CONTESTANT, (&measure, rate), &spreads),
            Err(error) => {
                // One that falls behind is figured as far as it came.
                bench.remarks.push(format!("alertmanager did not keep up with {measure}: {error:#}"));
                return Ok(());
            }
        }
    }
    eprintln!("bench alarm: {} alerts to alertmanager, as fast as it goes", load.flood);
    match load::flood(load.at_once, some(load.flood), &alertmanager.arrivals).await {
        Ok(per_second) => bench.set(load::A_SECOND, "/s", CONTESTANT, per_second),
        Err(error) => bench.remarks.push(format!("alertmanager did not take {} at once: {error:#}", load.flood)),
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
