//! The bridge against a real relay, a real desk, and a dialler that speaks DC-09.

mod lines;
mod sms;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, Provenance};
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{Invite, InviteRole, RelayEntry};
use baken_schemas::time::{Clock as _, SystemClock};
use baken_server::bridge::{Bridge, BridgeParts, read_buttons, run};
use baken_server::channel::{Outcome, Why};
use baken_server::dc09::events::Event;
use baken_server::dc09::sender::{Centre, Sender};
use baken_server::dc09::{Coding, Key, Report, Sequence};
use baken_server::desk::SignatureView;
use baken_server::join::{JoinError, Joined, join};
use baken_server::org::DirectoryChange;
use baken_server::store::{Disk, StoreOptions};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::desk::town::{ANY, Town, listen, until};

const BUTTONS: &str = "[[button]]\naccount = \"B007\"\nname = \"Balie stadhuis\"\nkey = \"ascii:FEDCBA9876543210\"\n\
                       [[button]]\naccount = \"C001\"\nname = \"Oude knop\"\n";

struct Joiner {
    dir: TempDir,
    keys: DeviceKeys,
    joined: Joined,
}

impl Joiner {
    async fn new(town: &mut Town) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("bridge.toml"), BUTTONS).unwrap();
        let invite = town.invite("Balie stadhuis", InviteRole::Bridge).await;
        let keys = DeviceKeys::make(&mut town.rng);
        let joined = join(&Invite::to_text(&invite), InviteRole::Bridge, &keys, SystemClock.now()).await.unwrap();
        Self { dir, keys, joined }
    }

    fn open(&self) -> Bridge {
        let parts = BridgeParts {
            keys: self.keys.clone(),
            account: self.joined.account,
            desk_key: self.joined.desk_key.clone(),
            directory: self.joined.directory.clone(),
            buttons: read_buttons(self.dir.path()).unwrap(),
            language: Language::En,
            clock: Arc::new(SystemClock),
            rng: Box::new(ChaCha20Rng::seed_from_u64(8)),
        };
        let disk: &Path = self.dir.path();
        Bridge::open(&Disk::new(disk), StoreOptions::default(), parts).unwrap()
    }

    async fn serve(&self) -> (SocketAddr, JoinHandle<()>) {
        Self::serve_bridge(Arc::new(self.open())).await
    }

    async fn serve_bridge(bridge: Arc<Bridge>) -> (SocketAddr, JoinHandle<()>) {
        let (listener, address) = listen(ANY).await;
        let serving = tokio::spawn(async move {
            run::serve(bridge, listener, Box::new(|_| {}), std::future::pending()).await.unwrap();
        });
        (address, serving)
    }
}

/// A button's dialler: one press.
async fn dial(bridge: SocketAddr, account: &str, key: Option<&str>, number: u16, event: Event) -> Outcome {
    let key = key.map(|key| key.parse::<Key>().unwrap());
    let mut centre = Centre::new(bridge.to_string(), Coding::new(account.parse().unwrap()), key);
    // Longer than the bridge takes to make up its mind.
    centre.timeout_ms = 5_000;
    let report = Report {
        event,
        text: "Noodknop".to_owned(),
        position: None,
        occurred_at: baken_schemas::time::Timestamp(1_795_000_000_000),
        verify_at: None,
    };
    let sender = Sender::new(centre, Arc::new(SystemClock));
    sender.send(Sequence::try_from(number).unwrap(), &report, &mut ChaCha20Rng::seed_from_u64(9)).await
}

async fn press(bridge: SocketAddr, number: u16) -> Outcome {
    dial(bridge, "B007", Some("ascii:FEDCBA9876543210"), number, Event::Panic).await
}

fn is_ack(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Delivered(answer) if answer.answer == "ACK")
}

#[tokio::test]
async fn a_button_becomes_an_alarm_that_says_where_it_came_from() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let (address, _serving) = joiner.serve().await;
    let pressed = press(address, 1).await;
    assert!(is_ack(&pressed), "{pressed:?}");
    let desk = &town.sites[0].desk;
    let shown = until("the button's alarm, by a bridge that is known", || {
        let list = desk.alarms(true).unwrap();
        list.alarms.into_iter().find(|alarm| alarm.signature == SignatureView::Proven)
    })
    .await;
    assert_eq!(shown.kind, Some(AlarmKind::Button));
    let provenance =
        Provenance::Button { button: "Balie stadhuis".to_owned(), transport: "SIA DC-09, encrypted".to_owned() };
    assert_eq!(shown.provenance, Some(provenance));
    assert_eq!(shown.person.unwrap().name, "Balie stadhuis");
    assert!(shown.text.contains("Noodknop"), "{}", shown.text);

    // The same message again, as when the answer was lost: the same alarm.
    assert!(is_ack(&press(address, 1).await));
    // Supervision and a restored line raise nothing; another number is another press.
    assert!(is_ack(&dial(address, "B007", Some("ascii:FEDCBA9876543210"), 2, Event::BatteryRestored).await));
    assert!(is_ack(&dial(address, "C001", None, 3, Event::Medical).await));
    let list = until("the third message's alarm", || {
        let list = desk.alarms(true).unwrap().alarms;
        (list.len() >= 2).then_some(list)
    })
    .await;
    assert_eq!(list.len(), 2);
    assert_eq!(list[1].kind, Some(AlarmKind::Medical));
    let transport = match &list[1].provenance {
        Some(Provenance::Button { transport, .. }) => transport.as_str(),
        other => panic!("{other:?}"),
    };
    assert_eq!(transport, "SIA DC-09, plain");
}

