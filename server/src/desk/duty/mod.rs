//! Who is on duty when: `roster.toml`, which channels for people may address with `on-duty`.
//!
//! Shifts come back every week; a change replaces them for its period, which is also how somebody hands over before their
//! shift ends. Times are those of a clock on the wall in the Netherlands, so that a shift starts at eight in summer and in
//! winter. When nobody is on duty everybody in the roster is told: a hole in the roster must not swallow an alarm.

mod wall;

pub use wall::{WallTime, local_now};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::read_mail_address;
use crate::channel::sms::is_number;
use crate::folder::{FolderError, read_whole};
use wall::{WEEK_MS, WeekTime};

/// The file of the roster.
pub const ROSTER_FILE: &str = "roster.toml";
/// The largest file, in bytes.
const MAX_FILE_BYTES: usize = 256 * 1024;
/// The most people, shifts and changes, each.
const MAX_EACH: usize = 500;
/// How far ahead holes are looked for, in milliseconds: eight weeks.
const LOOK_AHEAD_MS: i64 = 8 * WEEK_MS;
/// The most holes that are told.
const MAX_HOLES: usize = 50;

/// Why a roster cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is none.
    #[error("this desk has no roster: make one with `baken-server duty set --data DESK roster.toml`")]
    None,
    /// Something in it is wrong.
    #[error("roster.toml: {0}")]
    Wrong(String),
}

/// Somebody who can be on duty. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// On duty every week.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    who: Vec<String>,
    /// `mon 08:00`.
    from: WeekTime,
    to: WeekTime,
}

/// On duty instead of the shifts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    who: Vec<String>,
    /// `2026-12-24 17:00`.
    from: WallTime,
    to: WallTime,
}

/// A roster, checked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    #[serde(default, rename = "person", skip_serializing_if = "Vec::is_empty")]
    people: Vec<Person>,
    #[serde(default, rename = "shift", skip_serializing_if = "Vec::is_empty")]
    shifts: Vec<Shift>,
    #[serde(default, rename = "change", skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Roster({} people)", self.people.len())
    }
}

/// How a channel reaches people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By mail.
    Mail,
    /// By a telephone number.
    Phone,
}

impl Reach {
    fn of(self, person: &Person) -> Option<&String> {
        match self {
            Self::Mail => person.mail.as_ref(),
            Self::Phone => person.phone.as_ref(),
        }
    }
}

/// A time in which nobody is on duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// From when.
    pub from: WallTime,
    /// Until when; the end of what was looked at, where it goes on.
    pub to: WallTime,
}

/// Who is on duty from when to when; nobody in a hole. Names of people, so not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// From when.
    pub from: WallTime,
    /// Until when; the end of what was looked at, where it goes on.
    pub to: WallTime,
    /// Who.
    pub who: Vec<String>,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Turn({} to {}, {} people)", self.from, self.to, self.who.len())
    }
}

/// A roster as a screen shows it: who has it, and what is wrong with it. Names of people, so not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct DutyView {
    /// The moment it speaks of.
    pub at: WallTime,
    /// On duty then.
    pub on_duty: Vec<String>,
    /// When nobody is in the eight weeks from then.
    pub holes: Vec<Hole>,
    /// Who can be reached neither by mail nor by telephone.
    pub unreachable: Vec<String>,
}

impl std::fmt::Debug for DutyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DutyView(…)")
    }
}

impl DutyView {
    /// The first hole that begins within a week.
    pub fn near_hole(&self) -> Option<Hole> {
        self.holes.first().copied().filter(|hole| hole.from < self.at.plus_ms(WEEK_MS))
    }
}

