//! What can be typed about circles, and about coming back into one: from paper, or from a journey.

use clap::{Subcommand, ValueEnum};

#[derive(Subcommand)]
pub enum CircleCommand {
    /// List all circles of this device: who is in them, and as what
    List,
    /// Show one circle, with the number to compare in person
    Show {
        /// Its name, id or enough of its start; `dossier`, your own, otherwise
        #[arg(default_value = "dossier")]
        circle: String,
    },
    /// Found a circle to share with others; all of your own devices are in it
    #[command(after_help = "\
Examples:
  baken circle create family --name Familie
  baken circle create case --name \"Zaak 2026-14\"")]
    Create {
        /// Whom it is for
        #[arg(value_enum)]
        kind: Sharing,
        /// What it is called, for you and for who joins
        #[arg(long)]
        name: String,
    },
    /// Let a guest's device into one circle, both in one room
    #[command(after_help = "\
Examples:
  baken pair relay                                  first: how the guest's device finds the relay
  baken pair show --relay BAKEN-RELAY:AB…           on the guest's device
  baken circle invite familie BAKEN-PAIR:AB…        here; asks for the six digits that the other shows
  baken circle invite familie BAKEN-PAIR:AB… --viewer")]
    Invite {
        /// Its name, id or enough of its start
        circle: String,
        /// The text of the QR code, or - to read it from the first line of standard input
        code: String,
        /// The guest reads, and writes nothing
        #[arg(long)]
        viewer: bool,
        /// For a case with confidential measures: whoever decided on them has said that this guest may know
        #[arg(long)]
        with_confidential: bool,
    },
    /// Take a device out; an owner may object for a day
    #[command(after_help = "\
Example:
  baken circle remove dossier Tablet

From its next request on the device gets nothing new, and cannot open what is written from now on. What it has, it
keeps. Another device of yours that is taken out may object for a day with `baken circle veto`.")]
    Remove {
        /// Its name, id or enough of its start
        circle: String,
        /// The device's name, id or enough of its start
        device: String,
    },
    /// Leave a circle; what was shared until then stays here
    Leave {
        /// Its name, id or enough of its start
        circle: String,
    },
    /// Let a guest write, or only read
    Role {
        /// Its name, id or enough of its start
        circle: String,
        /// The device's name, id or enough of its start
        device: String,
        /// What it may do
        #[arg(value_enum)]
        role: GuestRole,
    },
    /// Keep a device out until another of your devices lets it back in with `circle veto`
    Freeze {
        /// Its name, id or enough of its start
        circle: String,
        /// The device's name, id or enough of its start
        device: String,
    },
    /// Object: a proposed device stays out, a removed or frozen one comes back
    #[command(after_help = "\
Examples:
  baken circle veto            when one device waits
  baken circle veto Tablet     when there are several")]
    Veto {
        /// The device's name, id or enough of its start; not needed when only one waits
        device: Option<String>,
    },
    /// Let a device in at once that another device of yours has proposed
    Confirm {
        /// The device's name, id or enough of its start
        device: String,
    },
}

/// Kinds of circle a person can found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sharing {
    /// You and your family
    Family,
    /// One matter, with the adviser or the police contact
    Case,
}

/// What a guest may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GuestRole {
    /// Reads and writes
    Member,
    /// Reads
    Viewer,
}

#[derive(Subcommand)]
pub enum TravelCommand {
    /// Take the dossier off this phone; another device of yours keeps it
    #[command(after_help = "\
Examples:
  baken travel start                          only the contacts come along; asks for a word first
  baken travel start --keep contact --keep plan
  baken travel start --yes                    asks for no word

Needs a connection and a second device of yours. Alarms work as before. What is not on the phone, no PIN can show.")]
    Start {
        /// A kind of record that comes along; contacts, if none is named
        #[arg(long, value_name = "KIND")]
        keep: Vec<String>,
        /// Do not ask for the word
        #[arg(long)]
        yes: bool,
    },
    /// Bring the dossier back: pair again with another device of yours
    #[command(after_help = "\
Examples:
  baken travel end                    shows a QR code and digits, as `baken pair show` does
  baken pair accept BAKEN-PAIR:AB…    then on your other device, which asks for the six digits

This phone becomes a new device of yours, and may have to wait until another one lets it in; `baken sync` then brings the
dossier back. Until then what came along stays usable. What you changed on the way goes into the dossier.
Exit code 6 while it waits.
With --json: the lines of `baken pair show`, then {\"step\":\"waits\"} or what `baken sync` says.")]
    End {
        /// What `baken pair relay` printed on the other device; only where the relay has moved
        #[arg(long, value_name = "TEXT")]
        relay: Option<String>,
    },
    /// Whether this phone travels, since when, and with what
    Status,
}

#[derive(Subcommand)]
pub enum RecoveryCommand {
    /// Make a new recovery code and show it once; the one before is good for nothing then
    #[command(after_help = "\
Write the code down on paper, together with the sheet's text, and put it in a safe. Do not photograph, mail or store it:
who has both can read everything. It is shown once.

Where a code was made before, it is asked for: on the terminal, or from the first line of standard input.
With --json: {\"step\":\"type_old_code\"} when it is asked for, then {\"code\":…,\"sheet\":…}.")]
    Print,
    /// Come back on a new device with the code on paper
    #[command(after_help = "\
Examples:
  baken recovery restore --sheet BAKEN-SHEET:AB…                 takes the old devices out
  baken recovery restore --sheet BAKEN-SHEET:AB… --keep-others   when another device is still in good hands
The code is asked for on the terminal, or read from the first line of standard input.")]
    Restore {
        /// The text of the recovery sheet
        #[arg(long, value_name = "TEXT")]
        sheet: String,
        /// What this device is called on the others
        #[arg(long, default_value = "Terminal")]
        name: String,
        /// Leave the other devices in
        #[arg(long)]
        keep_others: bool,
    },
    /// Put this device aside because its PIN is forgotten, so that this folder can recover or be paired anew
    #[command(after_help = "\
Examples:
  baken recovery set-aside          asks for a word first
  baken recovery set-aside --yes    does not

Moves the device into the folder set-aside-1 (2, 3 …) within the home folder; nothing is deleted. Should the PIN come
back to you: `baken --home FOLDER …` opens it as before.")]
    SetAside {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
