//! What can be typed of incidents, and of what comes after them.

use std::path::PathBuf;

use baken_schemas::record::words;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Subcommand)]
pub enum IncidentCommand {
    /// Note an incident without a PIN and without a network; once the dossier is open it is a record like any other
    #[command(after_help = "\
Examples:
  baken incident note \"Man aan de deur, zei dat hij weet waar ik woon\"
  baken incident note \"Brief zonder afzender\" --when \"2026-11-20 08:30\" --where thuis
Nobody can read it here before your PIN was typed, not even you. Then: baken record list incident")]
    Note {
        /// What happened, in your words
        what: String,
        /// When; now otherwise
        #[arg(long = "when", alias = "at", value_name = "MOMENT")]
        at: Option<String>,
        /// Where
        #[arg(long = "where", alias = "place")]
        place: Option<String>,
        /// Who or what it came from, as far as you know
        #[arg(long)]
        source: Option<String>,
    },
    /// Write down what happened, by options or question by question; works offline
    #[command(after_help = "\
Examples:
  baken incident add                                     asks question by question; Enter skips one
  baken incident add --what \"Brief zonder afzender\" --when \"2026-11-20 08:30\" --where thuis --threat-source unknown
MOMENT is 2026-11-20, \"2026-11-20 08:30\" by the clock in the Netherlands, 08:30 for the last time it was that late, or
2026-11-20T07:30:00Z. Then, with its id: baken incident report, baken attach add FILE --to ID, baken incident pack.")]
    Add(AddArgs),
    /// List incidents, the newest first
    List,
    /// One incident: what was written, its evidence, what it is joined with
    Show {
        /// Its id, or enough of its start
        incident: String,
    },
    /// Incidents and signals in order of time, and which are of one perpetrator
    Timeline,
    /// Join two incidents or signals
    #[command(
        after_help = "Example:\n  baken incident link 3f2a 81c0\n  baken incident link 3f2a 81c0 --why same-event"
    )]
    Link {
        /// One: its id, or enough of its start
        from: String,
        /// The other
        to: String,
        /// Why they belong together
        #[arg(long, value_parser = PossibleValuesParser::new(words::LINK), default_value = words::SAME_PERPETRATOR)]
        why: String,
    },
    /// Write down to whom it was reported
    #[command(after_help = "\
Examples:
  baken incident report 3f2a --internal griffier
  baken incident report 3f2a --police aangifte --number PL0600-2026123456 --vpt yes --domicile yes
  baken incident report 3f2a --police none-yet --reason \"eerst overleg met het OM\"
It writes down that it was done. It tells nobody.")]
    Report(ReportArgs),
    /// Write a folder to hand over: readable by whoever finds it
    #[command(after_help = "\
Examples:
  baken incident pack 3f2a --for police --out ./politie      all of it, evidence, hashes, a signed statement
  baken incident pack 3f2a --for register --out ./register   the seven W's; no evidence, no names
  baken incident pack --for council --year 2026 --out ./raad counts; those under five are not said
Measures, their cost, contacts, family and check-ups are in none of them. Do not speak of measures when you hand it over.
With --json: {\"files\":[…],\"not_here\":[…],\"fingerprint\":…}.")]
    Pack(PackArgs),
    /// Check a folder for the police: that nothing was changed, added or taken away. Needs no PIN
    #[command(
        after_help = "Exit code 8: it is not what was signed. Compare the fingerprint with the phone of who made it."
    )]
    Verify {
        /// The folder
        folder: PathBuf,
    },
}

/// The seven W's, and where the threat comes from.
#[derive(Args)]
pub struct AddArgs {
    /// What happened
    #[arg(long)]
    pub what: Option<String>,
    /// When; now otherwise
    #[arg(long, value_name = "MOMENT")]
    pub when: Option<String>,
    /// Where
    #[arg(long = "where", value_name = "PLACE")]
    pub place: Option<String>,
    /// Who did it, or what they looked like
    #[arg(long)]
    pub who: Option<String>,
    /// With what
    #[arg(long)]
    pub with_what: Option<String>,
    /// In which way
    #[arg(long)]
    pub how: Option<String>,
    /// Why, as far as you know
    #[arg(long)]
    pub why: Option<String>,
    /// Where the threat comes from
    #[arg(long, value_parser = PossibleValuesParser::new(words::THREAT_SOURCE))]
    pub threat_source: Option<String>,
    /// Who saw it
    #[arg(long)]
    pub witnesses: Option<String>,
}

