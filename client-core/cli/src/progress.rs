//! How far something large is: one line that changes on a terminal, a line of JSON for programs, nothing in a file.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use baken_core::attachment::Progress;
use serde_json::json;

use crate::output::Output;
use crate::text::Text;

/// Tells how far one thing is, at most once a percent.
pub struct ProgressLine<'a> {
    out: &'a Output,
    step: &'static str,
    name: &'static str,
    on_terminal: bool,
    /// The last percent that was told, and one.
    told: AtomicU64,
}

impl<'a> ProgressLine<'a> {
    /// Nothing told yet. `step` names it to programs, `text` to people.
    pub fn new(out: &'a Output, step: &'static str, text: Text) -> Self {
        let on_terminal = !out.is_json() && std::io::stderr().is_terminal();
        Self { out, step, name: text.of(out.language), on_terminal, told: AtomicU64::new(0) }
    }

    /// Tells where it is.
    pub fn tell(&self, progress: Progress) {
        let percent = progress.done.saturating_mul(100).checked_div(progress.total).unwrap_or(100);
        if self.told.swap(percent + 1, Ordering::Relaxed) == percent + 1 {
            return;
        }
        self.out.json(&json!({"step": self.step, "done": progress.done, "total": progress.total}));
        if self.on_terminal {
            let mut stderr = std::io::stderr();
            // Who does not see it misses nothing.
            let _ = write!(stderr, "\r{} {percent} %", self.name).and_then(|()| stderr.flush());
        }
    }
}

impl Drop for ProgressLine<'_> {
    fn drop(&mut self) {
        if self.on_terminal && *self.told.get_mut() > 0 {
            // The line is wiped, so that what follows stands alone.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
