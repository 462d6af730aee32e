//! When a delivery that failed is tried again.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

/// Waits that grow to a bound and stay there. There is no last try: while an alarm is open, its deliveries go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrySchedule {
    /// The wait after the first failure, in milliseconds.
    pub first_ms: u32,
    /// The longest wait, in milliseconds.
    pub longest_ms: u32,
}

impl RetrySchedule {
    /// For alarms: 1 s, 2 s, 4 s, … and every 30 s from the sixth failure on.
    pub const ALARM: Self = Self { first_ms: 1_000, longest_ms: 30_000 };

    /// Milliseconds to wait after `failures` tries in a row have failed (1 after the first). Up to a quarter is taken off
    /// at random, so that many deliveries that failed together do not come back together.
    pub fn delay_ms(self, failures: u32, rng: &mut dyn CryptoRng) -> i64 {
        let doublings = failures.saturating_sub(1).min(31);
        let full = u64::from(self.first_ms).saturating_mul(1 << doublings).min(u64::from(self.longest_ms));
        let off = u64::from(rng.next_u32()) * (full / 4) / u64::from(u32::MAX);
        i64::try_from(full - off).unwrap_or(i64::MAX)
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self::ALARM
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;

    use super::RetrySchedule;

    proptest! {
        #[test]
        fn waits_grow_to_their_bound_and_never_end(failures: u32, seed: u64) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let delay = RetrySchedule::ALARM.delay_ms(failures, &mut rng);
            let full = match failures {
                0 | 1 => 1_000,
                2 => 2_000,
                3 => 4_000,
                4 => 8_000,
                5 => 16_000,
                _ => 30_000,
            };
            prop_assert!((full * 3 / 4..=full).contains(&delay), "{} after {}", delay, failures);
        }

        #[test]
        fn no_configuration_overflows(first_ms: u32, longest_ms: u32, failures: u32) {
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            let delay = RetrySchedule { first_ms, longest_ms }.delay_ms(failures, &mut rng);
            prop_assert!((0..=i64::from(longest_ms)).contains(&delay));
        }
    }
}
