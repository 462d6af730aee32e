//! `baken-server dc09`: for whoever connects an alarm centre or a button and wants to see what goes over the wire. What it
//! prints is content.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::channel::Outcome;
use crate::cli::serve::told_to_stop;
use crate::cli::{Failure, Say, system_rng};
use crate::dc09::events::{CodeTable, Event, SiaCode};
use crate::dc09::sender::Centre;
use crate::dc09::{Account, Coding, Key, KeyError, Report, Sequence, command};
use crate::exit;
use crate::tls;

/// The most that is read of standard input, in bytes.
const MAX_INPUT_BYTES: u64 = 64 * 1024;

/// What to do on the wire.
#[derive(Debug, Subcommand)]
pub(super) enum Dc09 {
    /// Read one frame: what is in it, and whether it is a valid one (exit code 1 if not)
    #[command(after_help = "Example:\n  echo 0A3342433630303245…0D | baken-server dc09 decode --key \
        30313233343536373839414243444546")]
    Decode {
        /// The frame, as hexadecimal digits or as its text; read from standard input where it is left out
        frame: Option<String>,
        /// The account's key: its bytes as hexadecimal digits, `hex:…` or `ascii:…`
        #[arg(long, value_parser = key_of)]
        key: Option<Key>,
    },
    /// Send one event, as a button's dialler does
    #[command(after_help = "Example:\n  baken-server dc09 send --to 127.0.0.1:12000 --account B007 \
        --key ascii:FEDCBA9876543210 --code PA")]
    Send(Send),
    /// Listen as an alarm centre's receiver, acknowledge everything and print it
    #[command(after_help = "Example:\n  baken-server dc09 listen --on 127.0.0.1:17001 --account 1234")]
    Listen {
        /// Where to listen
        #[arg(long)]
        on: SocketAddr,
        /// The account
        #[arg(long)]
        account: Account,
        /// Its key: `hex:…` or `ascii:…`
        #[arg(long)]
        key: Option<Key>,
    },
}

/// Sends one event.
#[derive(Debug, Args)]
pub(super) struct Send {
    /// The receiver, `host:port`
    #[arg(long)]
    to: String,
    /// The account
    #[arg(long)]
    account: Account,
    /// Its key: `hex:…` or `ascii:…`; without one it goes in the clear
    #[arg(long)]
    key: Option<Key>,
    /// The event as a SIA code
    #[arg(long, default_value = "PA")]
    code: SiaCode,
    /// Words to go with it
    #[arg(long, default_value = "")]
    text: String,
    /// The message's number; a repeat keeps it. Without one, of the moment
    #[arg(long)]
    sequence: Option<u16>,
}

/// Runs it.
pub(super) async fn run(dc09: &Dc09, say: &Say) -> Result<(), Failure> {
    match dc09 {
        Dc09::Decode { frame, key } => {
            let input = match frame {
                Some(frame) => frame.clone().into_bytes(),
                None => read_input()?,
            };
            let value = command::decode(&input, key.as_ref());
            show(say, &value);
            if value["valid"] == true { Ok(()) } else { Err(Failure::said(exit::UNEXPECTED)) }
        }
        Dc09::Send(args) => send(args, say).await,
        Dc09::Listen { on, account, key } => {
            let listener = tls::listen(*on).await?;
            let (printer, stop) = (say.clone(), told_to_stop()?);
            let print = move |value: Value| show(&printer, &value);
            let (clock, rng) = (Arc::new(SystemClock), Box::new(system_rng()?));
            Ok(command::listen(listener, account.clone(), key.clone(), clock, rng, print, stop).await?)
        }
    }
}

/// A key; bare digits are its bytes.
fn key_of(text: &str) -> Result<Key, KeyError> {
    if text.contains(':') { text.parse() } else { format!("hex:{text}").parse() }
}

/// All of standard input; what lies beyond the longest frame in digits is none.
fn read_input() -> Result<Vec<u8>, Failure> {
    let mut input = Vec::new();
    std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut input)?;
    Ok(input)
}

fn show(say: &Say, value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    say.say(value, &text, &text);
}

async fn send(args: &Send, say: &Say) -> Result<(), Failure> {
    let event: Event = CodeTable::standard().of_sia(args.code).ok_or_else(|| {
        Failure::bad_input("unknown_code", "Deze code is niet bekend.", "Nothing is known about this code.")
    })?;
    let now = SystemClock.now();
    // A dialler counts up over its presses; this one has no memory, so the clock counts for it.
    let number =
        args.sequence.unwrap_or_else(|| u16::try_from(now.0.div_euclid(1000).rem_euclid(9_999) + 1).unwrap_or(1));
    let sequence = Sequence::try_from(number)
        .map_err(|error| Failure::bad_input("bad_sequence", error.to_string(), error.to_string()))?;
    let report = Report { event, text: args.text.clone(), position: None, occurred_at: now, verify_at: None };
    let centre = Centre::new(args.to.clone(), Coding::new(args.account.clone()), args.key.clone());
    let outcome = command::send(centre, sequence, &report, Arc::new(SystemClock), &mut system_rng()?).await;
    show(say, &command::outcome_view(&outcome, say.language()));
    match outcome {
        Outcome::Delivered(_) | Outcome::HandedOver { .. } => Ok(()),
        Outcome::Retry { why } | Outcome::Refused { why } => Err(Failure::new(
            exit::NOT_REACHED,
            "not_delivered",
            format!("Niet afgeleverd: {}", why.text(Language::Nl)),
            format!("Not delivered: {}", why.text(Language::En)),
        )),
    }
}
