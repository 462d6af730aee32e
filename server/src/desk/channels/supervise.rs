//! Supervision of alarm centres: a receiver that heard nothing from this desk for the agreed time is asked whether it is
//! there (`NULL`), main and back-up alike. One that has not answered for twice that time is silent, and the console and
//! the log say so: a dead line must be known before it is needed.
//!
//! What is known lies in memory: after a start every receiver is asked anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::channel::{Outcome, Why};
use crate::dc09::sender::Path;
use crate::desk::Desk;
use crate::desk::config::{AlarmCentre, Means};

/// After how many intervals without an answer a receiver is silent.
const SILENT_AFTER: i64 = 2;

/// A receiver of an alarm centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiverView {
    /// `main` or `back-up`.
    pub path: &'static str,
    /// When it last acknowledged something; `None` since the desk was started.
    pub heard_at: Option<Timestamp>,
    /// It has not answered for twice the agreed time.
    pub silent: bool,
    /// Why it did not answer at the last question.
    pub why: Option<Why>,
}

/// A receiver that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// The channel.
    pub channel: String,
    /// `main` or `back-up`.
    pub path: &'static str,
    /// Since when: its last answer, or the desk's start.
    pub since: Timestamp,
}

/// A receiver that is watched: its channel, and which of the two it is.
pub type Line = (String, Path);

/// What is known of one receiver.
#[derive(Debug, Clone, Copy)]
struct Known {
    every_ms: i64,
    started_at: Timestamp,
    heard_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    why: Option<Why>,
    was_silent: bool,
}

impl Known {
    fn since(&self) -> Timestamp {
        self.heard_at.unwrap_or(self.started_at)
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        now.since_ms(self.since()) >= self.every_ms.saturating_mul(SILENT_AFTER)
    }

    /// An interval after the last that went over it, asked or answered.
    fn ask_at(&self) -> Timestamp {
        let last = self.heard_at.max(self.asked_at);
        last.map_or(self.started_at, |last| last.plus_ms(self.every_ms))
    }
}

/// The lines to every receiver that is watched.
#[derive(Debug, Default)]
pub(in crate::desk) struct Lines(Mutex<BTreeMap<Line, Known>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Line, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Every receiver that is to be watched, from now on.
    pub fn start_lines(&self) -> Vec<Line> {
        let now = self.now();
        let mut lines = self.lines.lock();
        for (channel, centre, every_ms) in self.watched() {
            for (path, _) in centre.centre.paths() {
                let line =
                    Known { every_ms, started_at: now, heard_at: None, asked_at: None, why: None, was_silent: false };
                lines.insert((channel.to_owned(), path), line);
            }
        }
        lines.keys().cloned().collect()
    }

    fn watched(&self) -> impl Iterator<Item = (&str, &AlarmCentre, i64)> {
        self.channels.list.iter().filter_map(|channel| match &channel.means {
            Means::Dc09(centre) => Some((channel.name.as_str(), &**centre, centre.supervise_every_ms?)),
            _ => None,
        })
    }

    /// When a receiver is next to be asked.
    pub fn next_question(&self, line: &Line) -> Timestamp {
        self.lines.lock().get(line).map_or(self.now(), Known::ask_at)
    }

    /// Asks a receiver whether it is there, if it is time.
    pub async fn ask_receiver(&self, line: &Line) {
        if self.next_question(line) > self.now() {
            return;
        }
        let (channel, path) = line;
        let Some((_, centre, _)) = self.watched().find(|(name, ..)| name == channel) else { return };
        let sender = centre.sender(None, self.clock.clone());
        let outcome = sender.supervise(*path, &mut self.fork_rng()).await;
        self.answered(line, &outcome);
    }

    /// What an alarm's own message says about the receivers of its centre: the one that took it is there.
    pub(in crate::desk) fn heard_from(&self, channel: &str, outcome: &Outcome) {
        let Outcome::Delivered(answer) = outcome else { return };
        for path in [Path::Main, Path::BackUp] {
            if answer.by == path.as_str() {
                self.answered(&(channel.to_owned(), path), outcome);
            }
        }
    }

    fn answered(&self, line: &Line, outcome: &Outcome) {
        let now = self.now();
        let mut lines = self.lines.lock();
        let Some(known) = lines.get_mut(line) else { return };
        known.asked_at = Some(now);
        known.why = match outcome {
            Outcome::Delivered(_) | Outcome::HandedOver { .. } => None,
            Outcome::Retry { why } | Outcome::Refused { why } => Some(*why),
        };
        if known.why.is_none() {
            known.heard_at = Some(now);
        }
        let silent = known.is_silent(now);
        let turned = std::mem::replace(&mut known.was_silent, silent) != silent;
        drop(lines);
        if turned {
            let (channel, path) = (&line.0, line.1.as_str());
            if silent {
                tracing::warn!(event = "receiver_silent", channel, path);
            } else {
                tracing::info!(event = "receiver_heard_again", channel, path);
            }
        }
        self.changed();
    }

    /// The receivers of a channel.
    pub(super) fn receivers_of(&self, channel: &str) -> Vec<ReceiverView> {
        let now = self.now();
        let lines = self.lines.lock();
        let of_channel = lines.iter().filter(|((name, _), _)| name == channel);
        of_channel
            .map(|((_, path), line)| ReceiverView {
                path: path.as_str(),
                heard_at: line.heard_at,
                silent: line.is_silent(now),
                why: line.why,
            })
            .collect()
    }

    /// Receivers that do not answer: the console says so on every page.
    pub fn silent_receivers(&self) -> Vec<Silent> {
        let now = self.now();
        let lines = self.lines.lock();
        let silent = lines.iter().filter(|(_, line)| line.is_silent(now));
        silent
            .map(|((channel, path), line)| Silent {
                channel: channel.clone(),
                path: path.as_str(),
                since: line.since(),
            })
            .collect()
    }
}
