//! What can be typed. Help texts are English; what a command prints follows `--lang`.

mod alarms;
mod circles;
mod family;
mod guidance;
mod guided;
mod incident;
mod rules;
mod sharing;

use std::path::PathBuf;

use baken_schemas::Language;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use alarms::{AlarmCommand, CheckInCommand, CheckInEnd, CheckInTerms, Following, Goal, Kind};
pub use circles::{CircleCommand, GuestRole, RecoveryCommand, Sharing, TravelCommand};
pub use family::{FamilyCommand, IncomingCommand, ResponderCommand};
pub use guidance::{ContactsArgs, GuidanceArgs, GuidanceCommand, ReaderArgs};
pub use guided::{Agree, LifeArgs, LifeCommand, ReviewArgs, ReviewCommand, SignalCommand, StepsArgs};
pub use incident::{
    AddArgs, AftercareCommand, AgendaArgs, CheckUpCommand, IncidentCommand, PackArgs, Reader, ReportArgs, Whom, YesNo,
};
pub use rules::{ReadinessCommand, RightsArgs, ScanArgs, ScanCommand};
pub use sharing::{BriefingCommand, ShareArgs, ShareCommand};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  unexpected: the disk, the database, or the home folder in use by another program
  2  wrong usage
  3  refused here: an invite, code, record, field or value that cannot be used, or what this device may not do
  4  wrong PIN, or too soon after one
  5  the vault is damaged, or made by a newer version
  6  not reached: kept here, sent later; or what was waited for did not come in time
  7  refused by the relay
  8  not trustworthy: a wrong root, signature, directory or certificate
  9  travelling: the dossier is not on this phone

The PIN comes from --pin-file, BAKEN_PIN, or a question on the terminal. Alarms need none.";

#[derive(Parser)]
#[command(
    name = "baken",
    version,
    about = "Baken: a phone in a terminal. A dossier that works offline, and an alarm that says who has it.",
    after_help = EXIT_CODES,
    after_long_help = format!("\
Examples:
  baken activate BAKEN-INVITE:AB…                 activate this device with an invite
  baken record add contact name=Sam phone=0612345678 emergency=true
  baken sync                                      send and receive
  baken alarm press --position 52.3702,4.8952,12 --wait seen
  baken --json alarm list                         for a program

{EXIT_CODES}"),
    max_term_width = 110
)]
pub struct Arguments {
    /// The folder of this device
    #[arg(
        long,
        global = true,
        help_heading = "Options of every command",
        env = "BAKEN_HOME",
        value_name = "DIR",
        default_value = "~/.baken"
    )]
    pub home: PathBuf,
    /// Print JSON, one object a line; errors too
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub json: bool,
    /// The language of what is printed
    #[arg(
        long = "lang",
        global = true,
        help_heading = "Options of every command",
        env = "BAKEN_LANG",
        value_name = "LANG",
        value_parser = PossibleValuesParser::new(Language::TAGS).try_map(|tag| tag.parse::<Language>()),
        default_value = "nl"
    )]
    pub language: Language,
    /// Read the PIN from the first line of this file
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    /// Act on the decoy, which a duress PIN shows, with your own PIN
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub decoy: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Activate this device with an invite
    #[command(after_help = "\
Examples:
  baken activate BAKEN-INVITE:AB…           asks for a new PIN, twice
  baken activate - < invite.txt             reads the invite from standard input
  BAKEN_PIN=… baken --home ~/b activate …   for a program")]
    Activate(ActivateArgs),
    /// Where this device stands: pending, last success, what is stuck and why
    Status,
    /// List, read and write records of any kind: see `baken record kinds`
    #[command(subcommand)]
    Record(RecordCommand),
    /// Files beside records: photos, letters, films
    #[command(subcommand)]
    Attach(AttachCommand),
    /// Fields with two values, and settling them
    #[command(subcommand)]
    Conflicts(ConflictsCommand),
    /// Send and receive, alarms included
    #[command(after_help = "\
Examples:
  baken sync            once; exit code 6 when the relay is not reached
  baken sync --watch    keeps listening until Ctrl-C")]
    Sync {
        /// Keep listening and syncing
        #[arg(long)]
        watch: bool,
    },
    /// Add a further device of the same person, both in one room
    #[command(
        subcommand,
        long_about = "\
Add a further device of the same person, both in one room.

