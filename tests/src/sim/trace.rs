//! What happened, line by line: hashed whole, and its end kept for whoever has to find out why.

use std::collections::VecDeque;

use baken_schemas::crypto::Hash;

/// How many lines are shown of a run that failed.
const LINES_KEPT: usize = 40;

/// The trace of one run.
#[derive(Debug)]
pub(super) struct Trace {
    hash: Hash,
    last: VecDeque<String>,
}

impl Default for Trace {
    fn default() -> Self {
        Self { hash: Hash::ZERO, last: VecDeque::new() }
    }
}

impl Trace {
    /// Adds a line.
    pub(super) fn note(&mut self, step: impl std::fmt::Display, what: &str) {
        let line = format!("{step} {what}");
        self.hash = Hash::of("baken-tests/sim-trace", &[&self.hash.0, line.as_bytes()]);
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// Hash over all lines so far.
    pub(super) fn hash(&self) -> Hash {
        self.hash
    }

    /// The last lines.
    pub(super) fn last_steps(&self) -> String {
        self.last.iter().map(|line| format!("  {line}\n")).collect()
    }
}
