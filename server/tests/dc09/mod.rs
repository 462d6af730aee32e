//! SIA DC-09 with real equipment's libraries on the other side: `pysiaalarm` receives what Baken's desk sends, and
//! `my-dc09-spt` dials Baken's bridge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use baken_schemas::Language;
use baken_schemas::alarm::Position;
use baken_schemas::time::{Clock, SystemClock, Timestamp};
use baken_server::channel::{Outcome, Why};
use baken_server::dc09::events::{CodeTable, Codes, Event};
use baken_server::dc09::position::{read_latitude, read_longitude};
use baken_server::dc09::receiver::{Answer, Handler, Known, Limits, Received, Receiver, Refusal};
use baken_server::dc09::sender::{Centre, Path, Sender};
use baken_server::dc09::{Account, Coding, Form, Key, Report, Sequence, command};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::peer::Peer;

const KEY: &str = "0123456789ABCDEF";
/// Dam, Amsterdam.
const DAM: Position = Position { latitude_e7: 523_717_500, longitude_e7: 48_903_500, accuracy_m: 12, age_s: 4 };
/// 2026-11-23T16:30:00Z.
const PRESSED: Timestamp = Timestamp(1_795_451_400_000);

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(9)
}

fn account() -> Account {
    "1234".parse().unwrap()
}

fn sequence() -> Sequence {
    "0042".parse().unwrap()
}

fn ascii(key: &str) -> Key {
    format!("ascii:{key}").parse().unwrap()
}

fn report(event: Event) -> Report {
    Report {
        event,
        text: "Noodknop café".to_owned(),
        position: Some(DAM),
        occurred_at: PRESSED,
        verify_at: Some("https://desk.example/a/1".to_owned()),
    }
}

fn sender(port: u16, coding: Coding, key: Option<&str>) -> Sender {
    let centre = Centre::new(format!("127.0.0.1:{port}"), coding, key.map(ascii));
    Sender::new(centre, Arc::new(SystemClock))
}

async fn receiver(arguments: &[&str]) -> (Peer, u16) {
    let arguments = [&["--account", "1234"], arguments].concat();
    Peer::listening("dc09_receiver.py", &arguments, &[]).await
}

#[track_caller]
fn assert_delivered(outcome: Outcome, path: Path) {
    match outcome {
        Outcome::Delivered(answer) => {
            assert_eq!((answer.by.as_str(), answer.answer.as_str()), (path.as_str(), "ACK"));
        }
        other => panic!("not delivered: {other:?}"),
    }
}

/// What every receiver should have made of [`report`].
#[track_caller]
fn assert_reported(seen: &Value, encrypted: bool) {
    assert_eq!(seen["account"], "1234");
    assert_eq!(seen["code"], "PA");
    assert_eq!(seen["kind"], "Panic Alarm");
    assert_eq!(seen["zone"], "1");
    assert_eq!(seen["text"], "501|ANoodknop cafe");
    assert_eq!(seen["sequence"], "0042");
    assert_eq!(seen["message"], "SIA-DCS");
    assert_eq!(seen["encrypted"], encrypted);
    let x_data = &seen["x_data"];
    assert_eq!(x_data["Alarm Text"], "positie op 12 m, 4 s oud");
    assert_eq!(x_data["Time of Occurence"], "16:30:00,11-23-2026");
    assert_eq!(x_data["Verification"], "https://desk.example/a/1");
    assert_eq!(x_data["Longitude"], "004E53.4210");
    assert_eq!(x_data["Latitude"], "52N22.3050");
    assert_eq!(read_longitude(x_data["Longitude"].as_str().unwrap()), Some(DAM.longitude_e7));
    assert_eq!(read_latitude(x_data["Latitude"].as_str().unwrap()), Some(DAM.latitude_e7));
}

fn button() -> Coding {
    Coding { zone: 501, ..Coding::new(account()) }
}

