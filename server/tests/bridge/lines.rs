//! Buttons over UDP and TLS, every captured frame at the bridge's real sockets, and what the bridge says of a button that
//! falls silent or whose battery is low.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use baken_schemas::alarm::{AlarmKind, Provenance};
use baken_server::bridge::buttons::{self, TroubleKind};
use baken_server::bridge::run::{self, Doors};
use baken_server::bridge::{BridgeSettings, DATABASE_FILE, server_config};
use baken_server::dc09::events::Event;
use baken_server::dc09::{Account, Coding, Frame, Key, MessageId, Report, Sequence};
use baken_server::desk::AlarmSummary;
use baken_server::store::{Disk, StoreError, inspect};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::{Joiner, dial, is_ack};
use crate::desk::town::{ANY, Town, listen, until};
use crate::peer::Peer;

const KEY: &str = "FEDCBA9876543210";
/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A bridge with all its doors.
struct Doorways {
    tcp: SocketAddr,
    udp: SocketAddr,
    tls: SocketAddr,
    root: Vec<u8>,
    serving: JoinHandle<()>,
}

async fn serve(joiner: &Joiner, buttons: &str) -> Doorways {
    std::fs::write(joiner.dir.path().join("bridge.toml"), buttons).unwrap();
    let bridge = Arc::new(joiner.open());
    let (tcp, tcp_at) = listen(ANY).await;
    let (tls, tls_at) = listen(ANY).await;
    let udp = UdpSocket::bind(ANY).await.unwrap();
    let udp_at = udp.local_addr().unwrap();
    let certificates = tempfile::tempdir().unwrap();
    let folder = baken_server::folder::DataFolder::open(certificates.path()).unwrap();
    let settings = BridgeSettings {
        listen: None,
        udp: None,
        tls: Some(tls_at),
        tls_certificate: None,
        tls_key: None,
        language: Default::default(),
        org: joiner.joined.directory.value().org(),
        account: joiner.joined.account,
    };
    let config = server_config(&folder, &settings).unwrap();
    let root = baken_server::tls::root(&folder).unwrap();
    let doors = Doors { tcp: Some(tcp), udp: Some(udp), tls: Some((tls, config)), ..Doors::default() };
    let serving = tokio::spawn(async move {
        run::serve(bridge, doors, Box::new(|_| {}), std::future::pending()).await.unwrap();
    });
    Doorways { tcp: tcp_at, udp: udp_at, tls: tls_at, root, serving }
}

/// A press, as a dialler writes it.
fn frame(account: &str, key: Option<&str>, number: u16) -> Vec<u8> {
    let key = key.map(|key| format!("ascii:{key}").parse::<Key>().unwrap());
    let now = baken_schemas::time::Clock::now(&baken_schemas::time::SystemClock);
    let report =
        Report { event: Event::Panic, text: "Noodknop".to_owned(), position: None, occurred_at: now, verify_at: None };
    let number = Sequence::try_from(number).unwrap();
    let mut message = Coding::new(account.parse::<Account>().unwrap()).message(number, &report);
    message.content.made_at = Some(now);
    message.write(key.as_ref(), &mut ChaCha20Rng::seed_from_u64(4)).unwrap()
}

async fn ask_udp(bridge: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind(ANY).await.unwrap();
    socket.send_to(datagram, bridge).await.unwrap();
    let mut reply = [0; 4096];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut reply)).await;
    received.ok().map(|received| reply[..received.unwrap().0].to_vec())
}

fn id_of(reply: &[u8]) -> MessageId {
    Frame::read(reply).unwrap().header.id
}

fn transports(town: &Town) -> Vec<String> {
    let list = town.sites[0].desk.alarms(true).unwrap().alarms;
    let transport = |alarm: AlarmSummary| match alarm.provenance {
        Some(Provenance::Button { transport, .. }) => transport,
        other => panic!("{other:?}"),
    };
    let mut transports: Vec<String> = list.into_iter().map(transport).collect();
    transports.sort();
    transports
}