#[tokio::test]
async fn i1_no_ack_while_the_relay_is_away_and_the_press_is_not_lost() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let (address, serving) = joiner.serve().await;
    assert!(is_ack(&press(address, 1).await));
    town.stop_relay().await;
    let outcome = press(address, 2).await;
    assert!(matches!(outcome, Outcome::Retry { why: Why::NoAnswer { .. } }), "{outcome:?}");
    // Even the bridge dies meanwhile.
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    let (address, _serving) = joiner.serve().await;
    town.start_relay().await;
    let desk = Arc::clone(&town.sites[0].desk);
    until("the press that got no answer", || (desk.alarms(true).unwrap().alarms.len() == 2).then_some(())).await;
    // The dialler comes back with it: the same alarm, now acknowledged.
    assert!(is_ack(&press(address, 2).await));
    assert_eq!(desk.alarms(true).unwrap().alarms.len(), 2);
}

#[tokio::test]
async fn i1_a_press_outlives_a_relay_that_says_it_has_another_alarm_by_that_id() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let (address, _serving) = joiner.serve().await;
    assert!(is_ack(&press(address, 1).await));
    town.stop_relay().await;
    let told = town.start_liar().await;
    let outcome = press(address, 2).await;
    assert!(matches!(outcome, Outcome::Retry { why: Why::NoAnswer { .. } }), "{outcome:?}");
    until("a second try after the lie", || (told.load(Ordering::SeqCst) >= 2).then_some(())).await;
    town.stop_relay().await;
    town.start_relay().await;
    let desk = Arc::clone(&town.sites[0].desk);
    until("the press that was lied about", || (desk.alarms(true).unwrap().alarms.len() == 2).then_some(())).await;
    assert!(is_ack(&press(address, 2).await));
    assert_eq!(desk.alarms(true).unwrap().alarms.len(), 2);
}

#[tokio::test]
async fn i1_a_press_finds_a_relay_that_has_moved() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let bridge = Arc::new(joiner.open());
    let (address, _serving) = Joiner::serve_bridge(Arc::clone(&bridge)).await;
    assert!(is_ack(&press(address, 1).await));
    // A new directory says where the relay will be; then it is there, and nowhere else.
    let (listener, there) = listen(ANY).await;
    let entry = RelayEntry { urls: vec![format!("https://{there}")], ..town.relay_entry.clone() };
    let change = DirectoryChange { relay: Some(entry.clone()), ..DirectoryChange::default() };
    let documents = town.org.sign_directory(change, SystemClock.now(), &mut town.rng).unwrap();
    town.publish(&documents).await;
    let keep: run::KeepDirectory = Box::new(|_| {});
    bridge.refresh(&keep).await.unwrap();
    town.move_relay(listener, entry).await;
    let pressed = press(address, 2).await;
    assert!(is_ack(&pressed), "{pressed:?}");
}

#[tokio::test]
async fn who_has_no_key_presses_no_button() {
    let mut town = Town::new(&["Oost"], "").await;
    let joiner = Joiner::new(&mut town).await;
    let (address, _serving) = joiner.serve().await;
    for (account, key) in [
        ("B007", None),
        ("B007", Some("ascii:0000000000000000")),
        ("D999", None),
        ("C001", Some("ascii:FEDCBA9876543210")),
    ] {
        let outcome = dial(address, account, key, 1, Event::Panic).await;
        assert!(!is_ack(&outcome), "{account} {key:?}: {outcome:?}");
    }
    // A sign that the way is open: the true one goes through, and is the only one.
    assert!(is_ack(&press(address, 1).await));
    let desk = &town.sites[0].desk;
    until("the true press", || (!desk.alarms(true).unwrap().alarms.is_empty()).then_some(())).await;
    assert_eq!(desk.alarms(true).unwrap().alarms.len(), 1);
}

#[tokio::test]
async fn an_invite_makes_one_bridge_once() {
    let mut town = Town::new(&["Oost"], "").await;
    let invite = Invite::to_text(&town.invite("Balie", InviteRole::Bridge).await);
    let (keys, others) = (DeviceKeys::make(&mut town.rng), DeviceKeys::make(&mut town.rng));
    let now = SystemClock.now();
    let joined = join(&invite, InviteRole::Bridge, &keys, now).await.unwrap();
    // Again with the same keys, as after a lost answer.
    assert_eq!(join(&invite, InviteRole::Bridge, &keys, now).await.unwrap().account, joined.account);
    let used = join(&invite, InviteRole::Bridge, &others, now).await;
    assert!(matches!(used, Err(JoinError::Relay(_))), "{used:?}");
    let phones = Invite::to_text(&town.invite("Ans Testma", InviteRole::OfficeHolder).await);
    assert!(matches!(
        join(&phones, InviteRole::Bridge, &others, now).await,
        Err(JoinError::OtherRole { wanted: "bridge" })
    ));
    let late = Invite::to_text(&town.invite("Balie", InviteRole::Bridge).await);
    assert!(matches!(join(&late, InviteRole::Bridge, &others, now.plus_ms(7_200_000)).await, Err(JoinError::Expired)));
    let mistyped = invite.replacen('A', "B", 3);
    assert!(matches!(join(&mistyped, InviteRole::Bridge, &others, now).await, Err(JoinError::Format(_))));
}