The first further device is in at once on the day of activation. A later one waits for a day, unless another of your
devices lets it in with `baken circle confirm`; each of them can keep it out with `baken circle veto`. With a single
device nobody else can object: a second one is worth having."
    )]
    Pair(PairCommand),
    /// The devices of your own circle, and locking or wiping one that is lost
    #[command(after_help = "\
Examples:
  baken devices                 lists them: which wait, and what was asked of them
  baken devices lock Telefoon
  baken devices wipe Telefoon

With --json: {\"devices\":[…]}, each with its \"orders\".")]
    Devices {
        #[command(subcommand)]
        command: Option<DevicesCommand>,
    },
    /// Call for help, and see who has it; works without PIN
    #[command(subcommand)]
    Alarm(AlarmCommand),
    /// Write down what happened, report it, hand it over
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Share an item into a case, see who saw it, take it back
    #[command(after_help = "\
Examples:
  baken circle create case --name Zaak                       first: the case, and who is in it
  baken share 3f2a --with zaak --preview                     what would go, and what stays
  baken share 3f2a --with zaak --without witnesses           asks for a word first
  baken share 3f2a --with zaak --attachments --yes
  baken share withdraw 3f2a --with zaak
  baken share list
  baken share log 3f2a

What is shared is a copy: what you change at home later they see when you share it again. A confidential measure goes only
with --with-confidential, or a word that is asked for.
With --json: {\"preview\":…}, for what is confidential {\"rule\":…,\"confidential\":…}, then {\"shared\":…,\"case\":…,\"copy\":…};
{\"shared\":[…]} for list, {\"log\":[…]} for log.")]
    Share(ShareArgs),
    /// Being informed: what the police contact or adviser says, and when again
    #[command(subcommand)]
    Briefing(BriefingCommand),
    /// Where you are and what comes next: taking office, prevention, unease, a threat, afterwards
    #[command(after_help = "\
Examples:
  baken steps             the way that comes first now, and how far you are on the others
  baken steps threat
  baken steps after

It is drawn from your dossier each time; nothing of it is stored.
With --json: {\"now\":…,\"ways\":[{\"way\":…,\"steps\":[{\"step\":…,\"done\":…,\"next\":…,\"title\":…,\"command\":…}]}]}.")]
    Steps(StepsArgs),
    /// The four questions at a feeling of unsafety, to go through with your adviser; works offline
    #[command(after_help = "\
Examples:
  baken review                                start, go on where you were, or read what was answered
  baken review start --with \"Ans, adviseur\"
  baken review answer 1 no --said \"plan is van 2022\" --by 2027-01-15
  baken review show

The answers are in your dossier and nobody else's. What is not a yes leaves a task: baken agenda.")]
    Review(ReviewArgs),
    /// Signals: less than an incident, and together they can mean something
    #[command(subcommand)]
    Signal(SignalCommand),
    /// A change of life: leaving office, a second office, moving house, another organisation
    #[command(after_help = "\
Examples:
  baken life                                        the offices that are written down
  baken life leave-office --on 2027-03-31
  baken life second-office --office water-councillor --organisation \"Waterschap Rijn\"
  baken life move --address \"Zeeweg 3\"
  baken life new-organisation

Each shows first what will happen, asks, does what a phone can do, and leaves tasks with a day for the rest.
With --json: {\"plan\":{…}}, then, with --yes, {\"done\":{\"records\":[…],\"tasks\":[…]}}.")]
    Life(LifeArgs),
    /// The family's own page: plan, contacts, what to read, cards for children, aftercare; nothing of a dossier
    #[command(after_help = "\
Examples:
  baken family                                      on a family member's phone, or on yours: what they see
  baken record add --circle familie guidance title=\"Samen praten\" chapter=15-talking-with-children
  baken aftercare start --for family --helper huisarts

Without a family circle, or before one: baken guidance --audience family.")]
    Family,
    /// What is due: ends of measures and subscriptions, appointments, follow-ups; safe to see on a lock screen
    #[command(after_help = "\
Examples:
  baken agenda                         the coming month, and what is over
  baken agenda --days 365 --ics agenda.ics

