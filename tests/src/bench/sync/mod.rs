//! `bench sync`: edits from one device to another, live and after time offline, a first sync, many devices, and what it
//! takes on the wire and at rest; Hocuspocus, Automerge-repo and pouchdb-server driven by the same harness.
//!
//! Every contestant has its server in a process of its own and its clients in another, on loopback. Edits are the same:
//! live ones put one field again and again; a backlog is one new key (record, document) an edit. Times are taken
//! without anything in between. What goes over the wire is counted in a run of its own, by a proxy.

mod fleet;
mod ours;
mod theirs;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use base64::Engine as _;
use sha2::Digest as _;

use super::{Bench, Spread};

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Live edits, one after the other.
    live: usize,
    /// Edits made offline.
    backlog: usize,
    /// Bytes an edit.
    bytes: usize,
    /// How often a backlog is sent and pulled; the median counts.
    rounds: usize,
    /// Records in a first sync.
    first_syncs: [usize; 2],
    /// Devices in a circle, rising.
    devices: [usize; 3],
    /// Edits to each of those.
    fan_outs: usize,
}

impl Load {
    /// What the figures are for.
    pub const FULL: Self = Self {
        live: 500,
        backlog: 1000,
        bytes: 200,
        rounds: 3,
        first_syncs: [100, 10_000],
        devices: [2, 8, 60],
        fan_outs: 20,
    };
    /// Whether it all works, in seconds. Its rows carry its own numbers in their names.
    pub const QUICK: Self =
        Self { live: 20, backlog: 50, bytes: 200, rounds: 1, first_syncs: [10, 100], devices: [2, 3, 4], fan_outs: 3 };
}

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When Baken fails. A peer that fails is named in the remarks.
pub async fn sync(folder: &Path, load: &Load) -> Result<Bench> {
    let mut bench = Bench::new("sync", folder)?;
    ours::measure(&mut bench, &folder.join("baken"), load).await?;
    theirs::measure(&mut bench, &folder.join("peers"), load).await?;
    bench.remarks.push(
        "baken seals, signs and pads every edit, speaks TLS 1.3, signs its requests, and has each step on disk \
         (fdatasync) at the phone and at the relay before it goes on; the others do none of this: plain WebSocket or \
         HTTP, hocuspocus and automerge_repo wholly in memory, pouchdb in LevelDB without fsync"
            .to_owned(),
    );
    bench.remarks.push(format!(
        "server and clients in two processes on loopback; times without a proxy; backlog and pull are the median of {} \
         rounds in one process, each with an account or document of its own and a new connection",
        load.rounds
    ));
    bench.remarks.push(
        "wire: TCP payload both ways, counted by a proxy of ours in a run of its own, with TLS, HTTP and the handshake \
         in it; rest: pages of the relay's database, pouchdb's folder, and for those in memory what their engine saves \
         a document as"
            .into(),
    );
    Ok(bench)
}

/// So many bytes that no two edits share and that compress badly; `tests/peers/sync/peer.mjs` makes the same.
fn text(round: usize, edit: usize, bytes: usize) -> String {
    let mut all = String::new();
    for part in 0.. {
        if all.len() >= bytes {
            break;
        }
        let hash = sha2::Sha512::digest(format!("{round} {edit} {part}"));
        base64::engine::general_purpose::STANDARD.encode_string(hash, &mut all);
    }
    all.truncate(bytes);
    all
}

/// The rows that every contestant has.
impl Bench {
    fn set_live(&mut self, contestant: &'static str, times: Vec<Duration>) {
        let spread = Spread::of(times);
        self.set("live_edit_p50", "ms", contestant, spread.p50_us() / 1000.0);
        self.set("live_edit_p99", "ms", contestant, spread.p99_us() / 1000.0);
    }

    fn set_up(&mut self, load: &Load, contestant: &'static str, times: Vec<Duration>) {
        let measure = format!("backlog_{}_up", load.backlog);
        self.set(&measure, "ms", contestant, Spread::of(times).p50_us() / 1000.0);
    }

    fn set_pull(&mut self, load: &Load, contestant: &'static str, times: Vec<Duration>) {
        let measure = format!("fresh_pull_{}", load.backlog);
        self.set(&measure, "ms", contestant, Spread::of(times).p50_us() / 1000.0);
    }

    /// `measure` is of the whole backlog.
    fn set_bytes(&mut self, load: &Load, contestant: &'static str, measure: &str, bytes: u64) {
        #[allow(clippy::cast_precision_loss, reason = "some megabytes")]
        self.set(measure, "B", contestant, bytes as f64 / load.backlog as f64);
    }
}

/// The names of the rows of [`Bench::set_bytes`].
const WIRE_UP: &str = "wire_up_per_edit";
const WIRE_PULL: &str = "wire_pull_per_edit";
const REST: &str = "rest_per_edit";
