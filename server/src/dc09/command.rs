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
use super::field::{Account, Prefix, Sequence};
use super::frame::{Frame, FrameError, MAX_FRAME_BYTES};
use super::message::Message;
use super::receiver::{Answer, Handler, Known, Limits, Received, Receiver, Refusal};
use super::report::Report;
use super::sender::{Centre, Sender};
use super::time::write_time;
use crate::channel::Outcome;

/// One frame as a person has it at hand: its bytes, hexadecimal digits of the whole of it, or its text with or without the
/// LF and CR around it.
fn frame_in(input: &[u8]) -> Vec<u8> {
    let trimmed = input.trim_ascii();
    if let Ok(bytes) = data_encoding::HEXLOWER_PERMISSIVE.decode(trimmed)
        && bytes.starts_with(b"\n")
    {
        return bytes;
    }
    let from_lf = input.iter().position(|&byte| byte == b'\n').map(|at| &input[at..]);
    let framed = from_lf.and_then(|rest| Some(&rest[..=rest.iter().position(|&byte| byte == b'\r')?]));
    // A line feed before the first frame, as a shell leaves it, starts none.
    if let Some(framed) = framed.filter(|framed| framed.len() > 2) {
        return framed.to_vec();
    }
    let inner = trimmed.strip_prefix(b"\\n").unwrap_or(trimmed);
    let inner = inner.strip_suffix(b"\\r").unwrap_or(inner);
    [b"\n", inner, b"\r"].concat()
}

/// Reads one frame, however it is written down, and says what is in it, as JSON: `{"valid","error","encrypted","id","seq",
/// "receiver","line","account","data","extended":[…],"timestamp","events":[…],"text","position"}`. What cannot be known is
/// null: of a frame that cannot be opened all but the header.
pub fn decode(input: &[u8], key: Option<&Key>) -> Value {
    let bytes = frame_in(input);
    let frame = if bytes.len() > MAX_FRAME_BYTES {
        Err(FrameError::Damaged { what: "its length" })
    } else {
        Frame::read(&bytes)
    };
    let header = frame.as_ref().ok().map(|frame| frame.header.clone());
    let opened = frame.and_then(|frame| Message::open(frame, key));
    let content = opened.as_ref().ok().map(|message| &message.content);
    let seen = opened.as_ref().ok().map(view);
    let of_view = |field: &str| seen.as_ref().map(|view| view[field].clone());
    let header = header.as_ref();
    json!({
        "valid": opened.is_ok(),
        "error": opened.as_ref().err().map(ToString::to_string),
        "encrypted": header.map(|header| header.encrypted),
        "id": header.map(|header| header.id.as_str()),
        "seq": header.map(|header| header.sequence.to_string()),
        "receiver": header.and_then(|header| header.receiver.as_ref()).map(Prefix::as_str),
        "line": header.map(|header| header.line.as_str()),
        "account": header.and_then(|header| header.account.as_ref()).map(Account::as_str),
        "data": content.map(|content| content.data.as_str()),
        "extended": content.map(|content| {
            let elements = content.elements.iter();
            elements.map(|element| format!("{}{}", element.letter, element.value)).collect::<Vec<_>>()
        }),
        "timestamp": content.and_then(|content| content.made_at).map(write_time),
        "events": of_view("events"),
        "text": of_view("text"),
        "position": of_view("position"),
    })
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
        Outcome::Delivered(answer) => {
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
