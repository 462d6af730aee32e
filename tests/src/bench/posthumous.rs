//! posthumous (PyPI), a dead-man switch that sends notices when somebody stops checking in: how late it does. It watches one
//! person a process and looks once a second, the shortest it is told to here; so a few of them, one beside the other.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::load::Arrivals;
use super::{Bench, Spread, now};
use crate::story::process::{PATIENCE, Process, free_port, until};

const CONTESTANT: &str = "posthumous";
/// How many people, each with a process.
const PEOPLE: usize = 4;
/// From a check-in to its due moment, in seconds.
const DUE_S: u64 = 8;
/// What lets a program check in.
const TOKEN: &str = "voorbeeld";

/// Adds its figures, or why there are none.
///
/// # Errors
/// When it is there and does not do its part.
pub async fn measure(bench: &mut Bench, folder: &Path) -> Result<()> {
    let python = std::env::var_os("BAKEN_PYTHON").map(PathBuf::from).unwrap_or_default();
    let program = python.with_file_name("phm");
    if !program.exists() {
        bench.remarks.push("posthumous was not run: PyPI's posthumous is not installed".into());
        return Ok(());
    }
    eprintln!("bench checkin: posthumous, {PEOPLE} people");
    let arrivals = Arrivals::<usize>::default();
    let hook = webhook(arrivals.clone()).await?;
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let (mut running, mut due) = (Vec::new(), std::collections::HashMap::<usize, Instant>::new());
    for person in 0..PEOPLE {
        let folder = folder.join(format!("posthumous-{person}"));
        std::fs::create_dir_all(&folder)?;
        let (port, config) = (free_port()?, folder.join("config.yaml"));
        std::fs::write(
            &config,
            format!(
                "node_name: person{person}\nsecret_key: JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\napi_token: {TOKEN}\n\
                 listen: 127.0.0.1:{port}\ncheck_interval: 1 second\ncheckin_interval: 2 seconds\n\
                 warning_start: 3 seconds\ngrace_start: 5 seconds\ntrigger_at: {DUE_S} seconds\n\
                 notifications:\n  default: json://127.0.0.1:{hook}/{person}\n\
                 actions:\n  on_trigger:\n  - notify: default\n    message: missed\n"
            ),
        )?;
        let config = config.to_str().context("the folder's name is text")?;
        let log = folder.join("posthumous.log");
        running.push(Process::start(CONTESTANT, &program, &["-c", config, "run"], &[], &log)?);
        let url = format!("http://127.0.0.1:{port}/checkin");
        let checked_in = until("posthumous answers", async || {
            Ok(client.post(&url).json(&json!({ "token": TOKEN })).send().await.ok())
        })
        .await?;
        ensure!(checked_in.status().is_success(), "posthumous answered a check-in {}", checked_in.status());
        due.insert(person, now() + Duration::from_secs(DUE_S));
    }
    let lateness =
        tokio::time::timeout(PATIENCE, arrivals.all(&due)).await.context("posthumous did not tell of all")?;
    let last = lateness.iter().max().copied().unwrap_or_default();
    bench.set("lateness_p50_few", "ms", CONTESTANT, Spread::of(lateness).p50_us() / 1000.0);
    bench.set("lateness_worst_few", "ms", CONTESTANT, last.as_secs_f64() * 1000.0);
    bench.remarks.push(format!(
        "posthumous watches one person a process and looks once a second, so between nothing and a second passes by chance: \
         {PEOPLE} people beside our ten thousand; figures to its webhook over plain HTTP"
    ));
    Ok(())
}

/// Listens for its notices; the port.
async fn webhook(arrivals: Arrivals<usize>) -> Result<u16> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let app = axum::Router::new().fallback(move |uri: http::Uri| {
        let arrivals = arrivals.clone();
        async move {
            let at = now();
            if let Ok(person) = uri.path().trim_matches('/').parse() {
                arrivals.note(person, at);
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(port)
}
