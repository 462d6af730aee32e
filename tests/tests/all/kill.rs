//! `kill -9` of each server at random moments, under alarms and sync: whatever was answered with 2xx is there
//! after the restart, and every alarm and every deposit answered is shown at the desk exactly once (I1).
//!
//! What a kill cannot show, a missing fsync, `relay_power_loss` does. The moments come from a seed that is printed;
//! `BAKEN_SEED` repeats one, as far as real processes repeat; `BAKEN_KILLS=1000` looks longer.

mod buttons;
mod load;
mod town;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};

use buttons::Buttons;
use load::Load;
use town::{Server, Town, last_words};

/// Kills of each server; `BAKEN_KILLS` asks for another number.
const KILLS: u64 = 30;
/// Kills while deposits fall due.
const KILLS_WHILE_RAISING: usize = 6;
/// Rounds without a kill, whose length says until when a kill meets a round.
const CALM_ROUNDS: u64 = 3;

/// The seed of this run.
#[allow(clippy::disallowed_methods, reason = "a new seed each run, and printed: here chance comes in")]
fn seed() -> Result<u64> {
    let seed = match std::env::var("BAKEN_SEED") {
        Ok(seed) => seed.parse().context("BAKEN_SEED is a number")?,
        Err(_) => rand::random(),
    };
    eprintln!("BAKEN_SEED={seed}");
    Ok(seed)
}

/// How often each server is killed.
fn kills() -> Result<u64> {
    std::env::var("BAKEN_KILLS").map_or(Ok(KILLS), |kills| kills.parse().context("BAKEN_KILLS is a number"))
}

/// How long it took.
#[allow(clippy::disallowed_methods, reason = "what is measured is how long real processes take")]
async fn timed(round: impl Future<Output = Result<()>>) -> Result<Duration> {
    let before = Instant::now();
    round.await?;
    Ok(before.elapsed())
}

/// Which server dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Relay,
    Desk,
}

/// The random moment of a kill within a round of this length.
fn moment(round: Duration, moments: &mut ChaCha20Rng) -> Duration {
    round.mul_f64(moments.random_range(0.0..1.0))
}

/// Rounds of load, in each of which the server dies once; then what was answered is looked for.
async fn kill_under_load(victim: Victim) -> Result<()> {
    let (seed, kills) = (seed()?, kills()?);
    let mut moments = ChaCha20Rng::seed_from_u64(seed);
    let Town { mut relay, mut desk, org, wire, officer, data, .. } = Town::found().await?;
    let load = Load::begin(&wire, &org, &officer, seed).await?;
    let mut calm = Duration::MAX;
    for round in 0..CALM_ROUNDS {
        calm = calm.min(timed(load.round(round)).await?);
    }
    let mut met = 0;
    for round in CALM_ROUNDS..CALM_ROUNDS + kills {
        let before = load.interruptions();
        let after = moment(calm, &mut moments);
        let server: &mut Server = if victim == Victim::Relay { &mut relay } else { &mut desk };
        let (loaded, crashed) = tokio::join!(load.round(round), server.crash(after));
        crashed.with_context(|| format!("round {round}, seed {seed}\n{}", last_words(data.path())))?;
        loaded.with_context(|| format!("round {round}, seed {seed}\n{}", last_words(data.path())))?;
        met += u64::from(load.interruptions() > before);
    }
    assert!(met >= kills / 3, "only {met} of {kills} kills met a request under way");
    load.a_deposit_is_raised().await?;
    for _ in 0..KILLS_WHILE_RAISING {
        let server: &mut Server = if victim == Victim::Relay { &mut relay } else { &mut desk };
        server
            .crash(moment(calm, &mut moments))
            .await
            .with_context(|| format!("seed {seed}\n{}", last_words(data.path())))?;
    }
    let checked = async {
        load.alarms_are_shown_once().await?;
        load.the_circle_is_kept().await?;
        load.receipts_are_kept().await?;
        relay.verify().await?;
        desk.verify().await
    };
    checked.await.with_context(|| format!("seed {seed}\n{}", last_words(data.path())))
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_a_killed_relay_loses_nothing_it_answered() -> Result<()> {
    kill_under_load(Victim::Relay).await
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_a_killed_desk_shows_every_alarm_once() -> Result<()> {
    kill_under_load(Victim::Desk).await
}

/// A button's dialler sends until it hears `ACK`, and each press is one alarm at the desk, however often it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn i1_a_killed_bridge_makes_one_alarm_of_every_press() -> Result<()> {
    let (seed, kills) = (seed()?, kills()?);
    let mut moments = ChaCha20Rng::seed_from_u64(seed);
    let mut town = Town::found().await?;
    let mut buttons = Buttons::at(&town.buttons)?;
    let mut calm = Duration::MAX;
    for _ in 0..CALM_ROUNDS {
        calm = calm.min(timed(buttons.round()).await?);
    }
    let mut met = 0;
    for round in 0..kills {
        let before = buttons.interruptions();
        let (pressed, crashed) = tokio::join!(buttons.round(), town.bridge.crash(moment(calm, &mut moments)));
        let said = || format!("round {round}, seed {seed}\n{}", last_words(town.data.path()));
        crashed.with_context(said)?;
        pressed.with_context(said)?;
        met += u64::from(buttons.interruptions() > before);
    }
    assert!(met >= kills / 3, "only {met} of {kills} kills met a press under way");
    let checked = async {
        // Shown behind every earlier press, and so behind a late double of one.
        buttons.round().await?;
        load::exactly_shown(&town.officer, buttons.presses()).await?;
        town.bridge.verify().await
    };
    checked.await.with_context(|| format!("seed {seed}\n{}", last_words(town.data.path())))
}
