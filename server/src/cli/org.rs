//! `baken-server org`: the organisation's root, on a machine that is not the relay.
//!
//! ```text
//! DATA/root.key            32 bytes, 0600: whoever has it is the organisation
//! DATA/organisation.json   names and desk keys of who was invited, 0600
//! DATA/directory.cbor      the directory signed last
//! DATA/unsent/NNNNNN.cbor  what the relay has still to be given, in order
//! ```
//! What was signed is on disk before it is sent, and stays there until the relay has it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::edition::Date;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::org::{DeskEntry, Directory, Invite, InviteRole, LadderUse, RelayEntry};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock as _, SystemClock};
use clap::{Args, Subcommand, ValueEnum};
use qrcode::QrCode;
use qrcode::render::unicode;
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::adviser::{
    self, AgendaCommand, InsuranceCommand, PlanCommand, ReadinessCommand, RoleCommand, YearCommand,
};
use crate::cli::dismiss::{self, OrgDismiss};
use crate::cli::pack::{self, Pack};
use crate::cli::{Failure, Say, system_rng};
use crate::desk::run::idempotency_of;
use crate::folder::{Access, DataFolder, read_whole};
use crate::org::{Book, DirectoryChange, Invitee, LadderSpec, Organisation, Person};
use crate::relay_client::{RelayClient, Trust};

const ROOT_FILE: &str = "root.key";
const BOOK_FILE: &str = "organisation.json";
const DIRECTORY_FILE: &str = "directory.cbor";
const UNSENT: &str = "unsent";
/// The most documents that wait to be sent.
const MAX_UNSENT: usize = 1_000_000;
/// The longest that an invite can be good for, in hours.
pub(super) const MAX_VALID_HOURS: u32 = 24 * 90;

/// What to do with the root.
#[derive(Debug, Subcommand)]
pub(super) enum Org {
    /// Make an organisation's root
    Init(OrgInit),
    /// Sign the next directory: relay, desks, ladders
    Directory(OrgDirectory),
    /// Invite a person's first phone, a bridge, or an adviser
    Invite(OrgInvite),
    /// Dismiss an adviser: the plan is not for them any more. Only advisers
    Dismiss(OrgDismiss),
    /// Send the relay what it has not been given yet
    Publish(OrgData),
    /// Show who was invited
    People(OrgData),
    /// Make start packs: an invite and a page to print, for one person or a whole council
    Pack(Pack),
    /// Adviser: the integral plan in its four themes
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Adviser: who has which function, with deputies and numbers
    #[command(subcommand)]
    Role(RoleCommand),
    /// Adviser: whom the insurance covers
    #[command(subcommand)]
    Insurance(InsuranceCommand),
    /// Adviser: what is due this year, and the start of a term
    #[command(subcommand)]
    Year(YearCommand),
    /// Adviser: who is to be informed, and when
    #[command(subcommand)]
    Agenda(AgendaCommand),
    /// Adviser: how ready those say they are who agreed to say so
    #[command(subcommand)]
    Readiness(ReadinessCommand),
}

/// A root's folder.
#[derive(Debug, Args)]
pub(super) struct OrgData {
    /// The root's folder
    #[arg(long)]
    data: PathBuf,
}

/// Makes a root.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server org init --data org --name \"Gemeente Zandhoven\"")]
pub(super) struct OrgInit {
    /// The folder; made where there is none. Keep it off the relay, and keep a copy in a safe
    #[arg(long)]
    data: PathBuf,
    /// The organisation's name
    #[arg(long)]
    name: String,
}

