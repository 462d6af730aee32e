//! The commands, one file each.

mod activate;
#[cfg(test)]
mod advised;
mod agenda;
mod alarm;
mod ask;
mod attach;
mod briefing;
mod card;
mod check_in;
mod check_up;
mod circle;
mod conflicts;
mod deletions;
mod devices;
mod export;
mod family;
mod family_page;
mod guidance;
mod incident;
mod incoming;
mod life;
mod locate;
mod pair;
mod pin;
mod readiness;
mod record;
mod recovery;
mod review;
mod rights;
mod scan;
mod share;
mod signal;
mod status;
mod steps;
mod sync;
mod travel;
mod wipe;

use std::io::IsTerminal as _;

use baken_core::BakenError;
use baken_core::circle::CircleView;
use baken_schemas::id::{CircleId, DeviceId};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use zeroize::Zeroizing;

use crate::args::{AlarmCommand, Arguments, CardCommand, Command};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::text::{self, Text};

/// Runs the command that was typed.
///
/// # Errors
/// Whatever stopped it.
pub async fn run(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    match &arguments.command {
        Command::Activate(activate) => activate::run(arguments, activate, out).await,
        Command::Status => status::run(arguments, out),
        Command::Record(command) => record::run(arguments, command, out),
        Command::Attach(command) => attach::run(arguments, command, out).await,
        Command::Conflicts(command) => conflicts::run(arguments, command, out),
        Command::Sync { watch } => sync::run(arguments, *watch, out).await,
        Command::Pair(command) => pair::run(arguments, command, out).await,
        Command::Devices { command: None } => devices::list(arguments, out),
        Command::Devices { command: Some(command) } => devices::order(arguments, command, out).await,
        Command::Alarm(command) => match command {
            AlarmCommand::Press { kind, position, text, countdown, wait, following } => {
                let press = alarm::Press { kind: *kind, position: position.as_deref(), text, countdown_s: *countdown };
                alarm::press(arguments, press, *wait, following, out).await
            }
            AlarmCommand::List => alarm::list(arguments, out),
            AlarmCommand::Tests => alarm::tests(arguments, out),
            AlarmCommand::Sms { alarm } => alarm::sms(arguments, alarm.as_deref(), out),
            AlarmCommand::Show { alarm } => alarm::show(arguments, alarm, out),
            AlarmCommand::Watch { alarm, until, following } => {
                alarm::watch(arguments, alarm, *until, following, out).await
            }
            AlarmCommand::Attach { file, to } => alarm::attach(arguments, file, to, out).await,
            AlarmCommand::Withdraw { alarm } => alarm::withdraw(arguments, alarm, out).await,
            AlarmCommand::Path { now } => alarm::path(arguments, *now, out).await,
            AlarmCommand::Export { alarm, file, readable, force } => {
                alarm::export(arguments, alarm, (file, *readable, *force), out)
            }
            AlarmCommand::Family(command) => family::run(arguments, command, out).await,
            AlarmCommand::Responder(command) => family::responder(arguments, command, out).await,
            AlarmCommand::Incoming { command } => incoming::run(arguments, command.as_ref(), out).await,
            AlarmCommand::Update { alarm, position, text } => {
                alarm::update(arguments, alarm, position.as_deref(), text, out).await
            }
        },
        Command::Incident(command) => incident::run(arguments, command, out).await,
        Command::Share(args) => share::run(arguments, args, out).await,
        Command::Briefing(command) => briefing::run(arguments, command, out),
        Command::Steps(args) => steps::run(arguments, args, out),
        Command::Review(args) => review::run(arguments, args, out),
        Command::Signal(command) => signal::run(arguments, command, out),
        Command::Life(args) => life::run(arguments, args, out),
        Command::Family => family_page::run(arguments, out),
        Command::Agenda(args) => agenda::run(arguments, args, out),
        Command::Aftercare(command) => agenda::aftercare(arguments, command, out),
        Command::CheckUp(command) => check_up::run(arguments, command, out),
        Command::CheckIn(command) => check_in::run(arguments, command, out).await,
        Command::Card(CardCommand::Show) => card::show(arguments, out),
        Command::Card(CardCommand::Publish) => card::publish(arguments, out).await,
        Command::Guidance(args) => guidance::run(arguments, args, out).await,
        Command::Rights(args) => rights::run(arguments, args, out),
        Command::Readiness { command } => readiness::run(arguments, command.as_ref(), out).await,
        Command::Scan(args) => scan::run(arguments, args, out),
        Command::Contacts(args) => guidance::contacts(arguments, args, out),
        Command::Circle(command) => circle::run(arguments, command, out).await,
        Command::Travel(command) => travel::run(arguments, command, out).await,
        Command::Recovery(command) => recovery::run(arguments, command, out).await,
        Command::Export(export) => export::run(arguments, export, out).await,
        Command::Import { file, into_dossier } => export::import(arguments, file, *into_dossier, out),
        Command::Pin(command) => pin::run(arguments, command, out),
        Command::Wipe { yes } => wipe::run(arguments, *yes, out),
    }
}

