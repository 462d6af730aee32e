//! Hardware buttons at the bridge: each sends one press until it hears `ACK`, then the next.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use baken_schemas::time::{SystemClock, Timestamp};
use baken_server::channel::Outcome;
use baken_server::dc09::events::Event;
use baken_server::dc09::sender::{Centre, Sender};
use baken_server::dc09::{Coding, Report, Sequence};
use baken_tests::story::process::PATIENCE;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::town::BUTTONS;

/// Presses of each button in a round, one after another.
const PRESSES: u16 = 2;
/// Between two tries of a press that got no `ACK`.
const RETRY: Duration = Duration::from_millis(10);

/// One button.
struct Button {
    dialler: Sender,
    number: u16,
    interrupted: usize,
    rng: ChaCha20Rng,
}

/// All of them.
pub struct Buttons(Vec<Button>);

impl Buttons {
    /// Buttons that reach their bridge at `address`.
    pub fn at(address: &str) -> Result<Self> {
        let button = |(seed, account): (u64, &str)| -> Result<Button> {
            let coding = Coding::new(account.parse().ok().context("an account number")?);
            let dialler = Sender::new(Centre::new(address, coding, None), Arc::new(SystemClock));
            Ok(Button { dialler, number: 0, interrupted: 0, rng: ChaCha20Rng::seed_from_u64(seed) })
        };
        Ok(Self((0..).zip(BUTTONS).map(button).collect::<Result<_>>()?))
    }

    /// How many tries got no `ACK`.
    pub fn interruptions(&self) -> usize {
        self.0.iter().map(|button| button.interrupted).sum()
    }

    /// How many presses were answered with `ACK`.
    pub fn presses(&self) -> usize {
        self.0.iter().map(|button| usize::from(button.number)).sum()
    }

    /// Every button is pressed a few times.
    pub async fn round(&mut self) -> Result<()> {
        futures_util::future::try_join_all(self.0.iter_mut().map(Button::press_all)).await.map(drop)
    }
}

impl Button {
    async fn press_all(&mut self) -> Result<()> {
        for _ in 0..PRESSES {
            tokio::time::timeout(PATIENCE, self.press()).await.context("a press was never taken")??;
        }
        Ok(())
    }

    /// The same number and content on every try: that is how the bridge tells a repeat.
    async fn press(&mut self) -> Result<()> {
        let sequence = Sequence::try_from(self.number + 1).ok().context("a number below 9999")?;
        let report = Report {
            event: Event::Panic,
            text: "Noodknop".to_owned(),
            position: None,
            occurred_at: Timestamp(1_795_000_000_000),
            verify_at: None,
        };
        loop {
            match self.dialler.send(sequence, &report, &mut self.rng).await {
                Outcome::Delivered(_) | Outcome::HandedOver { .. } => break,
                Outcome::Retry { .. } => {
                    self.interrupted += 1;
                    tokio::time::sleep(RETRY).await;
                }
                Outcome::Refused { why } => bail!("the bridge refused a press: {why:?}"),
            }
        }
        self.number += 1;
        Ok(())
    }
}
