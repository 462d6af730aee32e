//! The whole system in one thread from one seed: real phones, a real relay, real desks; clock, network, randomness
//! and crashes are the simulation's.
//!
//! [`simulate`] builds a small town, lets a seeded schedule of steps loose on it and holds every step against what
//! really happened ([`truth`]); then the weather turns fair and everything must drain ([`drain`]). A seed that fails
//! fails again, step by step: nothing here asks the machine's clock or its source of randomness.
//!
//! What is real: the core's files, the relay's and the desks' databases, the HTTP router, every signature and seal.
//! What is not here: sockets and TLS (between them lies [`network`]), live streams (whoever misses one polls), channels
//! out of a desk, disks that lose what they promised (that is `power_loss`), and relays restored from a backup.

mod check;
pub mod clock;
mod desk;
mod drain;
mod folder;
mod liar;
pub mod network;
mod phone;
mod relay;
mod steps;
mod trace;
mod truth;
mod world;

use baken_schemas::crypto::Hash;

use trace::Trace;
use world::World;

/// How many steps a simulation takes before the weather turns fair, where nobody asks for more.
pub const STEPS: u32 = 200;

/// A simulation that found nothing wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Hash over everything that happened: the same seed gives the same.
    pub trace: Hash,
    /// What happened, in numbers, to see that a run was not an empty one.
    pub tally: Tally,
}

/// How much happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Alarms pressed.
    pub alarms: usize,
    /// Values put into records.
    pub edits: usize,
    /// What officers did.
    pub acts: usize,
    /// Fields in conflict at the end.
    pub conflicts: usize,
    /// Processes killed: phones, desks, the relay.
    pub kills: u32,
    /// Alarms whose ladder ran out.
    pub exhausted: usize,
    /// Receipts of the relay's own making that phones refused.
    pub lies_refused: u32,
}

/// A promise that was broken.
#[derive(Debug)]
pub struct Broken {
    /// The seed.
    pub seed: u64,
    /// How many steps it was to take.
    pub steps: u32,
    /// Which promise, and how.
    pub broken: String,
    /// What led there.
    pub last_steps: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, steps, broken, last_steps } = self;
        write!(f, "{broken}\nthe last steps:\n{last_steps}replay with BAKEN_SIM_SEED={seed}")?;
        if *steps == STEPS { Ok(()) } else { write!(f, " BAKEN_SIM_STEPS={steps}") }
    }
}

impl std::error::Error for Broken {}

/// Runs one seed to its end, after so many steps in any weather.
///
/// # Errors
/// [`Broken`]: a promise was broken, with what led there and how to see it again.
pub fn simulate(seed: u64, steps: u32) -> Result<Done, Broken> {
    let mut trace = Trace::default();
    match run(seed, steps, &mut trace) {
        Ok(tally) => Ok(Done { trace: trace.hash(), tally }),
        Err(error) => Err(Broken { seed, steps, broken: format!("{error:#}"), last_steps: trace.last_steps() }),
    }
}

fn run(seed: u64, steps: u32, trace: &mut Trace) -> anyhow::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let mut world = World::make(seed).await?;
        for number in 0..steps {
            let what = world.step().await;
            trace.note(number, what.as_ref().map_or("broke a promise", String::as_str));
            what?;
            world.check()?;
        }
        world.drain(trace).await
    })
}