/// Signs a directory.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  baken-server org directory --data org --relay relay.cbor --desk desk.cbor --publish\n  \
    baken-server org directory --data org --desk west.cbor --ladder \"Standaard=Oost:10,Oost+West:40\" --publish\n\
    A ladder's rungs are parted by commas, desks on one rung by plus signs; behind the colon the seconds to wait.\n\
    The word familie in place of a desk calls those of the family whom each person has chosen, as in\n  \
    --check-in-ladder \"Check-ins=familie:120,Oost:60\"; such a ladder has at most three desks, and one on its last rung."
)]
pub(super) struct OrgDirectory {
    /// The root's folder
    #[arg(long)]
    data: PathBuf,
    /// The relay's entry, as `init relay` wrote it; without it the last one stays
    #[arg(long)]
    relay: Option<PathBuf>,
    /// A desk's entry, as `init desk` wrote it; new, or in place of the one it had
    #[arg(long = "desk")]
    desks: Vec<PathBuf>,
    /// The name of a desk that goes
    #[arg(long = "without-desk", value_name = "NAME")]
    without_desks: Vec<String>,
    /// A ladder: NAME=DESK:SECONDS,DESK+DESK:SECONDS. Without any the last ones stay; at first, one that calls the first
    /// desk for 10 s and then all for 40 s
    #[arg(long = "ladder", value_name = "LADDER")]
    ladders: Vec<LadderSpec>,
    /// The number at which a bridge takes in alarms by text message, as +31…; without it the last one stays, an empty text
    /// takes it away
    #[arg(long, value_name = "NUMBER")]
    sms_number: Option<String>,
    /// A ladder for missed check-ins, written in the same way. Without any the last ones stay; while there are none,
    /// missed check-ins climb the ladder of alarms
    #[arg(long = "check-in-ladder", value_name = "LADDER")]
    check_in_ladders: Vec<LadderSpec>,
    /// Send it to the relay
    #[arg(long, conflicts_with = "out")]
    publish: bool,
    /// Write it to a file as well, for a root whose machine is off the network
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What an invited device will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// The first phone of an office-holder
    OfficeHolder,
    /// A bridge for hardware buttons
    Bridge,
    /// An adviser, who keeps the organisation's plan
    Adviser,
}

/// Invites somebody.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server org invite --data org --name \"A. Testma\" --office burgemeester \
    --phone +31600000001 --publish\nHand the text or the QR code over in person: whoever has it first becomes that person.")]
pub(super) struct OrgInvite {
    /// The root's folder
    #[arg(long)]
    data: PathBuf,
    /// The person's name, or the button's place
    #[arg(long)]
    name: String,
    /// The person's office
    #[arg(long)]
    office: String,
    /// Where a desk calls back
    #[arg(long)]
    phone: String,
    /// What the device will be
    #[arg(long, value_enum, default_value_t = Role::OfficeHolder)]
    role: Role,
    /// For how many hours the invite is good
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_VALID_HOURS)))]
    valid_hours: u32,
    /// Tell the relay of it
    #[arg(long, conflicts_with = "out")]
    publish: bool,
    /// Write what the relay must be told to this folder as well
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs it.
pub(super) async fn run(org: &Org, say: &Say) -> Result<(), Failure> {
    match org {
        Org::Init(args) => init(args, say),
        Org::Directory(args) => directory(args, say).await,
        Org::Invite(args) => invite(args, say).await,
        Org::Dismiss(args) => dismiss::run(args, say).await,
        Org::Publish(args) => {
            let folder = DataFolder::open(&args.data)?;
            let sent = publish(&folder, &load(&folder)?).await?;
            let (nl, en) = (format!("{sent} documenten gestuurd."), format!("{sent} documents sent."));
            say.say(&json!({ "sent": sent }), &nl, &en);
            Ok(())
        }
        Org::People(args) => people(args, say),
        Org::Pack(args) => pack::run(args, say).await,
        Org::Plan(command) => adviser::plan(command, say).await,
        Org::Role(command) => adviser::role(command, say).await,
        Org::Insurance(command) => adviser::insurance(command, say).await,
        Org::Year(command) => adviser::year(command, say).await,
        Org::Agenda(command) => adviser::agenda(command, say).await,
        Org::Readiness(command) => adviser::readiness(command, say).await,
    }
}

fn init(args: &OrgInit, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::create(&args.data)?;
    if folder.has(ROOT_FILE) {
        return Err(crate::folder::FolderError::Exists(folder.path(ROOT_FILE)).into());
    }
    let organisation = Organisation::make(&args.name, &mut system_rng()?)?;
    std::fs::create_dir_all(folder.path(UNSENT))?;
    write_book(&folder, &organisation.book)?;
    // The root comes last: a folder with a root is one that was made whole.
    folder.write(ROOT_FILE, organisation.seed().as_ref(), Access::Secret)?;
    let org = organisation.org();
    say.say(
        &json!({ "org": org, "name": args.name }),
        &format!("De organisatie is {org}.\nGeef dit nummer aan wie de relay en de meldkamers inricht."),
        &format!("The organisation is {org}.\nGive this number to whoever sets the relay and the desks up."),
    );
    Ok(())
}

pub(super) fn load(folder: &DataFolder) -> Result<Organisation, Failure> {
    let damaged = |path: PathBuf, why: String| Failure::from(crate::folder::FolderError::Damaged { path, why });
    let seed = Zeroizing::new(folder.read(ROOT_FILE)?);
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(
        seed.as_slice().try_into().map_err(|_| damaged(folder.path(ROOT_FILE), "a root has 32 bytes".to_owned()))?,
    );
    let book: Book = serde_json::from_slice(&folder.read(BOOK_FILE)?)
        .map_err(|error| damaged(folder.path(BOOK_FILE), error.to_string()))?;
    let directory = if folder.has(DIRECTORY_FILE) { Some(folder.read(DIRECTORY_FILE)?) } else { None };
    Ok(Organisation::load(&seed, book, directory.as_deref())?)
}