fn buttons(more: &str) -> String {
    format!(
        "[[button]]\naccount = \"B007\"\nname = \"Balie\"\nperson = \"A. Testma\"\nkey = \"ascii:{KEY}\"\n{more}\
         [[button]]\naccount = \"C001\"\nname = \"Oude knop\"\n"
    )
}

#[tokio::test]
async fn a_button_is_heard_over_udp_and_over_tls_and_the_desk_sees_by_which() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let doors = serve(&joiner, &buttons("")).await;
    // Over UDP, twice the same: one alarm, two answers.
    let press = frame("B007", Some(KEY), 1);
    for _ in 0..2 {
        assert_eq!(id_of(&ask_udp(doors.udp, &press).await.expect("an answer")), MessageId::Ack);
    }
    assert_eq!(id_of(&ask_udp(doors.udp, &frame("C001", None, 1)).await.expect("an answer")), MessageId::Ack);
    assert_eq!(id_of(&ask_udp(doors.udp, &frame("D999", None, 1)).await.expect("an answer")), MessageId::Duh);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(doors.root.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(doors.tls).await.unwrap();
    let name = rustls_pki_types::ServerName::IpAddress(doors.tls.ip().into());
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(&frame("B007", Some(KEY), 2)).await.unwrap();
    let mut reply = [0; 512];
    let length = tokio::time::timeout(PATIENCE, stream.read(&mut reply)).await.unwrap().unwrap();
    assert_eq!(id_of(&reply[..length]), MessageId::Ack);

    until("three alarms", || (town.sites[0].desk.alarms(true).unwrap().open == 3).then_some(())).await;
    assert_eq!(
        transports(&town),
        ["SIA DC-09, encrypted, over TLS", "SIA DC-09, encrypted, over UDP", "SIA DC-09, plain, over UDP"]
    );
}

#[tokio::test]
async fn a_real_dialler_is_satisfied_over_tcp_and_udp() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let doors = serve(&joiner, &buttons("")).await;
    for (number, (over, port)) in (1..).zip([("TCP", doors.tcp.port()), ("UDP", doors.udp.port())]) {
        let port = port.to_string();
        // It counts from 1 with each start, so that only the zone tells the second press from a repeat of the first.
        let zone = number.to_string();
        let arguments =
            ["--over", over, "--port", &port, "--account", "B007", "--key", KEY, "--code", "PA", "--zone", &zone];
        let answer = Peer::start("dc09_dialler.py", &arguments, &[]).next().await;
        assert_eq!(answer["sent"], true, "{over}: {answer}");
        until("its alarm", || (town.sites[0].desk.alarms(true).unwrap().open == number).then_some(())).await;
    }
    assert_eq!(transports(&town), ["SIA DC-09, encrypted", "SIA DC-09, encrypted, over UDP"]);
}