#[tokio::test]
async fn a_real_receiver_acknowledges_a_plain_alarm_and_reads_all_of_it() {
    let (mut peer, port) = receiver(&[]).await;
    assert_delivered(
        sender(port, button(), None).send(sequence(), &report(Event::Panic), &mut rng()).await,
        Path::Main,
    );
    assert_reported(&peer.next().await, false);
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn a_real_receiver_opens_an_alarm_under_every_length_of_key() {
    for key in [KEY, "0123456789ABCDEF01234567", "0123456789ABCDEF0123456789ABCDEF"] {
        let (mut peer, port) = receiver(&["--key", key]).await;
        let sender = sender(port, button(), Some(key));
        assert_delivered(sender.send(sequence(), &report(Event::Panic), &mut rng()).await, Path::Main);
        assert_reported(&peer.next().await, true);
        assert!(peer.stop().await.is_empty());
    }
}

#[tokio::test]
async fn a_wrong_key_is_not_called_delivered_and_says_what_to_check() {
    let (peer, port) = receiver(&["--key", KEY]).await;
    let outcome =
        sender(port, button(), Some("FEDCBA9876543210")).send(sequence(), &report(Event::Panic), &mut rng()).await;
    let Outcome::Retry { why: why @ Why::NotTaken { clock_ahead_ms: Some(ahead) } } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(ahead.abs() < 5_000, "it is not the clock: {ahead} ms");
    assert!(why.to_string().contains("key"));
    assert!(peer.stop().await.is_empty(), "the receiver took nothing");
}

#[tokio::test]
async fn an_account_or_code_the_receiver_does_not_know_is_told_apart() {
    let (peer, port) = receiver(&[]).await;
    let stranger = Coding::new("9999".parse().unwrap());
    let outcome = sender(port, stranger, None).send(sequence(), &report(Event::Panic), &mut rng()).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::NotTaken { clock_ahead_ms: None } });

    let unknown = Codes { sia: "ZX".parse().unwrap(), cid: "1120".parse().unwrap() };
    let coding = Coding { codes: CodeTable::standard().with(Event::Panic, unknown), ..button() };
    let outcome = sender(port, coding, None).send(sequence(), &report(Event::Panic), &mut rng()).await;
    assert_eq!(outcome, Outcome::Refused { why: Why::NotUnderstood });
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn an_alarm_tried_while_the_receiver_is_down_arrives_once_it_is_up_with_the_same_number() {
    let (peer, port) = receiver(&["--key", KEY]).await;
    peer.stop().await;
    let sender = sender(port, button(), Some(KEY));
    let outcome = sender.send(sequence(), &report(Event::Panic), &mut rng()).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::Unreachable });

    let (mut peer, _) = receiver(&["--key", KEY, "--port", &port.to_string()]).await;
    assert_delivered(sender.send(sequence(), &report(Event::Panic), &mut rng()).await, Path::Main);
    assert_reported(&peer.next().await, true);
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn the_back_up_receiver_takes_what_the_main_one_cannot() {
    let (gone, main) = receiver(&[]).await;
    gone.stop().await;
    let (mut peer, back_up) = receiver(&[]).await;
    let mut centre = Centre::new(format!("127.0.0.1:{main}"), button(), None);
    centre.back_up = Some(format!("127.0.0.1:{back_up}"));
    let sender = Sender::new(centre, Arc::new(SystemClock));
    assert_delivered(sender.send(sequence(), &report(Event::Panic), &mut rng()).await, Path::BackUp);
    assert_reported(&peer.next().await, false);

    assert_eq!(sender.supervise(Path::Main, &mut rng()).await, Outcome::Retry { why: Why::Unreachable });
    assert_delivered(sender.supervise(Path::BackUp, &mut rng()).await, Path::BackUp);
    assert_eq!(peer.next().await["message"], "NULL");
    peer.stop().await;
}

#[tokio::test]
async fn a_real_receiver_knows_every_code_of_the_standard_table() {
    let (mut peer, port) = receiver(&["--key", KEY]).await;
    for event in [
        Event::Panic,
        Event::Silent,
        Event::Duress,
        Event::Medical,
        Event::PanicWithdrawn,
        Event::SilentWithdrawn,
        Event::CheckInMissed,
        Event::CheckInResumed,
        Event::PeriodicTest,
        Event::ManualTest,
        Event::BatteryLow,
        Event::BatteryRestored,
        Event::Unreachable,
        Event::Reachable,
    ] {
        let outcome = sender(port, button(), Some(KEY)).send(sequence(), &report(event), &mut rng()).await;
        assert_delivered(outcome, Path::Main);
        let codes = CodeTable::standard().codes(event);
        assert_eq!(peer.next().await["code"], codes.sia.to_string(), "{event:?}");

        // It reads one element of extended data with Contact ID, no more.
        let bare = Report { text: String::new(), position: None, verify_at: None, ..report(event) };
        let coding = Coding { form: Form::AdmCid, ..button() };
        assert_delivered(sender(port, coding, Some(KEY)).send(sequence(), &bare, &mut rng()).await, Path::Main);
        let seen = peer.next().await;
        assert_eq!((&seen["message"], &seen["zone"]), (&"ADM-CID".into(), &"501".into()), "{event:?}");
    }
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn the_tool_sends_to_the_tool_and_decodes_what_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (print, mut printed) = mpsc::unbounded_channel();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let print = move |line| print.send(line).unwrap();
    let never = std::future::pending();
    let key = Some(ascii(KEY));
    tokio::spawn(command::listen(listener, account(), key.clone(), Arc::clone(&clock), Box::new(rng()), print, never));

    let centre = |key| Centre::new(format!("127.0.0.1:{port}"), button(), key);
    let panic = report(Event::Panic);
    let outcome = command::send(centre(key), sequence(), &panic, Arc::clone(&clock), &mut rng()).await;
    assert_eq!(command::outcome_view(&outcome, Language::Nl)["outcome"], "delivered");
    let received = &printed.recv().await.unwrap()["received"];
    assert_eq!((&received["encrypted"], &received["events"][0]["event"]), (&true.into(), &"panic".into()));
    assert_eq!(received["occurred_at"], "2026-11-23T16:30:00Z");

    let outcome = command::send(centre(None), sequence(), &panic, clock, &mut rng()).await;
    let view = command::outcome_view(&outcome, Language::Nl);
    assert_eq!((&view["outcome"], &view["code"]), (&"refused".into(), &"not-understood".into()));
    assert!(printed.recv().await.unwrap()["refused"].as_str().unwrap().contains("in the clear"));
}

