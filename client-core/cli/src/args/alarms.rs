//! Alarms and check-ins.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{FamilyCommand, IncomingCommand, ResponderCommand};

/// How an alarm is followed.
#[derive(Args)]
pub struct Following {
    /// End after so many seconds; the alarm stays
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Every ten seconds run this command and send where it says that you are: `LAT,LON,ACC[,AGE]`, or JSON with latitude,
    /// longitude and accuracy, as `termux-location` prints it
    #[arg(long, value_name = "COMMAND")]
    pub locate: Option<String>,
}

#[derive(Subcommand)]
pub enum AlarmCommand {
    /// Call for help
    #[command(after_help = "\
Examples:
  baken alarm press                                          tries once; kept and tried again by `alarm watch`
  baken alarm press --position 52.3702,4.8952,12,4           within 12 m, 4 s old
  baken alarm press --wait seen --timeout 60                 waits for a person
  baken alarm press --kind test                              the whole path, marked as a test
  baken alarm press --wait closed --locate termux-location   sends where you are, every ten seconds
  baken alarm press --countdown 10                           can be withdrawn for ten seconds before it is sent")]
    Press {
        /// What kind of help
        #[arg(long, value_enum, default_value = "panic")]
        kind: Kind,
        /// LATITUDE,LONGITUDE,ACCURACY_M[,AGE_S]
        #[arg(long, value_name = "LAT,LON,ACC[,AGE]", allow_hyphen_values = true)]
        position: Option<String>,
        /// Words
        #[arg(long, default_value = "")]
        text: String,
        /// Keep trying and listening until then
        #[arg(long, value_enum)]
        wait: Option<Goal>,
        /// Wait so many seconds before sending, so that it can still be withdrawn; the alarm is kept at once
        #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=60))]
        countdown: u32,
        #[command(flatten)]
        following: Following,
    },
    /// List alarms, the newest first
    List,
    /// List this phone's tests, and when each hop had them
    #[command(after_help = "\
Examples:
  baken alarm press --kind test    makes one
  baken alarm tests
  baken --json alarm tests         {\"tests\":[…],\"last_success\":…,\"is_due\":…}

Times are by each hop's own clock. Once a month is enough.")]
    Tests,
    /// Show one alarm as far as this device knows
    Show {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
    },
    /// Send what waits, and follow an alarm as it is answered
    #[command(after_help = "\
Examples:
  baken alarm watch last
  baken --json alarm watch last --until closed    a line for every receipt")]
    Watch {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
        /// End then; otherwise Ctrl-C does
        #[arg(long, value_enum)]
        until: Option<Goal>,
        #[command(flatten)]
        following: Following,
    },
    /// Send a photo (JPEG, PNG, WebP) or sound (Ogg, M4A, MP3, WAV) along with an alarm, sealed; at most 2 MiB
    #[command(after_help = "\
Examples:
  baken alarm attach deur.jpg
  baken alarm attach stemmen.ogg --to 5f3a
It goes behind everything more urgent, also when `alarm watch` sends it later.")]
    Attach {
        /// The file
        file: PathBuf,
        /// The alarm's id, enough of its start, or `last`
        #[arg(long, value_name = "ALARM", default_value = "last")]
        to: String,
    },
    /// Take an alarm back, with your PIN: before its countdown is over it is never sent; later the desk is told, and an
    /// officer closes it
    #[command(after_help = "\
Examples:
  baken alarm withdraw last
  baken --pin-file /run/secrets/pin alarm withdraw 5f3a")]
    Withdraw {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
    },
    /// When the way to a desk was last proven to be open, and by which; `baken sync --watch` proves it every five minutes
    #[command(after_help = "\
Examples:
  baken alarm path            the last proof
  baken alarm path --now      proves it now, which no officer sees; a test that officers see: alarm press --kind test")]
    Path {
        /// Send a probe and wait for the desk's answer, at most so many seconds
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "10")]
        now: Option<u64>,
    },
    /// Write an alarm with all that followed and every signed receipt to a file, which `baken-server verify` checks
    #[command(after_help = "\
Examples:
  baken alarm export last proof.baken               proves the steps, shows no position, words or names
  baken alarm export last alarm.baken --readable    readable by whoever gets the file")]
    Export {
        /// The alarm's id, enough of its start, or `last`
        alarm: String,
        /// The file to write
        file: PathBuf,
        /// Put in the key that opens position, words and names; it holds the key of your card too
        #[arg(long)]
        readable: bool,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Print the text message by which an alarm can be sent where there is no data, and the number to send it to
    #[command(after_help = "\
Example:
  baken alarm sms          of the newest alarm that is not sent
  baken --json alarm sms   {\"alarm\":…,\"number\":\"+31…\",\"text\":\"BAKEN …\"}")]
    Sms {
        /// The alarm's id, enough of its start, or `last`; without one the newest that is not sent
        alarm: Option<String>,
    },
    /// Who of your family is called in your alarms
    #[command(subcommand)]
    Family(FamilyCommand),
    /// On a family member's own phone: agree to be called in alarms, or not any more
    #[command(subcommand)]
    Responder(ResponderCommand),
    /// On a family member's own phone: alarms that it was called in. Asks for no PIN
    #[command(after_help = "\