impl Roster {
    /// Reads a roster's text.
    ///
    /// # Errors
    /// [`RosterError::Wrong`], with the line or the entry and without names of people who are not in it.
    pub fn parse(text: &str) -> Result<Self, RosterError> {
        let wrong = |why: String| Err(RosterError::Wrong(why));
        if text.len() > MAX_FILE_BYTES {
            return wrong(format!("it is larger than {MAX_FILE_BYTES} bytes"));
        }
        let roster: Self = match toml::from_str(text) {
            Ok(roster) => roster,
            // The parser's own words would quote the line, with somebody's number in it.
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                return wrong(format!("line {}: {}", before.lines().count().max(1), error.message()));
            }
        };
        if roster.people.len().max(roster.shifts.len()).max(roster.changes.len()) > MAX_EACH {
            return wrong(format!("there are at most {MAX_EACH} people, shifts and changes"));
        }
        let mut names = BTreeSet::new();
        for (number, person) in roster.people.iter().enumerate() {
            let number = number + 1;
            if person.name.trim().is_empty() || !names.insert(person.name.as_str()) {
                return wrong(format!("person {number} has no name, or that of another"));
            }
            if person.mail.as_ref().is_some_and(|mail| read_mail_address(mail).is_none()) {
                return wrong(format!("the mail of person {number} is no mail address"));
            }
            if person.phone.as_ref().is_some_and(|phone| !is_number(phone)) {
                return wrong(format!("the phone of person {number} is written as + and the country, digits only"));
            }
        }
        let is_known = |who: &[String]| !who.is_empty() && who.iter().all(|name| names.contains(name.as_str()));
        for (number, shift) in roster.shifts.iter().enumerate() {
            if !is_known(&shift.who) {
                return wrong(format!("shift {} names nobody, or somebody who is no person of the roster", number + 1));
            }
        }
        for (number, change) in roster.changes.iter().enumerate() {
            if !is_known(&change.who) {
                return wrong(format!(
                    "change {} names nobody, or somebody who is no person of the roster",
                    number + 1
                ));
            }
            if change.from >= change.to {
                return wrong(format!("change {} ends before it begins", number + 1));
            }
        }
        Ok(roster)
    }

    /// Reads the roster of a desk's folder.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn read(data: &Path) -> Result<Self, RosterError> {
        let path = data.join(ROSTER_FILE);
        let bytes = match read_whole(&path) {
            Err(FolderError::Missing(_)) if data.is_dir() => return Err(RosterError::None),
            read => read?,
        };
        let text =
            String::from_utf8(bytes).map_err(|_| FolderError::Damaged { path, why: "it is not UTF-8".to_owned() })?;
        Self::parse(&text)
    }

    /// The roster as a file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Names of those on duty at a moment, in the order of the roster. A change goes before the shifts, and the last of
    /// several before the others.
    pub fn on_duty(&self, at: WallTime) -> Vec<&str> {
        let changed = self.changes.iter().rev().find(|change| change.from <= at && at < change.to);
        let who: BTreeSet<&str> = match changed {
            Some(change) => change.who.iter().map(String::as_str).collect(),
            None => {
                let shifts = self.shifts.iter().filter(|shift| at.is_between(shift.from, shift.to));
                shifts.flat_map(|shift| &shift.who).map(String::as_str).collect()
            }
        };
        self.people.iter().map(|person| person.name.as_str()).filter(|name| who.contains(name)).collect()
    }

    /// Where those on duty are reached; where nobody on duty can be, everybody who can.
    pub fn addresses_at(&self, at: WallTime, reach: Reach) -> Vec<String> {
        let on_duty = self.on_duty(at);
        let duty = self.people.iter().filter(|person| on_duty.contains(&person.name.as_str()));
        let found: Vec<String> = duty.filter_map(|person| reach.of(person).cloned()).collect();
        if found.is_empty() { self.addresses(reach) } else { found }
    }

    /// Where anybody in the roster is reached.
    pub fn addresses(&self, reach: Reach) -> Vec<String> {
        let found: BTreeSet<&String> = self.people.iter().filter_map(|person| reach.of(person)).collect();
        found.into_iter().cloned().collect()
    }

    /// Hands the duty over from a moment to another, by a change.
    ///
    /// # Errors
    /// [`RosterError::Wrong`]: not a person of the roster, or an end before the beginning.
    pub fn hand_over(&mut self, who: &str, from: WallTime, to: WallTime) -> Result<(), RosterError> {
        // What is over by then tells nobody anything more.
        self.changes.retain(|change| change.to > from);
        self.changes.push(Change { who: vec![who.to_owned()], from, to });
        *self = Self::parse(&self.to_toml())?;
        Ok(())
    }

    /// When nobody is on duty in the eight weeks from `from`, the first first.
    pub fn holes(&self, from: WallTime) -> Vec<Hole> {
        let turns = self.turns(from, LOOK_AHEAD_MS).into_iter().filter(|turn| turn.who.is_empty());
        turns.take(MAX_HOLES).map(|turn| Hole { from: turn.from, to: turn.to }).collect()
    }

    /// Who has it when, in the week from `from`.
    pub fn week(&self, from: WallTime) -> Vec<Turn> {
        self.turns(from, WEEK_MS)
    }

    /// Everybody in it, by name.
    pub fn names(&self) -> Vec<String> {
        self.people.iter().map(|person| person.name.clone()).collect()
    }

    fn turns(&self, from: WallTime, length_ms: i64) -> Vec<Turn> {
        let end = from.plus_ms(length_ms);
        let mut moments = BTreeSet::from([from, end]);
        moments.extend(self.changes.iter().flat_map(|change| [change.from, change.to]));
        for shift in &self.shifts {
            for boundary in [shift.from, shift.to] {
                let first = from.next(boundary);
                moments.extend((0..=length_ms / WEEK_MS).map(|week| first.plus_ms(week * WEEK_MS)));
            }
        }
        let moments: Vec<WallTime> = moments.into_iter().filter(|at| (from..=end).contains(at)).collect();
        let mut turns: Vec<Turn> = Vec::new();
        for pair in moments.windows(2) {
            let [start, stop] = *pair else { continue };
            let who = self.on_duty(start);
            match turns.last_mut() {
                Some(last) if last.who == who => last.to = stop,
                _ => turns.push(Turn { from: start, to: stop, who: who.into_iter().map(str::to_owned).collect() }),
            }
        }
        turns
    }

    /// Who has it at a moment, and what is wrong from there on.
    pub fn view(&self, at: WallTime) -> DutyView {
        let unreached = self.people.iter().filter(|person| person.mail.is_none() && person.phone.is_none());
        DutyView {
            at,
            on_duty: self.on_duty(at).into_iter().map(str::to_owned).collect(),
            holes: self.holes(at),
            unreachable: unreached.map(|person| person.name.clone()).collect(),
        }
    }
}