#[test]
fn the_tool_decodes_a_frame_however_it_was_copied() {
    let text = r#"3BC6002E"SIA-DCS"0001R1L0#1234[#1234|NPA501|ANoodknop]"#;
    let hex: String = format!("\n{text}\r").bytes().map(|byte| format!("{byte:02x}")).collect();
    for copied in
        [text, &format!("\\n{text}\\r"), &format!("\n{text}\r"), &format!("\n{text}\r\n"), &hex, &hex.to_uppercase()]
    {
        let view = command::decode(copied.as_bytes(), None);
        assert_eq!((&view["text"], &view["seq"]), (&"Noodknop".into(), &"0001".into()), "{copied}");
    }
    for broken in ["", "0a0d", "hello", &text[1..], &"x".repeat(10_000)] {
        let view = command::decode(broken.as_bytes(), None);
        assert_eq!(view["valid"], false, "{broken} passed");
        assert!(view["error"].is_string() && view["id"].is_null(), "{view}");
    }
}

/// What `dc09 decode --json` prints of a frame on its standard input, and its exit code.
fn decode_by_program(frame: &[u8], key_hex: Option<&str>) -> (Value, Option<i32>) {
    use std::io::Write as _;
    let mut arguments = vec!["dc09", "decode", "--json"];
    arguments.extend(key_hex.iter().flat_map(|key| ["--key", key]));
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_baken-server"))
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(frame).unwrap();
    let output = program.wait_with_output().unwrap();
    (serde_json::from_slice(&output.stdout).expect("one JSON object"), output.status.code())
}

#[test]
fn the_program_decodes_every_captured_frame_from_its_standard_input() {
    const KEYS: [&str; 11] =
        ["valid", "error", "encrypted", "id", "seq", "receiver", "line", "account", "data", "extended", "timestamp"];
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../../tests/vectors/dc09.json")).unwrap();
    for vector in &vectors {
        let name = vector["description"].as_str().unwrap();
        let frame = data_encoding::HEXLOWER.decode(vector["frame_hex"].as_str().unwrap().as_bytes()).unwrap();
        let (said, exit) = decode_by_program(&frame, vector["key_hex"].as_str());
        assert!(KEYS.iter().all(|key| said.get(key).is_some()), "{name}: {said}");
        let decoded = &vector["decoded"];
        // One dialler leaves out the line number, which the standard requires.
        let valid = vector["valid"] == true && decoded.get("lpref") != Some(&Value::Null);
        assert_eq!((&said["valid"], exit), (&valid.into(), Some(i32::from(!valid))), "{name}: {said}");
        assert_eq!(said["error"].is_null(), valid, "{name}");
        if valid && decoded.get("id").is_some() {
            for (key, captured) in [
                ("encrypted", "encrypted"),
                ("id", "id"),
                ("seq", "seq"),
                ("receiver", "rcvr"),
                ("line", "lpref"),
                ("account", "acct"),
                ("data", "data"),
                ("timestamp", "timestamp"),
            ] {
                assert_eq!(said[key], decoded[captured], "{name}: {key}");
            }
            assert_eq!(
                said["extended"].as_array().unwrap().len(),
                decoded["xdata"].as_array().unwrap().len(),
                "{name}"
            );
        }
    }
    // Without its key the header is all there is to say.
    let sealed = vectors.iter().find(|vector| vector["key_hex"].is_string() && vector["valid"] == true).unwrap();
    let frame = data_encoding::HEXLOWER.decode(sealed["frame_hex"].as_str().unwrap().as_bytes()).unwrap();
    let (said, exit) = decode_by_program(&frame, None);
    assert_eq!((exit, &said["account"], &said["data"]), (Some(1), &sealed["decoded"]["acct"], &Value::Null));
}