/// Everybody of a root's book, without its lock: for looking.
pub(crate) fn book_of(data: &Path) -> Result<Vec<Person>, Failure> {
    let path = data.join(BOOK_FILE);
    let book: Book = serde_json::from_slice(&read_whole(&path)?)
        .map_err(|error| crate::folder::FolderError::Damaged { path, why: error.to_string() })?;
    Ok(book.people)
}

/// The directory in a root's or an adviser's folder.
pub(crate) fn directory_of(data: &Path) -> Result<Directory, Failure> {
    let bytes = read_whole(&data.join(DIRECTORY_FILE))?;
    let org = Unverified::<Directory>::parse(&bytes)?.claims().org();
    Ok(Directory::verify(&bytes, org)?.into_value())
}

/// How many signed documents of a root wait to be sent.
pub(crate) fn unsent_of(data: &Path) -> usize {
    std::fs::read_dir(data.join(UNSENT)).map_or(0, |entries| entries.take(MAX_UNSENT).count())
}

pub(super) fn write_book(folder: &DataFolder, book: &Book) -> Result<(), Failure> {
    let bytes = serde_json::to_vec_pretty(book).map_err(|error| Failure::unexpected("book", &error))?;
    Ok(folder.write(BOOK_FILE, &bytes, Access::Secret)?)
}

/// Reads a file that holds one CBOR value.
fn read_entry<T>(path: &Path, what: &'static str) -> Result<T, Failure>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    cbor::from_slice(&read_whole(path)?, what).map_err(|error: FormatError| {
        Failure::bad_input(
            error.code(),
            format!("{} is niet bruikbaar: {error}", path.display()),
            format!("{} cannot be used: {error}", path.display()),
        )
    })
}

async fn directory(args: &OrgDirectory, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::open(&args.data)?;
    let mut organisation = load(&folder)?;
    let relay = args.relay.as_deref().map(|path| read_entry::<RelayEntry>(path, "a relay's entry")).transpose()?;
    let desks =
        args.desks.iter().map(|path| read_entry::<DeskEntry>(path, "a desk's entry")).collect::<Result<_, _>>()?;
    let for_check_ins = args.check_in_ladders.iter().cloned().map(LadderSpec::for_check_ins);
    let ladders = args.ladders.iter().cloned().chain(for_check_ins).collect();
    let change = DirectoryChange {
        relay,
        desks,
        without_desks: args.without_desks.clone(),
        ladders,
        sms_number: args.sms_number.clone(),
    };
    let documents = organisation.sign_directory(change, SystemClock.now(), &mut system_rng()?)?;
    keep_unsent(&folder, &documents)?;
    let Some(directory) = &organisation.directory else { return Ok(()) };
    folder.write(DIRECTORY_FILE, directory.bytes(), Access::Open)?;
    if let Some(out) = &args.out {
        crate::folder::write_whole(out, directory.bytes(), Access::Open)?;
    }
    let sent = if args.publish { publish(&folder, &organisation).await? } else { 0 };
    let directory = directory.value();
    let desks: Vec<&str> = directory.desks.iter().map(|desk| desk.name.as_str()).collect();
    let named = |serves| -> Vec<&str> {
        let of_use = directory.ladders.iter().filter(|ladder| ladder.serves == serves);
        of_use.map(|ladder| ladder.name.as_str()).collect()
    };
    let (ladders, check_in_ladders) = (named(LadderUse::Alarms), named(LadderUse::CheckIns));
    let (mut nl, mut en) = (String::new(), String::new());
    if !check_in_ladders.is_empty() {
        nl = format!("; ladders voor check-ins {}", check_in_ladders.join(", "));
        en = format!("; ladders for check-ins {}", check_in_ladders.join(", "));
    }
    say.say(
        &json!({ "version": directory.version, "desks": desks, "ladders": ladders, "check_in_ladders": check_in_ladders,
                "sms_number": directory.sms_number, "sent": sent }),
        &format!(
            "Adreslijst {} is getekend: meldkamers {}; ladders {}{nl}. Gestuurd: {sent} documenten.",
            directory.version,
            desks.join(", "),
            ladders.join(", ")
        ),
        &format!(
            "Directory {} is signed: desks {}; ladders {}{en}. Sent: {sent} documents.",
            directory.version,
            desks.join(", "),
            ladders.join(", ")
        ),
    );
    Ok(())
}

