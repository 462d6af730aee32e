//! `baken-server org plan`, `role`, `insurance`, `year`, `agenda` and `readiness`: the adviser's side of an organisation.
//! The plan lies at the relay; here is a folder with the adviser's key, and what an adviser types.
//!
//! People are accounts to the relay. Whoever puts what `org people --json` says into `people.json` of this folder sees
//! names here, and types them.

mod agenda;
mod export;
mod insurance;
mod plan;
mod readiness;
mod role;
mod year;

pub(super) use agenda::{AgendaCommand, run as agenda};
pub(super) use insurance::{InsuranceCommand, run as insurance};
pub(super) use plan::{PlanCommand, run as plan};
pub(super) use readiness::{ReadinessCommand, run as readiness};
pub(super) use role::{RoleCommand, run as role};
pub(super) use year::{YearCommand, run as year};

use std::path::{Path, PathBuf};

use baken_schemas::adviser::{Function, Line, MAX_LINES, Plan, PlanChange, PlanLine, State};
use baken_schemas::edition::Date;
use baken_schemas::id::{AccountId, IdempotencyKey, LineId};
use baken_schemas::org::{Directory, OrgId};
use baken_schemas::request::RequestKey;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _, ValueParser};
use serde::{Deserialize, Serialize};

use crate::cli::{Failure, system_rng};
use crate::folder::{DataFolder, read_whole};
use crate::portal::Look;
use crate::relay_client::{Caller, RelayClient, RelayError, Trust};

/// The directory as it was when the folder was set up.
pub(super) const DIRECTORY_FILE: &str = "directory.cbor";
/// Names of people, as `org people --json` says them.
const PEOPLE_FILE: &str = "people.json";

/// An adviser's settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AdviserSettings {
    /// The organisation.
    pub(super) org: OrgId,
    /// The adviser's account.
    pub(super) account: AccountId,
}

/// An adviser's folder.
#[derive(Debug, Args)]
pub(super) struct AdviserData {
    /// The adviser's folder
    #[arg(long)]
    data: PathBuf,
}

/// What a change of a line may insist on.
#[derive(Debug, Args)]
struct IfVersion {
    /// Change it only if it still has this version, as a list showed it
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// What a change may say of an item or a task. What is not typed stays.
#[derive(Debug, Args)]
struct Progress {
    /// How far it is
    #[arg(long, value_parser = states())]
    state: Option<State>,
    /// Who sees to it
    #[arg(long, value_parser = functions())]
    owner: Option<Function>,
    /// By when, as 2027-05-01
    #[arg(long, value_name = "DATE")]
    due: Option<Date>,
}

impl Progress {
    fn apply(&self, state: &mut State, owner: &mut Option<Function>, due: &mut Option<Date>) {
        *state = self.state.unwrap_or(*state);
        *owner = self.owner.or(*owner);
        *due = self.due.or(*due);
    }
}

fn functions() -> ValueParser {
    PossibleValuesParser::new(Function::TAGS).try_map(|tag| tag.parse::<Function>()).into()
}

fn states() -> ValueParser {
    PossibleValuesParser::new(State::TAGS).try_map(|tag| tag.parse::<State>()).into()
}

fn today(given: Option<Date>) -> Date {
    given.unwrap_or_else(|| Date::of(SystemClock.now()))
}

/// Somebody's name, to whom an account is theirs.
#[derive(Debug, Clone, Deserialize)]
struct Named {
    account: AccountId,
    name: String,
}

/// What `org people --json` says.
#[derive(Debug, Default, Deserialize)]
struct People {
    people: Vec<Named>,
}

/// What an adviser's folder and the relay have, for pages.
pub(crate) async fn looks(data: &Path) -> Result<Look, Failure> {
    let adviser = Adviser::open(&AdviserData { data: data.to_owned() })?;
    let (plan, readiness) = (adviser.plan().await?, adviser.client.readiness().await.map_err(refused)?.people);
    let names = adviser.people.people.into_iter().map(|person| (person.account, person.name)).collect();
    Ok(Look { plan, readiness, directory: adviser.directory, names })
}

/// An adviser at work.
struct Adviser {
    client: RelayClient,
    people: People,
    directory: Directory,
    _folder: DataFolder,
}

impl Adviser {
    fn open(args: &AdviserData) -> Result<Self, Failure> {
        let folder = DataFolder::open(&args.data)?;
        let settings: AdviserSettings = folder.read_config()?;
        let keys = folder.read_keys()?;
        let directory = Directory::verify(&folder.read(DIRECTORY_FILE)?, settings.org)?.into_value();
        let caller = Caller { device: keys.device, key: keys.sig.clone(), which: RequestKey::Sig };
        let client = RelayClient::new(&directory.relay.urls, &Trust::of_relay(&directory.relay), Some(caller))?;
        let people = if folder.has(PEOPLE_FILE) {
            let path = folder.path(PEOPLE_FILE);
            serde_json::from_slice(&read_whole(&path)?).map_err(|error| {
                Failure::bad_input(
                    "damaged_file",
                    format!(
                        "{} is niet leesbaar: {error}. Schrijf er de uitvoer van `org people --json` in.",
                        path.display()
                    ),
                    format!("{} cannot be read: {error}. Put what `org people --json` prints there.", path.display()),
                )
            })?
        } else {
            People::default()
        };
        Ok(Self { client, people, directory, _folder: folder })
    }

