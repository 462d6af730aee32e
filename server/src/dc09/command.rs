//! What `baken-server dc09 decode|send|listen` does, apart from reading its arguments: for whoever connects a centre or a
//! button and wants to see what goes over the wire.
//!
//! What these print is content, positions and texts included, on the screen of someone who has the key. It goes to standard
//! output when asked for, and nowhere else.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::time::Clock;
use rand_core::CryptoRng;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::crypt::Key;
use super::data::{Code, read_events, read_text};
use super::events::CodeTable;
use super::field::{Account, Sequence};
use super::frame::{FrameError, MAX_FRAME_BYTES};
use super::message::Message;
use super::receiver::{Answer, Handler, Known, Limits, Received, Receiver, Refusal};
use super::report::Report;
use super::sender::{Centre, Sender};
use crate::channel::Outcome;

/// Reads one frame as a person has it at hand: hexadecimal digits of the whole of it, or its text with or without the LF
/// and CR around it.
///
/// # Errors
/// [`FrameError`].
pub fn decode(frame: &str, key: Option<&Key>) -> Result<Value, FrameError> {
    let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(frame.trim().as_bytes()).ok();
    let bytes = hex.filter(|bytes| bytes.starts_with(b"\n")).unwrap_or_else(|| {
        let inner = frame.trim().trim_start_matches("\\n").trim_end_matches("\\r");
        format!("\n{inner}\r").into_bytes()
    });
    if bytes.len() > MAX_FRAME_BYTES {
        return Err(FrameError::Damaged { what: "its length" });
    }
    Message::read(&bytes, key).map(|message| view(&message))
}

/// A message as JSON: `{"id","encrypted","sequence","receiver","line","account","data","events":[{"code","event","area",
/// "zone"}],"text","elements":[{"letter","value"}],"position":{"latitude_e7","longitude_e7"},"occurred_at","made_at",
/// "carried_key"}`; what is not there is null.
pub fn view(message: &Message) -> Value {
    let Message { header, content } = message;
    let table = CodeTable::standard();
    let events: Vec<Value> = read_events(&header.id, &content.data)
        .into_iter()
        .map(|reported| {
            let code = match reported.code {
                Code::Sia(code) => code.to_string(),
                Code::Cid(code) => code.to_string(),
            };
            json!({
                "code": code,
                "event": reported.code.event(&table),
                "area": reported.area,
                "zone": reported.zone,
            })
        })
        .collect();
    let elements: Vec<Value> =
        content.elements.iter().map(|element| json!({ "letter": element.letter, "value": element.value })).collect();
    let position = content
        .position_e7()
        .map(|(latitude_e7, longitude_e7)| json!({ "latitude_e7": latitude_e7, "longitude_e7": longitude_e7 }));
    json!({
        "id": header.id.as_str(),
        "encrypted": header.encrypted,
        "sequence": u16::from(header.sequence),
        "receiver": header.receiver,
        "line": header.line,
        "account": header.account,
        "data": content.data,
        "events": events,
        "text": read_text(&content.data),
        "elements": elements,
        "position": position,
        "occurred_at": content.occurred_at().map(|at| at.to_rfc3339()),
        "made_at": content.made_at.map(|at| at.to_rfc3339()),
        "carried_key": content.carried_key,
    })
}

/// Sends one report and says what came of it.
pub async fn send(
    centre: Centre,
    sequence: Sequence,
    report: &Report,
    clock: Arc<dyn Clock>,
    rng: &mut (dyn CryptoRng + Send),
) -> Outcome {
    Sender::new(centre, clock).send(sequence, report, rng).await
}

/// An outcome as JSON: `{"outcome":"delivered","by","answer","at"}`, or `{"outcome":"retry"|"refused","code","text"}`.
pub fn outcome_view(outcome: &Outcome, language: Language) -> Value {
    match outcome {
        Outcome::Delivered(answer) | Outcome::HandedOver { answer, .. } => {
            json!({ "outcome": "delivered", "by": answer.by, "answer": answer.answer, "at": answer.at.to_rfc3339() })
        }
        Outcome::Retry { why } => json!({ "outcome": "retry", "code": why.code(), "text": why.text(language) }),
        Outcome::Refused { why } => json!({ "outcome": "refused", "code": why.code(), "text": why.text(language) }),
    }
}

/// Listens as a receiver for one account, acknowledges every message, and gives each to `print` as JSON: `{"received":
/// …}` or `{"refused":"…","peer":"…"}`. Runs until `shutdown` is done.
///
/// # Errors
/// What the listener says.
pub async fn listen(
    listener: TcpListener,
    account: Account,
    key: Option<Key>,
    clock: Arc<dyn Clock>,
    rng: Box<dyn CryptoRng + Send>,
    print: impl Fn(Value) + Send + Sync + 'static,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let known = key.map_or(Known::Plain, Known::Enciphered);
    let printer = Printer { account, known, print };
    Arc::new(Receiver::new(printer, clock, rng, Limits::default())).serve(listener, shutdown).await
}

/// Prints what comes.
struct Printer<P> {
    account: Account,
    known: Known,
    print: P,
}

impl<P: Fn(Value) + Send + Sync + 'static> Handler for Printer<P> {
    async fn known(&self, account: &Account) -> Known {
        if *account == self.account { self.known.clone() } else { Known::No }
    }

    async fn received(&self, received: Received) -> Answer {
        (self.print)(json!({ "received": view(&received.message), "at": received.at.to_rfc3339() }));
        Answer::Ack
    }

    async fn refused(&self, refusal: Refusal, peer: SocketAddr) {
        (self.print)(json!({ "refused": refusal_text(&refusal), "peer": peer.to_string() }));
    }
}

/// What was not taken, for the person who connects the equipment.
fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Damaged => "bytes that are no whole frame; not answered".to_owned(),
        Refusal::Malformed(error) => error.to_string(),
        Refusal::UnknownAccount(account) => format!("account {} is not known here", account.as_str()),
        Refusal::Downgraded(account) => format!("account {} has a key, and this came in the clear", account.as_str()),
        Refusal::NotOpened(account) => format!("account {}: another key, or altered bytes", account.as_str()),
        Refusal::OutOfTime { account, ahead_ms } => {
            format!("account {}: its clock is {} s ahead; answered with the time", account.as_str(), ahead_ms / 1000)
        }
        Refusal::Unanswered(account) => format!("account {}: taken too slowly, not answered", account.as_str()),
        Refusal::TooManyConnections => "too many connections".to_owned(),
    }
}
