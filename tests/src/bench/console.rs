//! How soon an alarm can be seen at a desk: from the moment in which the relay has it on disk to the frame in which a real
//! Chromium shows it, with two hundred other alarms open. Between lie the relay's live stream, the desk's own commit, the
//! console's stream, and the page asked for, taken apart and drawn.
//!
//! No peer: nobody else's console is handed an alarm that is sealed to it.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::AlarmKind;
use baken_schemas::crypto::SigningKey;
use baken_schemas::org::Directory;
use baken_schemas::signed::Unverified;
use baken_schemas::time::{Clock as _, SystemClock};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use serde_json::json;

use super::{Bench, Spread};
use crate::fleet::{Org, Wire};
use crate::story::process::Process;
use crate::story::town::{Plan, Town};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Alarms that are open beside.
    pub open: usize,
    /// Alarms that are timed.
    pub timed: usize,
}

impl Load {
    /// For figures. A p99 of sixty is their slowest; more would be measured with far more open than said.
    pub const FULL: Self = Self { open: 200, timed: 60 };
    /// To see that all works.
    pub const QUICK: Self = Self { open: 20, timed: 10 };
}

/// Runs it in `folder`, with node's packages in `modules`.
///
/// # Errors
/// When a part cannot be started, or an alarm is not seen.
pub async fn console(folder: &Path, modules: &Path, load: Load) -> Result<Bench> {
    let mut bench = Bench::new("console", folder)?;
    let data = folder.join("town");
    let town = Town::found(&Plan { data, log_level: "warn".to_owned(), tapped: false, programs: (None, None) }).await?;
    let link = town.officer_link("Bezoeker").await?;
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let org = org(&town)?;
    let wire = Wire::new(&town.relay_url, &std::fs::read(town.data.join("relay/tls-root.der"))?)?;
    let mut alarms = Vec::new();
    for _ in 0..load.open + load.timed {
        let keys = wire.activate(&org, SystemClock.now(), &mut rng).await?;
        let (alarm, _) = org.alarm(&keys, AlarmKind::Panic, "Er staat iemand bij de voordeur", &mut rng)?;
        alarms.push((keys, alarm));
    }
    let mut pressed = HashMap::new();
    let timed = alarms.split_off(load.open);
    for (keys, alarm) in &alarms {
        press(&wire, keys, alarm).await?;
    }
    let mut browser = watch(&town, &link, modules)?;
    browser.json_where(|line| line.get("watching").is_some()).await?;
    let mut late = Vec::new();
    for (keys, alarm) in &timed {
        let id = alarm.value().header.alarm.to_string();
        press(&wire, keys, alarm).await?;
        pressed.insert(id.clone(), SystemClock.now());
        let seen = browser.json_where(|line| line["seen"] == id.as_str()).await?;
        let at_ms = seen["at_ms"].as_f64().context("a moment")?;
        #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 have 41 bits")]
        let took_ms = at_ms - pressed[&id].0 as f64;
        late.push(Duration::from_secs_f64(took_ms.max(0.0) / 1000.0));
    }
    browser.kill().await?;
    let spread = Spread::of(late);
    let measure = format!("stored_to_seen_with_{}_open", load.open);
    bench.set(&format!("{measure}_p50"), "ms", "baken", spread.p50_us() / 1000.0);
    bench.set(&format!("{measure}_p99"), "ms", "baken", spread.p99_us() / 1000.0);
    bench
        .remarks
        .push("seen: the frame after the one in which Chromium drew the alarm; both clocks count whole ms".to_owned());
    Ok(bench)
}

/// The town's organisation, whose root is at hand.
fn org(town: &Town) -> Result<Org> {
    let seed: [u8; 32] =
        std::fs::read(town.data.join("org/root.key"))?.try_into().ok().context("a root has 32 bytes")?;
    let bytes = std::fs::read(town.data.join("org/directory.cbor"))?;
    let id = Unverified::<Directory>::parse(&bytes)?.claims().org();
    Ok(Org { root: SigningKey::from_bytes(&seed), desks: Vec::new(), directory: Directory::verify(&bytes, id)? })
}

async fn press(
    wire: &Wire,
    keys: &baken_schemas::device::DeviceKeys,
    alarm: &baken_schemas::signed::Signed<baken_schemas::alarm::Alarm>,
) -> Result<()> {
    let (status, _) = wire.press(keys, alarm).await?;
    ensure!((200..300).contains(&status), "an alarm was answered with {status}");
    Ok(())
}

fn watch(town: &Town, link: &str, modules: &Path) -> Result<Process> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/watch.mjs").display().to_string();
    let certificate = town.data.join("desk/tls-server.der");
    let what = json!({ "console": town.console_url, "certificate": certificate, "link": link }).to_string();
    let environment = [("BAKEN_TOWN", what.as_str()), ("BAKEN_NODE_MODULES", modules.to_str().context("a path")?)];
    Process::start("browser", Path::new("node"), &[&script], &environment, &town.data.join("log/browser.log"))
}