    async fn plan(&self) -> Result<Plan, Failure> {
        self.client.plan().await.map_err(refused)
    }

    /// Puts a line, or takes it away.
    async fn change(&self, id: LineId, expected: u64, line: Option<Line>) -> Result<u64, Failure> {
        if let Some(line) = &line {
            line.check()?;
        }
        let once = IdempotencyKey::make(&mut system_rng()?);
        self.client.change_plan(id, &PlanChange { expected, line }, once).await.map_err(refused)
    }

    /// Puts a line of which there can be one; its id and version.
    async fn put_only(&self, plan: &Plan, line: Line, if_version: Option<u64>) -> Result<(LineId, u64), Failure> {
        let id = match line.fixed_id() {
            Some(id) => id,
            None => LineId::make(&mut system_rng()?),
        };
        let there = plan.lines.iter().find(|known| known.id == id).map_or(0, |known| known.version);
        Ok((id, self.change(id, if_version.unwrap_or(there), Some(line)).await?))
    }

    /// What somebody is called here.
    fn name(&self, account: AccountId) -> String {
        let named = self.people.people.iter().find(|person| person.account == account);
        named.map_or_else(|| account.to_string(), |person| person.name.clone())
    }

    /// Whose account was typed: an account, or enough of a name that is known here.
    fn account(&self, typed: &str) -> Result<AccountId, Failure> {
        if let Ok(account) = typed.parse() {
            return Ok(account);
        }
        let wanted = typed.to_lowercase();
        let mut fitting = self.people.people.iter().filter(|person| person.name.to_lowercase().contains(&wanted));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only.account),
            (None, _) => Err(Failure::bad_input(
                "unknown_person",
                format!(
                    "Niemand hier heet {typed}. Typ het account, of zet de uitvoer van `org people --json` in {PEOPLE_FILE}."
                ),
                format!(
                    "Nobody here is called {typed}. Type the account, or put what `org people --json` prints into {PEOPLE_FILE}."
                ),
            )),
            _ => Err(Failure::bad_input(
                "ambiguous",
                format!("Meer mensen heten {typed}. Typ meer van de naam, of het account."),
                format!("More people are called {typed}. Type more of the name, or the account."),
            )),
        }
    }
}

/// The line whose id begins with what was typed.
fn find<'a>(plan: &'a Plan, typed: &str) -> Result<&'a PlanLine, Failure> {
    let typed = typed.to_ascii_lowercase();
    let mut fitting = plan.lines.iter().filter(|line| !typed.is_empty() && line.id.to_string().starts_with(&typed));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::bad_input(
            "unknown_line",
            format!("Het plan heeft geen regel {typed}."),
            format!("The plan has no line {typed}."),
        )),
        _ => Err(Failure::bad_input(
            "ambiguous",
            format!("Meer regels beginnen met {typed}. Typ meer ervan."),
            format!("More lines begin with {typed}. Type more of it."),
        )),
    }
}

/// A line that is of another sort than the command is about.
fn other_sort() -> Failure {
    Failure::bad_input(
        "other_line",
        "Deze regel is van een ander soort. Kijk met `list` welke hier horen.",
        "This line is of another sort. See with `list` which belong here.",
    )
}

/// The start of an id, for people.
fn short(id: LineId) -> String {
    id.to_string().chars().take(8).collect()
}

fn refused(error: RelayError) -> Failure {
    let RelayError::Refused { code, .. } = &error else { return error.into() };
    match code.as_str() {
        "plan_changed" => Failure::bad_input(
            "plan_changed",
            "Een ander heeft deze regel intussen gewijzigd. Er is niets overschreven: kijk met `list`, en doe het opnieuw.",
            "Somebody else has changed this line meanwhile. Nothing was written over: look with `list`, and do it anew.",
        ),
        "not_allowed" | "unknown_device" => Failure::bad_input(
            "not_adviser",
            "De relay kent deze map niet (meer) als adviseur van de organisatie. Vraag een nieuwe uitnodiging.",
            "The relay does not know this folder as an adviser of the organisation, or no longer. Ask for a new invite.",
        ),
        "dismissed" => Failure::bad_input(
            "dismissed",
            "De organisatie heeft u ontheven als adviseur: het plan is niet meer voor deze map. Klopt dat niet, vraag dan een nieuwe uitnodiging.",
            "The organisation has dismissed you as an adviser: the plan is not for this folder any more. If that is wrong, ask for a new invite.",
        ),
        "too_many" => Failure::bad_input(
            "too_many",
            format!("Een plan heeft ten hoogste {MAX_LINES} regels. Haal er eerst een weg."),
            format!("A plan has at most {MAX_LINES} lines. Remove one first."),
        ),
        _ => error.into(),
    }
}
