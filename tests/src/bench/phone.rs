//! Phones for benches: a folder, an invite, a pair. Only what the core gives to everybody, and all of it here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use baken_core::home::Home;
use baken_core::key_store::FileKeyStore;
use baken_core::pairing::{PairInto, Paired};
use baken_core::transport::Transport;
use baken_core::{Baken, BakenError, Context};
use baken_schemas::org::{Invite, InviteRegistration};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, SystemClock};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rand_core::CryptoRng;
use sha2::Digest as _;

use crate::fleet::Org;

/// The PIN of all.
pub const PIN: &str = "482913";
/// How long to wait where a relay takes no more offers to pair for now.
const OFFER_AGAIN: Duration = Duration::from_secs(5);

/// A phone in a folder, locked.
///
/// # Errors
/// When the folder cannot be made.
pub fn phone_in(folder: &Path, seed: u64) -> Result<Baken> {
    let home = Home::open(folder)?;
    let key_store = Arc::new(FileKeyStore::new(home.platform_key()));
    let context = Context::new(Arc::new(SystemClock), Box::new(ChaCha20Rng::seed_from_u64(seed)), key_store);
    Ok(Baken::open(home, context))
}

/// A folder in memory where there is one: fsync costs nothing there.
///
/// # Errors
/// When it cannot be made.
pub fn memory() -> Result<tempfile::TempDir> {
    let shared = Path::new("/dev/shm");
    Ok(if shared.is_dir() { tempfile::tempdir_in(shared)? } else { tempfile::tempdir()? })
}

/// An invite as text, and what its relay must be told first.
///
/// # Errors
/// When the directory names no relay.
pub fn invite(org: &Org, rng: &mut dyn CryptoRng) -> Result<(String, Signed<InviteRegistration>)> {
    let relay = &org.directory.value().relay;
    let (mut invite, _) = org.invite(SystemClock.now(), rng);
    invite.relay_url = relay.urls.first().context("a relay has an address")?.clone();
    invite.tls_root_sha256 = sha2::Sha256::digest(&**relay.tls_roots.first().context("a relay has a root")?).into();
    let registration = Signed::make(InviteRegistration::of(&invite), &org.root);
    Ok((Invite::to_text(&Signed::make(invite, &org.root)), registration))
}

/// Pairs a new device, which from the third on waits until another lets it in. Its offer goes over `door`: a relay takes
/// only so many a minute from one address.
///
/// # Errors
/// When any step fails.
pub async fn pair(old: &Baken, new: &Baken, door: &dyn Transport, wire: &dyn Transport, name: &str) -> Result<Paired> {
    let mut start = loop {
        match new.pair_start(door, PIN, name).await {
            Err(BakenError::Refused { status: 429, .. }) => tokio::time::sleep(OFFER_AGAIN).await,
            started => break started?,
        }
    };
    let mut accept = old.pair_accept(wire, &start.code_text()).await?;
    let digits = new.pair_digits(&mut start, wire).await?;
    let paired = old.pair_confirm(&mut accept, wire, &digits, PIN, PairInto::Dossier).await?;
    new.pair_join(&start, wire).await?;
    Ok(paired)
}
