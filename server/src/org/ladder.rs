//! How a keeper writes a ladder down: `Standaard=Meldkamer Oost:10,Meldkamer Oost+Meldkamer West:40`. A comma starts the
//! next rung, a plus adds a desk to it, and the number is the seconds to wait for a human. The word `familie` or `family`
//! in place of a desk calls whom of their family each person has chosen: `Check-ins=familie:120,Meldkamer Oost:60`.

use baken_schemas::org::{CallsFamily, DeskEntry, LadderUse, MAX_RESPONDERS, Rung};

use crate::org::OrgError;

/// What stands for a person's family in place of a desk's name.
const FAMILY: [&str; 2] = ["familie", "family"];
/// The name of the ladder that is made when none is given.
const USUAL_NAME: &str = "Standaard";
/// The most rungs.
const MAX_RUNGS: usize = 16;
/// The longest wait on one rung in seconds.
const MAX_WAIT_S: u32 = 3600;

/// A ladder with desks by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LadderSpec {
    /// What people call it.
    pub name: String,
    /// What it is climbed for; as written down, alarms.
    pub serves: LadderUse,
    /// Names of desks, and seconds to wait.
    rungs: Vec<(Vec<String>, u32)>,
}

impl LadderSpec {
    /// The ladder that is made when none is given: the first desk alone for 10 s, then all for 40 s.
    ///
    /// # Errors
    /// [`OrgError::Ladder`] without a desk.
    pub fn usual(desks: &[DeskEntry]) -> Result<Self, OrgError> {
        let first = desks.first().ok_or(OrgError::Ladder { why: "there is no desk" })?;
        let all = desks.iter().take(MAX_RESPONDERS).map(|desk| desk.name.clone()).collect();
        let rungs = vec![(vec![first.name.clone()], 10), (all, 40)];
        Ok(Self { name: USUAL_NAME.to_owned(), serves: LadderUse::Alarms, rungs })
    }

    /// The same ladder, climbed for missed check-ins.
    pub fn for_check_ins(self) -> Self {
        Self { serves: LadderUse::CheckIns, ..self }
    }

    /// The rungs, with ids for names. Whether they make a ladder the directory's rules say.
    pub(crate) fn rungs(&self, desks: &[DeskEntry]) -> Result<Vec<Rung>, OrgError> {
        let find = |name: &String| {
            let mut named = desks.iter().filter(|desk| desk.name == *name || desk.desk.to_string() == *name);
            match (named.next(), named.next()) {
                (Some(desk), None) => Ok(desk.desk),
                (Some(_), Some(_)) => Err(OrgError::Ladder { why: "two desks have this name: use the id" }),
                (None, _) => Err(OrgError::Ladder { why: "it names a desk that is not in the directory" }),
            }
        };
        self.rungs
            .iter()
            .map(|(names, wait_s)| {
                let (family, desks): (Vec<_>, Vec<_>) = names.iter().partition(|name| FAMILY.contains(&name.as_str()));
                Ok(Rung {
                    responders: desks.into_iter().map(find).collect::<Result<_, _>>()?,
                    wait_s: *wait_s,
                    family: if family.is_empty() { CallsFamily::No } else { CallsFamily::Yes },
                })
            })
            .collect()
    }
}

impl std::str::FromStr for LadderSpec {
    type Err = OrgError;

    fn from_str(text: &str) -> Result<Self, OrgError> {
        let error = |why| OrgError::Ladder { why };
        let (name, rungs) = text.split_once('=').ok_or(error("write NAME=DESK:SECONDS,DESK:SECONDS"))?;
        if name.trim().is_empty() {
            return Err(error("it has no name"));
        }
        let rungs = rungs
            .split(',')
            .take(MAX_RUNGS + 1)
            .map(|rung| {
                let (desks, wait) = rung.rsplit_once(':').ok_or(error("a rung is DESK:SECONDS"))?;
                let wait_s: u32 = wait.trim().parse().map_err(|_| error("the wait is a number of seconds"))?;
                if !(1..=MAX_WAIT_S).contains(&wait_s) {
                    return Err(error("wait 1 to 3600 seconds on a rung"));
                }
                let desks: Vec<String> = desks.split('+').map(|desk| desk.trim().to_owned()).collect();
                if desks.len() > MAX_RESPONDERS || desks.iter().any(String::is_empty) {
                    return Err(error("a rung names one to four desks"));
                }
                Ok((desks, wait_s))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if rungs.len() > MAX_RUNGS {
            return Err(error("a ladder has at most 16 rungs"));
        }
        Ok(Self { name: name.trim().to_owned(), serves: LadderUse::Alarms, rungs })
    }
}