With --json: {\"agenda\":[…]}, each with at, due, title, record, circle and overdue.")]
    Agenda(AgendaArgs),
    /// Aftercare for yourself, and apart from that for your family
    #[command(subcommand)]
    Aftercare(AftercareCommand),
    /// Mental check-ups, which an open dossier alone does not show
    #[command(subcommand)]
    CheckUp(CheckUpCommand),
    /// An alarm that goes off unless you say in time that all is well
    #[command(subcommand)]
    CheckIn(CheckInCommand),
    /// What responders are shown with an alarm, drawn from the profile, homes, cars, housemates and emergency contacts
    #[command(subcommand)]
    Card(CardCommand),
    /// What to do, and when: guidance by question; needs no PIN, account or network
    #[command(after_help = "\
Examples:
  baken guidance                          the questions, and what answers them
  baken guidance read 02                  a chapter
  baken guidance search brief afzender    typing errors are forgiven
  baken guidance card                     cards for the moment itself
  baken guidance check                    versions, how old, and newer ones")]
    Guidance(GuidanceArgs),
    /// Whom to call now, by hour and kind of trouble; needs no PIN, account or network
    #[command(after_help = "\
Examples:
  baken contacts
  baken contacts --kind threat --audience family")]
    Contacts(ContactsArgs),
    /// What you are entitled to, what comes first, who pays, and why; needs no PIN, account or network
    #[command(after_help = "\
Examples:
  baken rights                                         by the office in your profile; asks for the PIN
  baken rights --office alderman --pkvw not-met
  baken rights --office mayor --threat concrete --act offence
  baken rights --office deputy --on 2023-12-31         what held on that day
  baken rights --office councillor --measure system    with whom a measure may be shared

With --json: {\"situation\":…,\"answers\":[…],\"sharing\":[…],\"gaps\":[…]}; who holds two offices gets a line for each.
Each answer has a stable code, its rule, the rows of the Leidraad, and the facts it rests on with source,
dates and status. A gap names the fact that is missing.")]
    Rights(RightsArgs),
    /// How ready you are, and whether your adviser sees it: only if you say so
    #[command(after_help = "\
Examples:
  baken readiness                           each step: done, not yet, or not applicable
  baken readiness say start-pack done       what the phone cannot find out
  baken readiness say home-scan na
  baken readiness share                     your adviser sees these words, and not what they rest on
  baken readiness withhold                  no longer; the relay destroys what it had

The adviser never sees an answer of the self-scan, a check-up, an incident or a measure. Without your word nobody sees
anything, and nobody is told that you said no.
With --json: {\"steps\":[…],\"consent\":…}, each step with ready and whether you said it yourself.")]
    Readiness {
        #[command(subcommand)]
        command: Option<ReadinessCommand>,
    },
    /// The self-scan: twenty questions, about five minutes; the answers stay on this phone
    #[command(after_help = "\
Examples:
  baken scan                       start, or go on where you were; on a terminal it asks one by one
  baken scan start --gate no       you are not threatened or in danger now
  baken scan answer 3 no
  baken scan result                at most five tips to do first, then the rest
  baken scan task 3 --by 2027-01-15
  baken scan share 3               the text of one tip; with --circle into a case
  baken scan start --again         a new round; then: baken scan changes

The answers are in this phone's vault, in no circle and in no message. They are in your own export.
They do not come along to another phone, and travelling leaves them behind.")]
    Scan(ScanArgs),
    /// Who shares what: the dossier, the family, a case
    #[command(subcommand)]
    Circle(CircleCommand),
    /// Take the dossier off this phone for a journey, and bring it back
    #[command(subcommand)]
    Travel(TravelCommand),
    /// The recovery code on paper, and coming back with it
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// Write everything into one sealed file, or into a readable folder
    #[command(after_help = "\
Examples:
  baken export dossier.baken              shows the code that opens it, once
  baken export --clear ./mijn-dossier     readable by whoever finds it; asks for a word first
  baken export --clear ./mijn-dossier --yes
  baken export --clear ./mijn-dossier --with-confidential    confidential measures too, which stay out otherwise

Attachments that are not on this device are fetched first when the relay is reached. What a file and a folder hold says
docs/export.md. With --json: lines with \"step\", then {\"code\":…,\"records\":…,\"files\":…,\"not_here\":[…],\"kept_in\":[…],\"costs\":…,\"third_parties\":…}.")]
    Export(ExportArgs),
    /// Bring a sealed export into this dossier; what is here stays
    #[command(after_help = "\
