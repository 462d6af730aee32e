//! What the core is given from outside: time, randomness and the platform's key store.

use std::sync::{Arc, Mutex, PoisonError};

use baken_schemas::time::{Clock, Timestamp};
use rand_core::CryptoRng;

use crate::key_store::KeyStore;

/// Time, randomness and the key store, shared by all parts of one device.
pub struct Context {
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
    /// Where the platform's secret lives.
    pub key_store: Arc<dyn KeyStore>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context(…)")
    }
}

impl Context {
    /// The context of one device.
    pub fn new(clock: Arc<dyn Clock>, rng: Box<dyn CryptoRng + Send>, key_store: Arc<dyn KeyStore>) -> Self {
        Self { clock, rng: Mutex::new(rng), key_store }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `use_rng` with the randomness. Do not call it again inside.
    pub fn with_rng<T>(&self, use_rng: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
        // A thread that panicked while drawing randomness leaves nothing half-done behind.
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        use_rng(rng.as_mut())
    }
}
