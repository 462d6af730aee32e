//! The calls, by name. Each domain has a file; here are only their names, and how an error is told.

mod activation;
mod alarms;
mod check_ins;
mod circles;
mod devices;
mod family;
mod files;
mod guidance;
mod records;

use baken_core::BakenError;
use serde_json::{Value as Json, json};

use crate::arguments::Arguments;
use crate::phone::Phone;

/// Answers a call, as JSON.
pub(crate) async fn answer(phone: &Phone, name: &str, arguments: &str) -> String {
    let arguments = Arguments(serde_json::from_str(arguments).unwrap_or_default());
    let answer = match run(phone, name, &arguments).await {
        Ok(answer) => json!({ "ok": answer }),
        Err(error) => json!({ "error": describe(&error) }),
    };
    answer.to_string()
}

fn describe(error: &BakenError) -> Json {
    let mut told = json!({ "code": error.code(), "message": error.to_string(), "help": error.help() });
    match error {
        BakenError::TooSoon { wait_ms } => told["wait_ms"] = json!(wait_ms),
        BakenError::PairingDigits { left } => told["left"] = json!(left),
        _ => {}
    }
    told
}

async fn run(phone: &Phone, name: &str, with: &Arguments) -> Result<Json, BakenError> {
    match name {
        "state" => activation::state(phone, with),
        "activate" => activation::activate(phone, with).await,
        "unlock" => activation::unlock(phone, with),
        "lock" => Ok(activation::lock(phone)),
        "change_pin" => activation::change_pin(phone, with),
        "wipe" => activation::wipe(phone),

        "press" => alarms::press(phone, with),
        "locate_alarm" => alarms::locate(phone, with),
        "withdraw" => alarms::withdraw(phone, with),
        "alarm" => alarms::one(phone, with),
        "hurry" => alarms::hurry(phone),
        "probe" => alarms::probe(phone),

        "circles" => circles::all(phone),
        "found_circle" => circles::found(phone, with),
        "remove_device" => circles::remove(phone, with).await,
        "veto" => circles::veto(phone, with).await,
        "confirm_device" => circles::confirm(phone, with).await,

        "family_page" => family::page(phone, with),
        "agree" => family::agree(phone, with),
        "stop_agreeing" => family::stop_agreeing(phone, with),
        "call_family" => family::choose(phone, with),
        "stop_calling_family" => family::choose_not(phone, with),
        "incoming" => family::incoming(phone, with),
        "acknowledge" => family::acknowledge(phone, with),
        "escalate" => family::escalate(phone, with),

        "start_check_in" => check_ins::start(phone, with),
        "extend_check_in" => check_ins::extend(phone, with),
        "settle_check_in" => check_ins::settle(phone, with),

        "guidance" => guidance::overview(phone, with),
        "chapter" => guidance::chapter(phone, with),
        "card" => guidance::card(phone, with),
        "search" => guidance::search(phone, with),
        "contacts" => guidance::contacts(phone, with),
        "update_guidance" => guidance::update(phone).await,

        "records" => records::all(phone, with),
        "create" => records::create(phone, with),
        "put" => records::put(phone, with),
        "delete" => records::delete(phone, with),
        "restore" => records::restore(phone, with),
        "note_incident" => records::note_incident(phone, with),
        "conflicts" => records::conflicts(phone),
        "resolve" => records::resolve(phone, with),
        "sync" => records::sync(phone).await,
        "agenda" => records::agenda(phone, with),
        "scan" => records::scan(phone, with),
        "scan_gate" => records::scan_gate(phone),
        "scan_answer" => records::scan_answer(phone, with),

        "attach" => files::attach(phone, with),
        "attachments" => files::attachments(phone, with),
        "attachment" => files::attachment(phone, with).await,
        "export" => files::export(phone, with),

        "devices" => devices::all(phone),
        "pair_address" => devices::address(phone),
        "pair_start" => devices::start(phone, with).await,
        "pair_wait" => devices::wait(phone).await,
        "pair_join" => devices::join(phone).await,
        "pair_accept" => devices::accept(phone, with).await,
        "pair_confirm" => devices::confirm(phone, with).await,
        "qr" => devices::qr(with),
        _ => Err(BakenError::UnknownKind),
    }
}