/// The roster beside a desk that runs: read anew each time, so that a change counts at once. One that can no longer be read
/// is said in the log, and the last good one counts on.
pub(in crate::desk) struct Duty {
    data: PathBuf,
    last: Mutex<Roster>,
}

impl std::fmt::Debug for Duty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Duty(…)")
    }
}

impl Duty {
    pub fn open(data: &Path) -> Result<Self, RosterError> {
        Ok(Self { data: data.to_owned(), last: Mutex::new(Roster::read(data)?) })
    }

    fn roster(&self) -> Roster {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match Roster::read(&self.data) {
            Ok(roster) => *last = roster,
            Err(error) => tracing::error!(event = "roster_not_read", why = %error),
        }
        last.clone()
    }

    /// Who has it now, and what is wrong with it.
    pub fn view(&self, now: Timestamp) -> DutyView {
        self.roster().view(local_now(now))
    }

    /// Where those on duty are reached now.
    pub fn addresses_now(&self, now: Timestamp, reach: Reach) -> Vec<String> {
        self.roster().addresses_at(local_now(now), reach)
    }

    /// Where anybody is reached.
    pub fn addresses(&self, reach: Reach) -> Vec<String> {
        self.roster().addresses(reach)
    }
}

#[cfg(test)]
mod tests;
