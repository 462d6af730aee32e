//! Tests across the module's files: captured frames, laws, and conversations without a network.

mod conversations;
mod intake;
mod laws;
mod vectors;

use std::sync::{Arc, Mutex};

use baken_schemas::time::{Clock, Timestamp};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::{Account, Key};

/// 2026-11-23T17:00:00Z.
const NOON_ISH: Timestamp = Timestamp(1_795_453_200_000);

/// A clock that stands where it is put.
#[derive(Clone)]
struct Standing(Arc<Mutex<Timestamp>>);

impl Standing {
    fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(9)
}

fn account(text: &str) -> Account {
    text.parse().unwrap()
}

fn key() -> Key {
    "ascii:0123456789ABCDEF".parse().unwrap()
}