#[tokio::test]
async fn one_address_cannot_take_every_place_and_gets_its_own_back() {
    let limits = Limits { connections_of_one: 1, ..Limits::default() };
    let (port, mut heard, _end) = bridge_within(Known::Plain, limits).await;
    let address = ("127.0.0.1", port);
    let first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    assert_eq!(second.read(&mut [0]).await.unwrap(), 0, "closed at once");
    assert_eq!(heard.recv().await.unwrap(), Err(Refusal::TooManyConnections));
    drop(first);
    // The place comes back when the receiver notices, which is for it to choose: so until an alarm gets through.
    let sender = sender(port, button(), None);
    let through = async {
        while !matches!(sender.send(sequence(), &report(Event::Panic), &mut rng()).await, Outcome::Delivered(_)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), through).await.expect("its place comes back");
}

/// Takes what is dialled, and passes it on as the tool shows it.
struct Bridge {
    known: Known,
    seen: mpsc::UnboundedSender<Result<Value, Refusal>>,
}

impl Handler for Bridge {
    async fn known(&self, asked: &Account) -> Known {
        if *asked == account() { self.known.clone() } else { Known::No }
    }

    async fn received(&self, received: Received) -> Answer {
        self.seen.send(Ok(command::view(&received.message))).unwrap();
        Answer::Ack
    }

    async fn refused(&self, refusal: Refusal, _: SocketAddr) {
        // The dialler goes on trying until it is ended, when nobody listens any more.
        let _ = self.seen.send(Err(refusal));
    }
}

/// A bridge on a free port; it ends when the sender is dropped.
async fn bridge(known: Known) -> (u16, mpsc::UnboundedReceiver<Result<Value, Refusal>>, oneshot::Sender<()>) {
    bridge_within(known, Limits::default()).await
}

async fn bridge_within(
    known: Known,
    limits: Limits,
) -> (u16, mpsc::UnboundedReceiver<Result<Value, Refusal>>, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, heard) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let receiver = Arc::new(Receiver::new(Bridge { known, seen }, clock, Box::new(rng()), limits));
    tokio::spawn(receiver.serve(listener, async {
        let _ = ended.await;
    }));
    (port, heard, end)
}

fn dial(port: u16, arguments: &[&str]) -> Peer {
    let port = port.to_string();
    let arguments = [&["--port", &port, "--account", "1234"], arguments].concat();
    Peer::start("dc09_dialler.py", &arguments, &[])
}

#[tokio::test]
async fn a_real_dialler_is_understood_and_satisfied() {
    for key in [None, Some(KEY), Some("0123456789ABCDEF0123456789ABCDEF")] {
        let known = key.map_or(Known::Plain, |key| Known::Enciphered(ascii(key)));
        let (port, mut heard, _end) = bridge(known).await;
        let mut arguments = vec!["--code", "PA", "--zone", "501", "--text", "balie"];
        arguments.extend(["--lon", "004E53.4210", "--lat", "52N22.3050"]);
        arguments.extend(key.iter().flat_map(|key| ["--key", key]));
        let mut dialler = dial(port, &arguments);
        assert_eq!(dialler.next().await["sent"], true);
        let seen = heard.recv().await.unwrap().unwrap();
        assert_eq!(seen["account"], "1234");
        assert_eq!(seen["encrypted"], key.is_some());
        assert_eq!(seen["events"][0]["event"], "panic");
        assert_eq!(seen["events"][0]["zone"], "501");
        assert_eq!(seen["text"], "balie");
        assert_eq!(seen["position"]["latitude_e7"], DAM.latitude_e7);
        assert_eq!(seen["position"]["longitude_e7"], DAM.longitude_e7);
    }
}

#[tokio::test]
async fn a_real_dialler_s_contact_id_is_understood() {
    let (port, mut heard, _end) = bridge(Known::Enciphered(ascii(KEY))).await;
    let mut dialler = dial(port, &["--code", "121", "--zone", "7", "--key", KEY]);
    assert_eq!(dialler.next().await["sent"], true);
    let seen = heard.recv().await.unwrap().unwrap();
    assert_eq!(seen["events"][0]["code"], "1121");
    assert_eq!(seen["events"][0]["event"], "duress");
    assert_eq!(seen["events"][0]["zone"], "007");
}

#[tokio::test]
async fn a_real_dialler_in_the_clear_is_refused_where_a_key_was_agreed() {
    let (port, mut heard, _end) = bridge(Known::Enciphered(ascii(KEY))).await;
    let mut dialler = dial(port, &["--code", "PA"]);
    assert_eq!(dialler.next().await["sent"], false);
    assert_eq!(heard.recv().await.unwrap(), Err(Refusal::Downgraded(account())));
}
