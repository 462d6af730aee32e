//! A simulated desk's machine: the real desk over its folder, killed and started again. Mail and receipts are carried by
//! the same rules as the running desk's loops, over the simulation's network.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use baken_core::BakenError;
use baken_core::client::SignedClient;
use baken_schemas::api::{self, Mail, Page};
use baken_schemas::cbor;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::org::{DeskEntry, OrgId};
use baken_server::desk::officers::Officer;
use baken_server::desk::run::idempotency_of;
use baken_server::desk::{Channels, Desk, DeskParts, MailPosition};
use baken_server::store::{Disk, StoreOptions};
use http::Method;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::sim::clock::SimClock;
use crate::sim::folder::Lives;
use crate::sim::network::Network;

/// A desk and its machine.
pub(super) struct DeskSite {
    pub(super) name: &'static str,
    pub(super) desk: Desk,
    pub(super) officers: Vec<Officer>,
    pub(super) line: Network,
    keys: DeviceKeys,
    org: OrgId,
    clock: SimClock,
    lives: Lives,
    /// How far its mail was seen to be taken, and how often it had changed by then.
    pub(super) mail: MailPosition,
    pub(super) changes: u64,
}

/// What an organisation's directory says of a desk.
pub(super) fn entry(name: &str, keys: &DeviceKeys) -> DeskEntry {
    DeskEntry { desk: keys.device, name: name.to_owned(), sig: keys.sig.verify_key(), kem: keys.kem.public() }
}

fn open(lives: &Lives, keys: &DeviceKeys, org: OrgId, clock: &SimClock, rng: &mut ChaCha20Rng) -> Result<Desk> {
    let parts = DeskParts {
        keys: keys.clone(),
        org,
        console_url: "https://desk.test".to_owned(),
        passkeys: false,
        channels: Channels::default(),
        clock: Arc::new(clock.clone()),
        rng: Box::new(ChaCha20Rng::seed_from_u64(rng.random())),
    };
    let options = StoreOptions { inline: true, ..StoreOptions::default() };
    Ok(Desk::open(&Disk::new(lives.folder()), options, parts)?)
}

impl DeskSite {
    /// A desk that has started for the first time, with two officers.
    pub(super) fn new(
        (name, keys, org): (&'static str, DeviceKeys, OrgId),
        lives: Lives,
        clock: SimClock,
        line: Network,
        rng: &mut ChaCha20Rng,
    ) -> Result<Self> {
        let desk = open(&lives, &keys, org, &clock, rng)?;
        let officers = ["De Wit", "Van Dam"]
            .map(|officer| desk.officers().add(officer, desk.now(), rng).map(|(officer, _)| officer))
            .into_iter()
            .collect::<Result<_, _>>()?;
        Ok(Self { name, desk, officers, line, keys, org, clock, lives, mail: MailPosition::default(), changes: 0 })
    }

    /// Kills the desk and starts it again.
    pub(super) fn kill(&mut self, rng: &mut ChaCha20Rng) -> Result<()> {
        let old = self.lives.next()?;
        self.desk = open(&self.lives, &self.keys, self.org, &self.clock, rng)?;
        Ok(std::fs::remove_dir_all(old)?)
    }

    /// The folder it lives in now.
    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.lives.folder()
    }

    fn client(&self) -> SignedClient<'_> {
        SignedClient::of_device(&self.line, &self.keys)
    }

    /// Takes one page of mail, from `again` cursors before the place it stands at, as a desk that forgot would. Says
    /// how many pieces there were.
    pub(super) async fn take_mail(&self, again: u64) -> Result<String> {
        let held = self.desk.mail_position()?;
        let path = format!("{}?after={}", api::MAIL, held.cursor.saturating_sub(again));
        let page: Page =
            match self.client().ask(Method::GET, &path, Vec::new(), IdempotencyKey([0; 16]), "a page of mail").await {
                Ok(page) => page,
                Err(BakenError::NotReached) => return Ok("not reached".to_owned()),
                Err(error) => return Err(error).with_context(|| format!("{} gets no mail", self.name)),
            };
        for item in &page.items {
            let mail: Mail = cbor::from_slice(&item.bytes, "a piece of mail")?;
            let place = MailPosition { generation: page.generation, cursor: item.cursor };
            self.desk.take_mail(place, &mail).await?;
            // Between two pieces others act, and the desk can be killed.
            tokio::task::yield_now().await;
        }
        Ok(format!("{} pieces", page.items.len()))
    }

    /// Sends receipts in order until one does not get through. Says how many did.
    pub(super) async fn post_receipts(&self) -> Result<String> {
        let mut sent = 0;
        for receipt in self.desk.outgoing_receipts()? {
            let key = idempotency_of(receipt.hash);
            match self.client().send(Method::POST, api::RECEIPTS, receipt.document, key).await {
                Ok(_) => self.desk.receipt_settled(receipt.hash, true).await?,
                Err(BakenError::NotReached) => return Ok(format!("sent {sent}, then not reached")),
                Err(error) => bail!("{} cannot send an honest receipt: {error}", self.name),
            }
            sent += 1;
        }
        Ok(format!("sent {sent}"))
    }
}