#[tokio::test]
async fn every_captured_frame_gets_its_answer_at_the_real_sockets_and_none_ends_the_bridge() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let doors = serve(&joiner, &buttons("")).await;
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../../tests/vectors/dc09.json")).unwrap();
    let mut answered = std::collections::BTreeMap::<String, u32>::new();
    for vector in &vectors {
        let frame = data_encoding::HEXLOWER.decode(vector["frame_hex"].as_str().unwrap().as_bytes()).unwrap();
        let mut stream = TcpStream::connect(doors.tcp).await.unwrap();
        stream.write_all(&frame).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut reply = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut reply)).await.expect("the line is closed").unwrap();
        let name = &vector["description"];
        let told = if reply.is_empty() { "silence".to_owned() } else { id_of(&reply).as_str().to_owned() };
        // A message for an account that is not known here is told so; a sender that does it wrong too. Bytes that no
        // longer say what was sent, and replies, are answered by nobody.
        let is_reply = frame
            .windows(6)
            .any(|part| [&b"\"ACK\""[..], b"*ACK\"#", b"\"NAK\""].iter().any(|id| part.starts_with(id)));
        if vector["valid"] == false {
            assert_eq!(told, "silence", "{name}");
        } else if !is_reply && told == "silence" {
            assert!(
                name.as_str().unwrap().contains("reply") || name.as_str().unwrap().contains("ACK"),
                "{name}: silence"
            );
        }
        *answered.entry(told).or_default() += 1;
    }
    assert!(answered["DUH"] > 0 && answered["NAK"] > 0 && answered["silence"] > 0, "{answered:?}");
    assert!(!answered.contains_key("ACK"), "{answered:?}");
    // Over UDP the same, each in a datagram.
    let socket = UdpSocket::bind(ANY).await.unwrap();
    for vector in &vectors {
        let frame = data_encoding::HEXLOWER.decode(vector["frame_hex"].as_str().unwrap().as_bytes()).unwrap();
        socket.send_to(&frame, doors.udp).await.unwrap();
    }
    let mut by_udp = std::collections::BTreeMap::<String, u32>::new();
    while by_udp.values().sum::<u32>() < answered["DUH"] + answered["NAK"] {
        let mut reply = [0; 4096];
        let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut reply)).await.expect("as many answers");
        *by_udp.entry(id_of(&reply[..received.unwrap().0]).as_str().to_owned()).or_default() += 1;
    }
    assert_eq!((by_udp["DUH"], by_udp["NAK"]), (answered["DUH"], answered["NAK"]));
    // All of it is counted, for whoever looks.
    let database = joiner.dir.path().to_owned();
    until("the counts", || {
        let db = inspect(&Disk::new(&database), DATABASE_FILE).unwrap();
        let counts = buttons::refused(&db).unwrap();
        let count = |code: &str| counts.iter().find(|(known, ..)| known == code).map_or(0, |(_, count, _)| *count);
        let all: u64 = counts.iter().map(|(_, count, _)| count).sum();
        (count("damaged") > 0 && count("unknown_account") > 0 && all >= 2 * vectors.len() as u64).then_some(())
    })
    .await;
    // And the bridge goes on.
    assert!(is_ack(&dial(doors.tcp, "B007", Some("ascii:FEDCBA9876543210"), 9, Event::Panic).await));
}

fn troubles(town: &Town) -> Vec<AlarmSummary> {
    let list = town.sites[0].desk.alarms(true).unwrap().alarms;
    list.into_iter().filter(|alarm| alarm.kind == Some(AlarmKind::Trouble)).collect()
}

#[tokio::test]
async fn a_silent_button_is_told_once_and_its_return_too_whatever_restarts() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    // The other button's time is longer, so that its silence tells when the first one's is over again.
    let toml = format!("{}supervise_s = 3\n", buttons("supervise_s = 1\n"));
    let doors = serve(&joiner, &toml).await;
    let about = |town: &Town, name: &str| -> Vec<AlarmSummary> {
        troubles(town).into_iter().filter(|trouble| trouble.text.contains(name)).collect()
    };
    let told = until("the silence", || about(&town, "Balie").pop()).await;
    assert!(told.text.contains("Balie (A. Testma)") && told.text.contains("never been heard"), "{}", told.text);
    // A restart tells nothing twice.
    doors.serving.abort();
    assert!(doors.serving.await.unwrap_err().is_cancelled());
    let doors = serve(&joiner, &toml).await;
    until("the other's silence", || about(&town, "Oude knop").pop()).await;
    assert_eq!(about(&town, "Balie").len(), 1);
    // It is heard: an update of the same alarm, and a press is still a press.
    assert!(is_ack(&dial(doors.tcp, "B007", Some("ascii:FEDCBA9876543210"), 1, Event::Panic).await));
    let desk = Arc::clone(&town.sites[0].desk);
    let detail =
        until("that it is back", || desk.alarm(told.alarm).unwrap().filter(|detail| !detail.updates.is_empty())).await;
    assert!(detail.updates[0].text.contains("heard again"), "{}", detail.updates[0].text);
    // Silent again: a second alarm of its own, that says since when.
    let another = || about(&town, "Balie").into_iter().find(|trouble| trouble.alarm != told.alarm);
    let second = until("the second silence", another).await;
    assert!(second.text.contains("not been heard since 20"), "{}", second.text);
}