Examples:
  baken import dossier.baken                   asks for the code
  baken import dossier.baken < code.txt        reads it from the first line of standard input
  baken import dossier.baken --into-dossier    records of circles that this device is not in, too

Records keep their ids; every value is put as a change of this device. Fields that differ are left and reported. Doing
it twice changes nothing more.
With --json: lines with \"step\", then {\"made\":…,\"filled\":…,…,\"left_out\":[…]}.")]
    Import {
        /// The file
        file: PathBuf,
        /// Put records of circles that this device is not in into the dossier, where it allows their kind
        #[arg(long)]
        into_dossier: bool,
    },
    /// Change the PIN, and set PINs for when you are forced to type one
    #[command(subcommand)]
    Pin(PinCommand),
    /// Destroy everything on this device; needs no PIN
    #[command(after_help = "\
Example:
  baken wipe          asks for a word first
  baken wipe --yes    does not

What other devices and the relay hold stays.")]
    Wipe {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub enum DevicesCommand {
    /// Have another device of yours lock itself: it opens by its PIN alone then
    #[command(after_help = "\
Example:
  baken devices lock Telefoon

It does so with its next connection; whether it has, is not known. It must have known this device when its vault was
last open. Exit code 6: kept here, and handed to the relay by the next `baken sync`.")]
    Lock {
        /// The device's name, id or enough of its start
        device: String,
    },
    /// Have another device of yours destroy everything on it
    #[command(after_help = "\
Examples:
  baken devices wipe Telefoon          asks for your PIN and for a word first
  baken devices wipe Telefoon --yes    asks for no word

It does so with its next connection; whether it has, is not known. It must have known this device when its vault was
last open. Exit code 6: kept here, and handed to the relay by the next `baken sync`.
Take the device out too: `baken circle remove dossier Telefoon`.")]
    Wipe {
        /// The device's name, id or enough of its start
        device: String,
        /// Do not ask for the word
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub enum PinCommand {
    /// Change the PIN
    #[command(after_help = "\
Example:
  baken pin change    asks for the old PIN, then twice for the new one

The new PIN comes from --new-pin-file, BAKEN_NEW_PIN, or a question on the terminal.")]
    Change {
        /// Read the new PIN from the first line of this file
        #[arg(long, value_name = "FILE")]
        new_pin_file: Option<PathBuf>,
    },
    /// PINs that open the decoy and tell the desk
    #[command(subcommand)]
    Duress(DuressCommand),
    /// Whether the tenth wrong PIN in a row destroys everything on this device; off unless you turn it on
    #[command(after_help = "Example:\n  baken pin wipe-after-ten on")]
    WipeAfterTen {
        /// On or off; without it, what it is now
        #[arg(value_enum)]
        wanted: Option<Switch>,
    },
}

#[derive(Subcommand)]
pub enum DuressCommand {
    /// Set a further one, at most five
    #[command(after_help = "\
Examples:
  baken pin duress add                               asks for your PIN, then twice for the new one
  baken --decoy record list                          what it will show
  baken --decoy record add note title=Boodschappen   and how to make that look like you

The new PIN comes from --new-pin-file, BAKEN_NEW_PIN, or a question on the terminal.")]
    Add {
        /// Read the new PIN from the first line of this file
        #[arg(long, value_name = "FILE")]
        new_pin_file: Option<PathBuf>,
    },
    /// Remove all of them
    Clear,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

#[derive(Args)]
pub struct ExportArgs {
    /// The file to write
    #[arg(required_unless_present = "clear")]
    pub file: Option<PathBuf>,
    /// Write a readable folder instead; it must be new or empty
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["file", "force"])]
    pub clear: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// Do not ask for the word
    #[arg(long, requires = "clear")]
    pub yes: bool,
    /// Put confidential measures into the readable folder too; the sealed file always has them
    #[arg(long, requires = "clear")]
    pub with_confidential: bool,
}

#[derive(Args)]
pub struct ActivateArgs {
    /// The invite's text, or - to read it from standard input
    pub invite: String,
    /// What this device is called on the others
    #[arg(long, default_value = "Terminal")]
    pub name: String,
}

#[derive(Subcommand)]
pub enum RecordCommand {
    /// List records
    #[command(after_help = "\
Examples:
  baken record list contact
  baken record list --circle familie
What Baken keeps for itself (kinds account, device and circle) is listed only when asked for by kind.")]
    List {
        /// Only this kind
        kind: Option<String>,
        /// Only this circle: its name, id or enough of its start; `dossier` is your own
        #[arg(long)]
        circle: Option<String>,
        /// Deleted ones too
        #[arg(long)]
        deleted: bool,
    },
    /// Find records by words, in every circle; works offline, typing errors are forgiven
    #[command(after_help = "\
Examples:
  baken record search brief afzender
  baken record search lindelan            a letter too few
  baken record search 0612345678          a number, however it was written

Looked through is what this phone can open, once the PIN is given; no list of words is left on the disk.
With --json: {\"hits\":[…]}, each with its record, the field and the line it was found in.")]
    Search {
        /// What to look for
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Show one record
    Show {
        /// The record's id, or enough of its start
        record: String,
    },
    /// Make a record
    #[command(after_help = "\
Examples:
  baken record add contact name=\"Sam de Boer\" relation=partner phone=0612345678 emergency=true
  baken record add incident what=\"Brief zonder afzender\" happened_at=2026-11-20T08:30:00Z
  baken record add --circle familie plan title=\"Als de bel gaat\" text=\"Niet opendoen, eerst bellen\"
  baken record kinds                       the kinds and their fields")]
    Add {
        /// The circle that shares it: its name, id or enough of its start; your own otherwise
        #[arg(long)]
        circle: Option<String>,
        /// The kind
        kind: String,
        /// FIELD=VALUE
        #[arg(required = true, value_name = "FIELD=VALUE")]
        fields: Vec<String>,
    },
    /// Change fields of a record; FIELD= empties one
    Set {
        /// The record's id, or enough of its start
        record: String,
        /// FIELD=VALUE
        #[arg(required = true, value_name = "FIELD=VALUE")]
        fields: Vec<String>,
    },
    /// Delete a record; for thirty days it can be restored
    Delete {
        /// The record's id, or enough of its start
        record: String,
    },
    /// Restore a deleted record
    Restore {
        /// The record's id, or enough of its start
        record: String,
    },
    /// What is deleted and until when it can be restored; what one device deleted at once, and your word on that
    #[command(after_help = "\
Examples:
  baken record deletions                     what is deleted, and what is held
  baken record deletions --confirm Tablet    on another device of yours: it was right, delete them
  baken record deletions --undo Tablet       it was not: restore all of them

More than 20 records that one device deletes within an hour are kept until another device of yours confirms it, or for a
day. What has been deleted for thirty days is erased; its history is kept for thirty days more.
With --json: {\"held\":[…],\"deletions\":[…]}, {\"confirmed\":N} or {\"restored\":N}.")]
    Deletions {
        /// The device whose deletions are right: its name, id or enough of its start
        #[arg(long, value_name = "DEVICE", conflicts_with = "undo")]
        confirm: Option<String>,
        /// The device whose deletions are to be taken back
        #[arg(long, value_name = "DEVICE")]
        undo: Option<String>,
    },
    /// Everything that was ever put to a record
    History {
        /// The record's id, or enough of its start
        record: String,
    },
    /// Put an old value of a field back, as a new change
    #[command(after_help = "\
Examples:
  baken record history 3f2a                 numbers each field's values, the oldest is 1
  baken record revert 3f2a phone 1
Undoes the settling of a conflict too: both old values are in the history.")]
    Revert {
        /// The record's id, or enough of its start
        record: String,
        /// The field's name
        field: String,
        /// The value's number in the history of this field
        #[arg(value_name = "N")]
        number: usize,
    },
    /// The kinds and their fields
    Kinds,
}

#[derive(Subcommand)]
pub enum AttachCommand {
    /// Put a file beside a record; works offline, and the next `baken sync` sends it
    #[command(after_help = "\
Examples:
  baken attach add brief.pdf --to 3f2a
  baken attach add foto.jpg --to 3f2a --name \"De voordeur\"
  baken attach add plattegrond.png --circle familie      to no record, shared with the family
A photo (JPEG, PNG) gets a small picture. At most 200 MiB. The file is kept as it is, with what a camera wrote into it;
its SHA-256 is noted, and when it was added. On a terminal a line says how far it is.
With --json: {\"step\":\"sealing\",\"done\":…,\"total\":…} in bytes, then {\"attachment\":…}.")]
    Add {
        /// The file
        file: PathBuf,
        /// The record it belongs to: its id, or enough of its start; it is shared with whom the record is
        #[arg(long, value_name = "RECORD")]
        to: Option<String>,
        /// What it is called; the file's name otherwise
        #[arg(long)]
        name: Option<String>,
        /// Where the file comes from
        #[arg(long, value_parser = PossibleValuesParser::new(baken_schemas::record::words::FILE_ORIGIN))]
        origin: Option<String>,
        /// Without a record: the circle that shares it, by its name, id or enough of its start; your own otherwise
        #[arg(long, conflicts_with = "to")]
        circle: Option<String>,
    },
    /// List attachments: what is on this device, and what the relay has
    List {
        /// Only those of this record: its id, or enough of its start
        record: Option<String>,
        /// Deleted ones too
        #[arg(long)]
        deleted: bool,
    },
    /// Fetch an attachment from the relay; goes on where it stopped
    #[command(after_help = "\
Examples:
  baken attach fetch 81c0
  baken attach fetch 81c0 --thumbnail      only the small picture
With --json: {\"step\":\"fetching\",\"done\":…,\"total\":…} in bytes, then {\"attachment\":…}.")]
    Fetch {
        /// The attachment's id, or enough of its start
        attachment: String,
        /// The small picture instead
        #[arg(long)]
        thumbnail: bool,
    },
    /// Write an attachment to a file, after all of it was checked; fetches it first where it is not here
    #[command(after_help = "\
