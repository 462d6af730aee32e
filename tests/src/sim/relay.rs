//! The simulated relay's machine: the real relay over its folder, killed and started again.

use std::sync::Arc;

use anyhow::Result;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::AlarmId;
use baken_schemas::org::RelayEntry;
use baken_server::audit;
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, Priority, StoreError, StoreOptions};
use rand::rngs::ChaCha20Rng;

use crate::plant::planted;
use crate::sim::clock::SimClock;
use crate::sim::folder::Lives;
use crate::sim::network::{AUTHORITY, Network};

/// Stands for the DER of the relay's TLS root: no TLS is spoken here, and only its hash is compared.
pub(super) const TLS_ROOT: &[u8] = b"stands for a certificate";

/// The relay and its machine.
pub(super) struct RelaySite {
    pub(super) keys: DeviceKeys,
    clock: SimClock,
    network: Network,
    lives: Lives,
    running: Option<Relay>,
    /// What was on the disk when it was killed.
    left: Option<RelayLook>,
}

impl RelaySite {
    /// A machine with an empty folder, not running.
    pub(super) fn new(lives: Lives, keys: DeviceKeys, clock: SimClock, network: Network) -> Self {
        Self { keys, clock, network, lives, running: None, left: None }
    }

    /// What an organisation's directory says of it.
    pub(super) fn entry(&self) -> RelayEntry {
        RelayEntry {
            relay: self.keys.device,
            sig: self.keys.sig.verify_key(),
            urls: vec![format!("https://{AUTHORITY}")],
            tls_roots: vec![TLS_ROOT.to_vec().into()],
            operator_reads_alarms: false,
        }
    }

    /// The relay, while it runs.
    pub(super) fn running(&self) -> Option<&Relay> {
        self.running.as_ref()
    }

    /// Starts the relay; nothing when it runs.
    pub(super) async fn start(&mut self, rng: &mut ChaCha20Rng) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        // Nothing must follow in time here: what a phone shows only goes up, which this holds against every seed.
        let follow_up_ms = i64::MAX / 4;
        let options = RelayOptions { authorities: vec![AUTHORITY.to_owned()], follow_up_ms, ..RelayOptions::default() };
        let store = StoreOptions { inline: true, ..StoreOptions::default() };
        let (disk, clock) = (Disk::new(self.lives.folder()), Arc::new(self.clock.clone()));
        let relay = Relay::open(&disk, store, self.keys.clone(), clock, rng, options).await?;
        plant(&relay).await?;
        self.network.connect(Some(relay.router()));
        self.running = Some(relay);
        Ok(())
    }

    /// Kills the relay; nothing when it does not run.
    pub(super) fn kill(&mut self) -> Result<()> {
        let Some(relay) = self.running.take() else { return Ok(()) };
        self.left = Some(look(&relay)?);
        let old = self.lives.next()?;
        self.network.connect(None);
        drop(relay);
        Ok(std::fs::remove_dir_all(old)?)
    }

    /// Lets the relay do what is due; nothing when it does not run.
    pub(super) async fn tick(&self) -> Result<()> {
        if let Some(relay) = &self.running {
            relay.tick(relay.now()).await?;
        }
        Ok(())
    }

    /// What the relay's disk says, or said when the relay was killed.
    pub(super) fn look(&self) -> Result<Option<RelayLook>> {
        self.running.as_ref().map_or_else(|| Ok(self.left.clone()), |relay| look(relay).map(Some))
    }
}

/// Faults of a relay that forgets, done behind its back by its own database.
async fn plant(relay: &Relay) -> Result<()> {
    let forgets = |table: &str, when: &str, key: &str| {
        format!(
            "CREATE TRIGGER IF NOT EXISTS forgets_{table} AFTER INSERT ON {table} {when}
             BEGIN DELETE FROM {table} WHERE {key} = NEW.{key}; END"
        )
    };
    let mut faults = Vec::new();
    if planted("forgotten-ladder") {
        faults.push(forgets("ladder_run", "", "alarm"));
    }
    if planted("forgotten-mail") {
        faults.push(forgets("mail", "WHEN NEW.kind = 0", "cursor"));
    }
    for fault in faults {
        relay.store().write(Priority::Normal, move |db| Ok::<_, StoreError>(db.execute_batch(&fault)?)).await?;
    }
    Ok(())
}

/// What the relay's disk says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RelayLook {
    /// Alarms with the hashes of their receipts, in order of arrival.
    pub(super) alarms: Vec<(AlarmId, Vec<Hash>)>,
    /// Ladders that still climb.
    pub(super) climbing: u32,
    /// The last mail's cursor.
    pub(super) mail: u64,
    /// The audit's head.
    pub(super) audit: audit::Head,
}

fn look(relay: &Relay) -> Result<RelayLook> {
    let found = relay.store().read(|db| {
        let mut alarms = db.prepare_cached("SELECT alarm FROM alarm ORDER BY at, alarm")?;
        let alarms: Vec<AlarmId> = alarms.query_map([], |row| row.get(0).map(AlarmId))?.collect::<Result<_, _>>()?;
        let mut receipts = db.prepare_cached("SELECT hash FROM receipt WHERE alarm = ?1 ORDER BY place")?;
        let alarms = alarms
            .into_iter()
            .map(|alarm| {
                let rows = receipts.query_map([alarm.0], |row| row.get(0).map(Hash))?;
                Ok((alarm, rows.collect::<Result<_, _>>()?))
            })
            .collect::<Result<_, StoreError>>()?;
        Ok::<_, StoreError>(RelayLook {
            alarms,
            climbing: db.query_row("SELECT count(*) FROM ladder_run", [], |row| row.get(0))?,
            mail: db.query_row("SELECT coalesce(max(cursor), 0) FROM mail", [], |row| row.get(0))?,
            audit: audit::head(db)?,
        })
    })?;
    Ok(found)
}
