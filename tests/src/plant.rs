//! What a deeper run of a search is told: numbers, and known faults, planted to show that a search finds them: `cargo xtask prove --plant NAME`.
//!
//! Each is done from outside, by the disk, the database or the network that a search puts under the programs, so no
//! shipped program holds one. A search asks here whether it is to plant its own.

/// Whether this run is to have the fault.
pub fn planted(name: &str) -> bool {
    std::env::var_os("BAKEN_PLANT").is_some_and(|plant| plant == name)
}

/// A number that a deeper run sets.
///
/// # Panics
/// It is set and no number.
pub fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}