#[derive(Args)]
pub struct ReportArgs {
    /// Its id, or enough of its start
    pub incident: String,
    /// Reported inside the organisation, to whom
    #[arg(long, value_name = "TO", required_unless_present_any = ["police", "told"])]
    pub internal: Option<String>,
    /// What the police were told
    #[arg(long, value_parser = PossibleValuesParser::new(words::POLICE))]
    pub police: Option<String>,
    /// Who else was told
    #[arg(long)]
    pub told: Option<String>,
    /// When; now otherwise
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// The number that the police gave
    #[arg(long, requires = "police")]
    pub number: Option<String>,
    /// Why so, or why not yet
    #[arg(long, requires = "police")]
    pub reason: Option<String>,
    /// Whether the code for violence against office-holders (VPT) was asked for
    #[arg(long, requires = "police", value_enum)]
    pub vpt: Option<YesNo>,
    /// Whether the organisation's address was given in place of the home
    #[arg(long, requires = "police", value_enum)]
    pub domicile: Option<YesNo>,
    /// When to look at it again
    #[arg(long, value_name = "MOMENT")]
    pub follow_up: Option<String>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes
    #[value(alias = "ja")]
    Yes,
    /// No
    #[value(alias = "nee")]
    No,
}

/// Who reads a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reader {
    /// The police
    Police,
    /// The organisation's register
    Register,
    /// The council
    Council,
}

#[derive(Args)]
pub struct PackArgs {
    /// Its id, or enough of its start; none for a council
    #[arg(required_if_eq_any = [("for", "police"), ("for", "register")])]
    pub incident: Option<String>,
    /// For whom
    #[arg(long = "for", value_enum, id = "for")]
    pub reader: Reader,
    /// The folder; it must be new or empty
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// For a register: name who did it, where it may hold that
    #[arg(long)]
    pub name_person: bool,
    /// For a council: only this calendar year
    #[arg(long)]
    pub year: Option<i64>,
}

#[derive(Args)]
pub struct AgendaArgs {
    /// How many days ahead
    #[arg(long, default_value = "31")]
    pub days: u16,
    /// Write a calendar file too; it says neither Baken nor what an item is about
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    /// Say what each is about, as you wrote it: only for your own eyes
    #[arg(long)]
    pub full: bool,
    /// Mark one as done: its id, or enough of its start
    #[arg(long, value_name = "RECORD", conflicts_with = "ics")]
    pub done: Option<String>,
    /// How it went, of what is done
    #[arg(long, requires = "done", value_name = "TEXT")]
    pub outcome: Option<String>,
}

#[derive(Subcommand)]
pub enum AftercareCommand {
    /// Start: a plan, and a moment after each of the months that the guidance proposes; twice is once
    #[command(after_help = "\
Examples:
  baken aftercare start                                   for yourself, from today
  baken aftercare start --for family --from 2026-11-20    in the family circle; it says nothing that your dossier says
Then: baken agenda")]
    Start {
        /// For whom
        #[arg(long = "for", value_enum, default_value = "self")]
        whom: Whom,
        /// The day that measures were scaled down; today otherwise
        #[arg(long, value_name = "DAY")]
        from: Option<baken_schemas::edition::Date>,
        /// Who helps; yours to choose, and the family's theirs
        #[arg(long, value_name = "WHOM")]
        helper: Option<String>,
    },
}

/// Whom aftercare is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Whom {
    /// Yourself
    #[value(name = "self")]
    Own,
    /// Partner and family
    Family,
}

#[derive(Subcommand)]
pub enum CheckUpCommand {
    /// Write a mental check-up down, behind a passphrase of its own
    #[command(after_help = "\
Example:
  baken check-up add \"Goed gesprek, beter geslapen\" --with bedrijfsarts --next 2027-05-27

The first one chooses the passphrase, which should not be your PIN; nobody can get it back. It comes from
BAKEN_CHECK_UP, or a question on the terminal. Your organisation sees nothing of it.")]
    Add {
        /// How it was
        text: String,
        /// With whom
        #[arg(long, default_value = "")]
        with: String,
        /// When it was; now otherwise
        #[arg(long, value_name = "MOMENT")]
        at: Option<String>,
        /// When the next one is
        #[arg(long, value_name = "MOMENT")]
        next: Option<String>,
    },
    /// Read them, with the passphrase
    List,
    /// Change the passphrase, with the old one; nothing is lost
    #[command(after_help = "\
Example:
  baken check-up passphrase    asks for the old one, then twice for the new one

The new one comes from BAKEN_NEW_CHECK_UP, or a question on the terminal. What is written from then on no old one opens.
Who knew the old one and gets hold of an old copy can still read what was written before.")]
    Passphrase,
    /// Be reminded of the next one; takes no passphrase. The agenda says: time for yourself
    #[command(after_help = "\
Examples:
  baken check-up remind --on 2027-05-27              once
  baken check-up remind --on 2027-05-27 --every 6    and after each check-up again, six months later
  baken check-up remind --off")]
    Remind {
        /// The day
        #[arg(long, value_name = "MOMENT", required_unless_present = "off")]
        on: Option<String>,
        /// After how many months the next one is, counted from each check-up
        #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(1..=120))]
        every: Option<u32>,
        /// No reminder any more
        #[arg(long, conflicts_with_all = ["on", "every"])]
        off: bool,
    },
}
