//! The whole system in one thread from one seed: real phones, a real relay, a real desk; clock, network, randomness
//! and crashes are the simulation's.

pub mod clock;
pub mod network;