#[tokio::test]
async fn a_low_battery_is_told_by_itself_and_with_the_next_press_until_it_is_charged() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let doors = serve(&joiner, &buttons("")).await;
    let key = Some("ascii:FEDCBA9876543210");
    let send = async |number, event| assert!(is_ack(&dial(doors.tcp, "B007", key, number, event).await), "{event:?}");
    send(1, Event::BatteryLow).await;
    send(2, Event::BatteryLow).await;
    let trouble = until("the battery", || troubles(&town).pop()).await;
    assert!(trouble.text.contains("battery of button Balie (A. Testma) is low"), "{}", trouble.text);
    send(3, Event::Panic).await;
    let desk = Arc::clone(&town.sites[0].desk);
    let press = || desk.alarms(true).unwrap().alarms.into_iter().find(|alarm| alarm.kind == Some(AlarmKind::Button));
    let pressed = until("the press", press).await;
    assert!(pressed.text.contains("battery low since 20"), "{}", pressed.text);
    send(4, Event::ManualTest).await;
    send(5, Event::BatteryRestored).await;
    let detail =
        until("the charged battery", || desk.alarm(trouble.alarm).unwrap().filter(|detail| !detail.updates.is_empty()))
            .await;
    assert!(detail.updates[0].text.contains("well again"), "{}", detail.updates[0].text);
    // A restoral is passed on with the alarm that it ends, and ends nothing itself.
    send(6, Event::Panic).await;
    send(7, Event::PanicWithdrawn).await;
    let restored = until("the restoral", || {
        let alarms = desk.alarms(true).unwrap().alarms.into_iter();
        let mut details = alarms.filter_map(|alarm| desk.alarm(alarm.alarm).unwrap());
        details.find(|detail| detail.updates.iter().any(|update| update.text.contains("restoral")))
    })
    .await;
    assert_eq!((restored.summary.kind, restored.summary.ringing), (Some(AlarmKind::Button), true));
    assert!(!restored.summary.text.contains("battery"), "{}", restored.summary.text);
    // Two presses, a test, and one alarm about the battery.
    assert_eq!(desk.alarms(true).unwrap().open, 4);

    let state = until("all of it in the bridge's own words", || {
        let db = inspect(&Disk::new(joiner.dir.path()), DATABASE_FILE).unwrap();
        let state = buttons::state(&db, &"B007".parse().unwrap()).map_err(StoreError::from).unwrap();
        state.heard_at.is_some().then_some(state)
    })
    .await;
    assert!(state.pressed_at.is_some() && state.tested_at.is_some());
    assert!(!state.troubles.iter().any(|trouble| trouble.kind == TroubleKind::BatteryLow));
    // And as a keeper asks for it, while the bridge runs.
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_baken-server"))
        .args(["bridge", "buttons", "--json", "--data"])
        .arg(joiner.dir.path())
        .output()
        .unwrap();
    assert!(program.status.success(), "{program:?}");
    let said: Value = serde_json::from_slice(&program.stdout).unwrap();
    let button = said["buttons"].as_array().unwrap().iter().find(|button| button["account"] == "B007").unwrap();
    assert_eq!((&button["name"], &button["person"]), (&"Balie".into(), &"A. Testma".into()));
    assert!(button["heard_at"].is_string() && button["tested_at"].is_string() && button["battery_low_since"].is_null());
    assert!(!program.stdout.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "no key is shown");
}
