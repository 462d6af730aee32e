//! Supervision: a `NULL` over every path at an interval, so that a dead line is known before it is needed.
//!
//! The back-up is watched as closely as the main receiver: a back-up found dead in an emergency is none. The interval is
//! agreed with the centre; with its tolerance it must stay below the reporting time of the agreed EN 50136 class.

use std::time::Duration;

use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;
use tokio::time::{MissedTickBehavior, interval};

use super::sender::{Network, Path, Sender};
use crate::channel::{Outcome, Why};

/// The state of one path to a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathState {
    /// The receiver answered.
    Up {
        /// When it last did.
        answered_at: Timestamp,
    },
    /// It does not.
    Down {
        /// Why, at the last try.
        why: Why,
    },
}

impl PathState {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered(answer) | Outcome::HandedOver { answer, .. } => Self::Up { answered_at: answer.at },
            Outcome::Retry { why } | Outcome::Refused { why } => Self::Down { why },
        }
    }

    /// Whether the receiver answers.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up { .. })
    }
}

/// Asks every path at once and then every `every`, and tells `on_change` the first state of each path and every change
/// between up and down. Runs until dropped.
pub async fn watch<N: Network>(
    sender: &Sender<N>,
    every: Duration,
    rng: &mut (dyn CryptoRng + Send),
    mut on_change: impl FnMut(Path, PathState),
) {
    let paths: Vec<Path> = sender.centre().paths().map(|(path, _)| path).collect();
    let mut known: Vec<Option<bool>> = vec![None; paths.len()];
    let mut ticks = interval(every);
    // After a stall one question is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (path, known) in paths.iter().zip(&mut known) {
            let state = PathState::of(sender.supervise(*path, rng).await);
            if known.replace(state.is_up()) != Some(state.is_up()) {
                on_change(*path, state);
            }
        }
    }
}
