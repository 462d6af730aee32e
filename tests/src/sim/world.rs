//! The simulated town: one organisation, one relay, two desks, two or three office-holders with two phones each, and the
//! weather between them.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use baken_core::client::send_unsigned;
use baken_core::pairing::PairInto;
use baken_schemas::api;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{Invite, InviteRole};
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::org::{DirectoryChange, Invitee, LadderSpec, Organisation};
use http::Method;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::sim::clock::{SimClock, WrongClock};
use crate::sim::desk::{self, DeskSite};
use crate::sim::folder::Lives;
use crate::sim::liar::Liar;
use crate::sim::network::Network;
use crate::sim::phone::{PIN, Phone};
use crate::sim::relay::{RelayLook, RelaySite};
use crate::sim::truth::Truth;

/// The names of the phones: two an account.
const PHONES: [[&str; 2]; 3] =
    [["mayor_phone", "mayor_tablet"], ["alderman_phone", "alderman_tablet"], ["reeve_phone", "reeve_tablet"]];
/// The desks: the first is on both rungs of the ladder, the second on the last.
const DESKS: [&str; 2] = ["Meldkamer Oost", "Meldkamer West"];
/// The ladder of everybody.
const LADDER: &str = "Standaard=Meldkamer Oost:10,Meldkamer Oost+Meldkamer West:40";
/// Milliseconds until that ladder runs out.
pub(super) const LADDER_MS: i64 = 50_000;
/// Where the simulation begins: 2026-11-23.
const BEGINNING: Timestamp = Timestamp(1_795_465_407_000);
/// How far a wrong phone clock is off at most: ten years.
pub(super) const MOST_OFF_MS: i64 = 10 * 365 * 24 * 3_600_000;

/// Everything there is.
pub(super) struct World {
    pub(super) rng: ChaCha20Rng,
    pub(super) clock: SimClock,
    pub(super) network: Network,
    pub(super) relay: RelaySite,
    pub(super) desks: Vec<DeskSite>,
    pub(super) phones: Vec<Phone>,
    pub(super) truth: Truth,
    /// What the relay's disk said last.
    pub(super) looked: Option<RelayLook>,
    pub(super) kills: u32,
    /// Weeks that were skipped.
    pub(super) long_waits: u32,
    _folder: tempfile::TempDir,
}

/// Memory where there is some: what the disk does is not what is simulated here, and its syncs would take most of the
/// time.
fn folder() -> Result<tempfile::TempDir> {
    let memory = PathBuf::from("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

impl World {
    /// Builds the town of a seed, in fair weather.
    pub(super) async fn make(seed: u64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let folder = folder()?;
        let lives = |name: &str| Lives::begin(folder.path().join(name));
        let clock = SimClock::at(BEGINNING);
        let network = Network::new(rng.random());

        let relay_keys = DeviceKeys::make(&mut rng);
        let mut relay = RelaySite::new(lives("relay")?, relay_keys.clone(), clock.clone(), network.clone());
        relay.start(&mut rng).await?;
        let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng)?;
        relay.running().context("it was just started")?.add_org(org.org()).await?;

        let desk_keys = DESKS.map(|name| (name, DeviceKeys::make(&mut rng)));
        network.set_liar(Liar { keys: relay_keys, desk: desk_keys[0].1.device });
        let change = DirectoryChange {
            relay: Some(relay.entry()),
            desks: desk_keys.iter().map(|(name, keys)| desk::entry(name, keys)).collect(),
            without_desks: Vec::new(),
            ladders: vec![LADDER.parse::<LadderSpec>()?],
            sms_number: None,
        };
        publish(&network, org.sign_directory(change, clock.now(), &mut rng)?).await?;
        let mut desks = Vec::new();
        for (name, keys) in desk_keys {
            let line = network.another(rng.random());
            let desk = DeskSite::new((name, keys, org.org()), lives(name)?, clock.clone(), line, &mut rng)?;
            desk.desk.take_directory(org.directory.as_ref().context("it was just signed")?.bytes()).await?;
            desks.push(desk);
        }

        let accounts = if rng.random_bool(0.25) { 3 } else { 2 };
        let mut phones = Vec::new();
        for (account, names) in PHONES.into_iter().take(accounts).enumerate() {
            let mut pair = Vec::new();
            for name in names {
                let wrong = WrongClock::new(clock.clone(), wrong_ms(&mut rng));
                let line = network.another(rng.random());
                pair.push(Phone::new((name, account), lives(name)?, wrong, line, &mut rng)?);
            }
            let invite = invite(&mut org, names[0], clock.now(), &network, &mut rng).await?;
            pair[0].baken.activate(&pair[0].line, &invite, PIN, names[0]).await?;
            pair_up(&pair[0], &pair[1]).await?;
            phones.append(&mut pair);
        }
        let (truth, looked) = (Truth::default(), None);
        let (kills, long_waits) = (0, 0);
        Ok(Self { rng, clock, network, relay, desks, phones, truth, looked, kills, long_waits, _folder: folder })
    }

    /// Lines of phones and desks.
    pub(super) fn lines(&self) -> Vec<Network> {
        let phones = self.phones.iter().map(|phone| phone.line.clone());
        phones.chain(self.desks.iter().map(|desk| desk.line.clone())).collect()
    }
}

/// How far a phone's clock is off: half of them hardly, the others anything up to ten years.
pub(super) fn wrong_ms(rng: &mut ChaCha20Rng) -> i64 {
    if rng.random_bool(0.5) { rng.random_range(-2_000..=2_000) } else { rng.random_range(-MOST_OFF_MS..=MOST_OFF_MS) }
}

async fn publish(network: &Network, documents: Vec<Vec<u8>>) -> Result<()> {
    for document in documents {
        send_unsigned(network, Method::POST, api::ORG_DOCUMENTS, document).await?;
    }
    Ok(())
}

async fn invite(
    org: &mut Organisation,
    name: &str,
    now: Timestamp,
    network: &Network,
    rng: &mut ChaCha20Rng,
) -> Result<String> {
    let invitee = Invitee {
        name: name.to_owned(),
        office: "burgemeester".to_owned(),
        phone: "0612345678".to_owned(),
        role: InviteRole::OfficeHolder,
    };
    let issued = org.invite(invitee, now.plus_ms(3_600_000), rng)?;
    publish(network, issued.documents).await?;
    Ok(Invite::to_text(&issued.invite))
}

async fn pair_up(old: &Phone, new: &Phone) -> Result<()> {
    let mut start = new.baken.pair_start(&new.line, PIN, new.name).await?;
    let mut accept = old.baken.pair_accept(&old.line, &start.code_text()).await?;
    let digits = new.baken.pair_digits(&mut start, &new.line).await?;
    old.baken.pair_confirm(&mut accept, &old.line, &digits, PIN, PairInto::Dossier).await?;
    Ok(new.baken.pair_join(&start, &new.line).await?)
}