Examples:
  baken alarm incoming                      all of them, the newest first
  baken alarm incoming follow               waits, and shows each as it comes
  baken alarm incoming acknowledge last     you have seen it: your name is shown to who calls
  baken alarm incoming escalate last        the next one on the ladder is called at once
In an emergency call 112, whatever stands here.")]
    Incoming {
        /// What to do; without it they are listed
        #[command(subcommand)]
        command: Option<IncomingCommand>,
    },
    /// Tell responders what is new: where you are, words
    Update {
        /// The alarm's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        alarm: String,
        /// LATITUDE,LONGITUDE,ACCURACY_M[,AGE_S]
        #[arg(long, value_name = "LAT,LON,ACC[,AGE]", allow_hyphen_values = true)]
        position: Option<String>,
        /// Words
        #[arg(long, default_value = "")]
        text: String,
    },
}

/// When a check-in is due.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct CheckInEnd {
    /// So long from now: 2h30m, 45m; a minute to seven days
    #[arg(long = "for", value_name = "SPAN")]
    pub for_span: Option<String>,
    /// Then: 23:00, or "2026-11-27 23:00", by a clock in the Netherlands
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<String>,
}

/// On what terms a check-in runs.
#[derive(Args)]
pub struct CheckInTerms {
    /// How long after it is due the alarm goes off; at most 1h
    #[arg(long, default_value = "5m", value_name = "SPAN")]
    pub grace: String,
    /// Goes off sooner, once this device has been silent for so long; it must keep running (`check-in watch`)
    #[arg(long, value_name = "SPAN")]
    pub silent_after: Option<String>,
    /// What the desk reads when it goes off
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub note: String,
    /// Where you will be
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub place: String,
    /// What you are going to do
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub plan: String,
}

#[derive(Subcommand)]
pub enum CheckInCommand {
    /// Start one
    #[command(after_help = "\
Examples:
  baken check-in start --for 2h --place \"Dorpsstraat 1\" --plan \"gesprek, daarna naar huis\"
  baken check-in start --until 23:00 --grace 15m
  baken check-in start --for 3h --silent-after 30m     and keep `baken check-in watch` running")]
    Start {
        #[command(flatten)]
        end: CheckInEnd,
        #[command(flatten)]
        terms: CheckInTerms,
        /// LATITUDE,LONGITUDE,ACCURACY_M[,AGE_S]
        #[arg(long, value_name = "LAT,LON,ACC[,AGE]", allow_hyphen_values = true)]
        position: Option<String>,
    },
    /// Move the moment at which it is due; of one of your other devices: one here takes its place
    Extend {
        /// The check-in's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        check_in: String,
        #[command(flatten)]
        end: CheckInEnd,
    },
    /// Say that all is well, also for one that another device of yours started
    #[command(after_help = "\
Examples:
  baken check-in settle
  baken check-in others          shows those of your other devices, with your PIN
  baken check-in settle 3f2a     settles that one from here, should that device be lost or broken")]
    Settle {
        /// The check-in's id, enough of its start, or `last`
        #[arg(default_value = "last")]
        check_in: String,
    },
    /// Send what waits, and where you are now; needs no PIN
    Renew {
        /// LATITUDE,LONGITUDE,ACCURACY_M[,AGE_S]
        #[arg(long, value_name = "LAT,LON,ACC[,AGE]", allow_hyphen_values = true)]
        position: Option<String>,
    },
    /// List them, the newest first
    List,
    /// Show those that your other devices started, as the server has them; needs no PIN
    Others,
    /// Keep renewing what runs, and say when something is due; needs no PIN
    Watch {
        /// End after so many seconds; otherwise Ctrl-C does
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
    /// Those that come back: list them, add one, end one
    #[command(after_help = "\
Examples:
  baken check-in every 23:00
  baken check-in every 18:30 --days mon,wed --grace 15m
  baken check-in every                                  lists them
  baken check-in every --end 1                          the one that runs goes on until it is settled")]
    Every {
        /// At what time of day it is due
        time: Option<String>,
        /// On which days: daily, weekdays, or mon,tue,…
        #[arg(long, default_value = "daily")]
        days: String,
        #[command(flatten)]
        terms: CheckInTerms,
        /// End the one of this number
        #[arg(long, value_name = "NUMBER")]
        end: Option<i64>,
    },
}

/// Kinds of alarm a person can choose.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// The button
    Panic,
    /// The button, and the phone must not show it
    Silent,
    /// Medical help
    Medical,
    /// A test of the whole path
    Test,
}

/// How far to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// The relay has it on disk
    Stored,
    /// A person has it
    Seen,
    /// It is over
    Closed,
}
