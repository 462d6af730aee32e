//! The organisation's year: what is due when. Tasks of a year and of the start of a term are there by themselves, so a new
//! year or term needs nobody to make them; a line of the plan says what was done, or moved.

use serde::Serialize;

use crate::Language;
use crate::adviser::words::When;
use crate::adviser::{Function, Line, Plan, State, Theme, YearState, YearTask};
use crate::edition::Date;
use crate::id::{AccountId, LineId};

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Due {
    /// By when.
    pub on: Date,
    /// What.
    #[serde(flatten)]
    pub what: DueKind,
    /// How far it is.
    pub state: State,
    /// Who sees to it.
    pub owner: Option<Function>,
    /// Its line; where none was written yet, the one that it would have.
    pub id: Option<LineId>,
    /// The line's version, 0 where none was written yet.
    pub version: u64,
    /// The day is over and it is not done.
    pub overdue: bool,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(tag = "due", rename_all = "kebab-case")]
pub enum DueKind {
    /// A task of the year or of a term.
    Task {
        /// Which.
        task: YearTask,
        /// Of which year.
        year: u16,
    },
    /// An item of the integral plan.
    Item {
        /// Under which theme.
        theme: Theme,
        /// What it is called.
        title: String,
    },
    /// Somebody is to be informed.
    Inform {
        /// Whom.
        account: AccountId,
    },
}

impl DueKind {
    /// What a calendar that others see may show.
    pub fn title(&self, language: Language) -> &'static str {
        match self {
            Self::Task { task, .. } => task.title(language),
            Self::Item { .. } => language.pick("Punt van het plan", "Item of the plan"),
            Self::Inform { .. } => language.pick("Belafspraak", "Phone appointment"),
        }
    }
}

/// The day on which a task of a year is due by itself; `None` where that year has none.
fn by_itself(task: YearTask, year: u16, plan: &Plan) -> Option<Date> {
    match task.when() {
        When::Every(years, month, day) => year.is_multiple_of(years).then(|| Date::of_year(year, month, day)).flatten(),
        When::Term(days) => plan.lines.iter().find_map(|line| match &line.line {
            Line::Term(term) if term.starts.year() == year => Some(term.starts.plus_days(days)),
            _ => None,
        }),
    }
}

/// What is due in a year, the first first.
pub fn due_in(plan: &Plan, year: u16, today: Date) -> Vec<Due> {
    let mut all = Vec::new();
    // A term that begins in November still asks for something in the new year.
    for of in [year.saturating_sub(1), year] {
        for task in YearTask::ALL.iter().copied() {
            let empty = YearState { task, year: of, state: State::Open, owner: None, due: None };
            let id = Line::Year(empty).fixed_id();
            let line = plan.lines.iter().find(|line| Some(line.id) == id);
            let known = match line.map(|line| &line.line) {
                Some(Line::Year(known)) => *known,
                _ => empty,
            };
            let Some(on) = known.due.or_else(|| by_itself(task, of, plan)) else { continue };
            all.push(Due {
                on,
                what: DueKind::Task { task, year: of },
                state: known.state,
                owner: known.owner,
                id,
                version: line.map_or(0, |line| line.version),
                overdue: false,
            });
        }
    }
    for line in &plan.lines {
        let (on, what, state, owner) = match &line.line {
            Line::Item(item) => {
                let Some(due) = item.due else { continue };
                let what = DueKind::Item { theme: item.theme, title: item.title.to_string() };
                (due, what, item.state, item.owner)
            }
            Line::Inform(inform) => {
                let state = if inform.done { State::Done } else { State::Open };
                (inform.on, DueKind::Inform { account: inform.account }, state, inform.owner)
            }
            _ => continue,
        };
        all.push(Due { on, what, state, owner, id: Some(line.id), version: line.version, overdue: false });
    }
    all.retain(|due| due.on.year() == year);
    all.iter_mut().for_each(|due| due.overdue = due.on < today && !due.state.is_over());
    all.sort_by(|one, other| (one.on, &one.what, one.id).cmp(&(other.on, &other.what, other.id)));
    all
}