async fn invite(args: &OrgInvite, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::open(&args.data)?;
    let mut organisation = load(&folder)?;
    let invitee = Invitee {
        name: args.name.clone(),
        office: args.office.clone(),
        phone: args.phone.clone(),
        role: match args.role {
            Role::OfficeHolder => InviteRole::OfficeHolder,
            Role::Bridge => InviteRole::Bridge,
            Role::Adviser => InviteRole::Adviser,
        },
    };
    let expires_at = SystemClock.now().plus_ms(i64::from(args.valid_hours) * 3_600_000);
    let issued = organisation.invite(invitee, expires_at, &mut system_rng()?)?;
    // The book first: an invite that the relay knows must be in it, or a later desk would not learn of the person.
    write_book(&folder, &organisation.book)?;
    keep_unsent(&folder, &issued.documents)?;
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out)?;
        for (number, document) in issued.documents.iter().enumerate() {
            crate::folder::write_whole(&out.join(format!("{number}.cbor")), document, Access::Open)?;
        }
    }
    let sent = if args.publish { publish(&folder, &organisation).await? } else { 0 };
    let text = Invite::to_text(&issued.invite);
    let account = issued.invite.value().account;
    let until = expires_at.to_rfc3339();
    let json = json!({ "invite": text, "account": account, "expires_at": expires_at, "sent": sent });
    say.say(
        &json,
        &format!("Uitnodiging, geldig tot {until}. Geef haar persoonlijk:\n\n{text}\n"),
        &format!("Invite, good until {until}. Hand it over in person:\n\n{text}\n"),
    );
    if !say.is_json() {
        show_code(&text)?;
    }
    Ok(())
}

/// Shows a text as a QR code in half blocks, dark on light whatever the terminal's colours.
fn show_code(text: &str) -> Result<(), Failure> {
    let code = QrCode::new(text.as_bytes()).map_err(|error| Failure::unexpected("qr_code", &error))?;
    let drawn = code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    writeln!(std::io::stdout().lock(), "{drawn}")?;
    Ok(())
}

/// Puts documents behind what waits to be sent.
pub(super) fn keep_unsent(folder: &DataFolder, documents: &[Vec<u8>]) -> Result<(), Failure> {
    let last = unsent(folder)?.last().map_or(0, |(number, _)| *number);
    for (number, document) in (last + 1..).zip(documents) {
        folder.write(&format!("{UNSENT}/{number:06}.cbor"), document, Access::Secret)?;
    }
    Ok(())
}

pub(super) fn unsent(folder: &DataFolder) -> Result<Vec<(usize, PathBuf)>, Failure> {
    let dir = folder.path(UNSENT);
    std::fs::create_dir_all(&dir)?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&dir)?.take(MAX_UNSENT) {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".cbor"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Sends what waits, in order; how many there were. What the relay has is taken away, the rest stays.
pub(super) async fn publish(folder: &DataFolder, organisation: &Organisation) -> Result<usize, Failure> {
    let directory = organisation.directory.as_ref().map(Signed::value).ok_or(crate::org::OrgError::NoDirectory)?;
    let client = RelayClient::new(&directory.relay.urls, &Trust::of_relay(&directory.relay), None)?;
    let waiting = unsent(folder)?;
    for (_, path) in &waiting {
        let document = read_whole(path)?;
        // The same on every try, so that a repeat after a lost answer has no second effect.
        let once: IdempotencyKey = idempotency_of(baken_schemas::crypto::Hash::of("baken/document/v0", &[&document]));
        client.publish(&document, once).await?;
        std::fs::remove_file(path)?;
    }
    Ok(waiting.len())
}

fn people(args: &OrgData, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::open(&args.data)?;
    let organisation = load(&folder)?;
    let people = &organisation.book.people;
    let json: Vec<_> = people
        .iter()
        .map(|person| {
            json!({
                "account": person.account, "name": person.name, "office": person.office, "phone": person.phone,
                "role": person.role, "invite_expires_at": person.expires_at, "dismissed_at": person.dismissed_at,
            })
        })
        .collect();
    let text = |dismissed: &str| {
        let line = |person: &Person| {
            let Person { account, name, office, phone, .. } = person;
            let since = person.dismissed_at.map(|at| format!(", {dismissed} {}", Date::of(at))).unwrap_or_default();
            format!("{account}  {name}, {office}, {phone}{since}")
        };
        people.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    say.say(&json!({ "people": json }), &text("ontheven op"), &text("dismissed on"));
    Ok(())
}