Examples:
  baken attach save 81c0 brief.pdf
  baken attach save 81c0 brief.pdf --force      writes over it
The file is readable: whoever finds it reads it. Delete it when you are done.
With --json: {\"step\":\"fetching\",…} where it is fetched, then {\"attachment\":…,\"file\":…}.")]
    Save {
        /// The attachment's id, or enough of its start
        attachment: String,
        /// The file
        file: PathBuf,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
        /// The small picture instead
        #[arg(long)]
        thumbnail: bool,
    },
    /// Delete an attachment; for thirty days it can be restored with `baken record restore`
    Delete {
        /// The attachment's id, or enough of its start
        attachment: String,
    },
}

#[derive(Subcommand)]
pub enum ConflictsCommand {
    /// List fields with more than one value
    List,
    /// Settle one; all values stay in the history
    #[command(after_help = "\
Examples:
  baken conflicts resolve 3f2a phone --take 2
  baken conflicts resolve 3f2a phone --value 0612345678
  baken record revert 3f2a phone 1                      takes it back: see `baken record history`")]
    Resolve {
        /// The record's id, or enough of its start
        record: String,
        /// The field's name
        field: String,
        /// Take the value of this number in the list, from 1
        #[arg(long, conflicts_with = "value", required_unless_present = "value")]
        take: Option<usize>,
        /// Take this value
        #[arg(long)]
        value: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum PairCommand {
    /// On the old device: the text by which a new device finds the relay; no secret
    Relay,
    /// On the new device: show a QR code and wait for the old device
    #[command(after_help = "\
Examples:
  baken pair relay                                 on the old device, first
  baken pair show --relay BAKEN-RELAY:AB…          then on the new one
  baken pair accept BAKEN-PAIR:AB…                 then on the old one, which asks for the six digits
A guest, who joins one circle, does the same; there the old device uses `baken circle invite` in place of `pair accept`.
With --json: {\"step\":\"code\",…}, {\"step\":\"digits\",…}, {\"step\":\"paired\",…}, a line each.")]
    Show {
        /// What `baken pair relay` printed on the old device
        #[arg(long)]
        relay: String,
        /// What this device is called on the others
        #[arg(long, default_value = "Terminal")]
        name: String,
    },
    /// On the old device: take the new device in
    #[command(after_help = "\
Asks for the six digits that the new device shows; reads them from standard input.
Later than the first day the new device waits for a day: another device of yours lets it in at once with
`baken circle confirm`, or keeps it out with `baken circle veto`.")]
    Accept {
        /// The text of the QR code, or - to read it from the first line of standard input
        code: String,
    },
}

#[derive(Subcommand)]
pub enum CardCommand {
    /// Show what responders would be shown
    Show,
    /// Bring the sealed card at the relay up to date; sync does it too
    Publish,
}
