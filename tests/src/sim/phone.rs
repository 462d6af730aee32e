//! A simulated phone: the real core over its folder, killed and started again.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, ensure};
use baken_core::alarm::{AlarmState, Round};
use baken_core::home::Home;
use baken_core::key_store::FileKeyStore;
use baken_core::{Baken, BakenError, Context};
use baken_schemas::id::AlarmId;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::sim::clock::WrongClock;
use crate::sim::folder::Lives;
use crate::sim::network::Network;

/// Every phone's PIN.
pub(super) const PIN: &str = "135790";

/// A phone.
pub(super) struct Phone {
    pub(super) name: &'static str,
    /// Whose it is: phones of one account share a dossier.
    pub(super) account: usize,
    pub(super) baken: Baken,
    pub(super) clock: WrongClock,
    pub(super) line: Network,
    lives: Lives,
    /// What its screen has shown: the state of each alarm, and how many receipts.
    pub(super) shown: BTreeMap<AlarmId, (AlarmState, usize)>,
    /// A relay has lied to it.
    pub(super) was_lied_to: bool,
}

fn open(lives: &Lives, clock: &WrongClock, rng: &mut ChaCha20Rng) -> Result<Baken> {
    let home = Home::open(&lives.folder())?;
    let keys = Arc::new(FileKeyStore::new(home.platform_key()));
    let rng = Box::new(ChaCha20Rng::seed_from_u64(rng.random()));
    Ok(Baken::open(home, Context::new(Arc::new(clock.clone()), rng, keys)))
}

/// Whether the phone just was not reached: in this simulation a relay refuses no honest phone anything, so any other
/// error is a broken promise.
fn is_the_way(error: &BakenError) -> bool {
    matches!(error, BakenError::NotReached)
}

impl Phone {
    /// A phone that is not activated yet.
    pub(super) fn new(
        (name, account): (&'static str, usize),
        lives: Lives,
        clock: WrongClock,
        line: Network,
        rng: &mut ChaCha20Rng,
    ) -> Result<Self> {
        let baken = open(&lives, &clock, rng)?;
        Ok(Self { name, account, baken, clock, line, lives, shown: BTreeMap::new(), was_lied_to: false })
    }

    /// Kills the program and starts it again, locked.
    pub(super) fn kill(&mut self, rng: &mut ChaCha20Rng) -> Result<()> {
        let old = self.lives.next()?;
        self.baken = open(&self.lives, &self.clock, rng)?;
        Ok(std::fs::remove_dir_all(old)?)
    }

    /// The phone, its vault open.
    pub(super) fn unlocked(&self) -> Result<&Baken> {
        if !self.baken.is_unlocked() {
            self.baken.unlock(PIN)?;
        }
        Ok(&self.baken)
    }

    /// Syncs. Says how that went.
    pub(super) async fn sync(&self) -> Result<String> {
        match self.baken.sync(&self.line).await {
            Ok(counts) => Ok(format!("sent {} received {}", counts.sent, counts.received)),
            Err(error) if is_the_way(&error) => Ok("not reached".to_owned()),
            Err(error) => Err(anyhow::Error::new(error).context(format!("{} cannot sync", self.name))),
        }
    }

    /// One round of sending and receiving about alarms. Says how that went.
    pub(super) async fn deliver(&self) -> Result<String> {
        let Round {
            stored,
            receipts,
            handed_on: _,
            refused,
            new_directory,
            orders: _,
            check_ins: _,
            incoming: _,
            sent_on: _,
            error,
        } = self.baken.send_alarms(&self.line).await?;
        if let Some(error) = error.filter(|error| !is_the_way(error)) {
            return Err(anyhow::Error::new(error).context(format!("{} cannot deliver", self.name)));
        }
        ensure!(refused.is_empty() || self.was_lied_to, "I2: {} refused honest documents: {refused:?}", self.name);
        ensure!(!new_directory, "{} took a directory that nobody signed", self.name);
        Ok(format!(
            "stored {} receipts {:?}",
            stored.len(),
            receipts.iter().map(|(_, state)| state).collect::<Vec<_>>()
        ))
    }
}