/// The one of `ids` that begins with what was typed.
///
/// # Errors
/// [`Failure::Input`] when several do; `none` when none does.
fn find<Id: Copy + std::fmt::Display>(ids: &[Id], typed: &str, none: Failure) -> Result<Id, Failure> {
    let typed = typed.to_ascii_lowercase();
    let mut fitting = ids.iter().filter(|id| !typed.is_empty() && id.to_string().starts_with(&typed));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(*only),
        (Some(_), Some(_)) => Err(Failure::Input("ambiguous")),
        (None, _) => Err(none),
    }
}

/// The start of an id, for people.
fn short(id: impl std::fmt::Display) -> String {
    id.to_string().chars().take(8).collect()
}

/// What people call the device that put a value: its name, or the start of its id until its name has come.
fn author(circles: &[CircleView], circle: CircleId, device: Option<DeviceId>) -> String {
    let Some(device) = device else { return String::new() };
    let members = circles.iter().filter(|known| known.circle == circle).flat_map(|circle| &circle.members);
    let named = members.filter(|member| member.device == device).find_map(|member| member.name.clone());
    named.unwrap_or_else(|| short(device))
}

/// Shows a text as QR code to people. What is too long for one is shown as text alone.
fn qr(text: &str, out: &Output) {
    if !out.is_json()
        && let Ok(qr) = QrCode::new(text.as_bytes())
    {
        out.qr(&qr.render::<Dense1x2>().build());
    }
}

/// Asks people for a line on standard output; programs were told by a line of JSON.
///
/// # Errors
/// When it cannot be written.
fn prompt(question: &str, out: &Output) -> Result<(), Failure> {
    use std::io::Write as _;
    if !out.is_json() {
        let mut stdout = std::io::stdout();
        write!(stdout, "{question}").and_then(|()| stdout.flush())?;
    }
    Ok(())
}

/// Reads all of standard input, or its first line.
///
/// # Errors
/// When it cannot be read.
fn read_stdin(first_line: bool) -> Result<String, Failure> {
    /// More than any text a person hands over.
    const MAX_BYTES: u64 = 64 * 1024;
    use std::io::{BufRead as _, Read as _};
    let mut text = String::new();
    let mut stdin = std::io::stdin().lock().take(MAX_BYTES);
    if first_line {
        stdin.read_line(&mut text)?;
    } else {
        stdin.read_to_string(&mut text)?;
    }
    Ok(text)
}

/// Shows a code to people, in numbered groups.
fn show_code(code: &str, out: &Output) {
    /// Groups on a line.
    const GROUPS_A_LINE: usize = 4;
    let groups: Vec<String> =
        code.split('-').enumerate().map(|(index, group)| format!("{}. {group}", index + 1)).collect();
    for line in groups.chunks(GROUPS_A_LINE) {
        out.line(format!("    {}", out.paint(Colour::Green, &line.join("    "))));
    }
}

/// Asks for a code and reads it; on a terminal again after a mistake, which is named by its group.
///
/// # Errors
/// [`Failure::Input`] when nothing was typed, and what `read` returns.
fn typed_code<T>(question: Text, out: &Output, read: impl Fn(&str) -> Result<T, BakenError>) -> Result<T, Failure> {
    loop {
        prompt(question.of(out.language), out)?;
        let typed = Zeroizing::new(read_stdin(true)?);
        if typed.trim().is_empty() {
            return Err(Failure::Input("code_missing"));
        }
        match read(&typed) {
            Ok(code) => return Ok(code),
            Err(error) if std::io::stdin().is_terminal() => {
                out.line(out.paint(Colour::Yellow, &text::core_message(&error, out.language)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
