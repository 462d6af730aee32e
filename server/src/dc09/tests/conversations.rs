//! The sender, against receivers that answer by a script over a line in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use baken_schemas::alarm::Position;
use baken_schemas::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::super::events::Event;
use super::super::reply;
use super::super::sender::{Centre, Network, Sender};
use super::super::{Account, Coding, Form, Frame, Framer, Message, MessageId, Report, Sequence};
use super::{NOON_ISH, Standing, account, key, rng};
use crate::channel::{Outcome, Why};

/// What a receiver does with each frame, one after the other; the last goes for all that follow.
#[derive(Debug, Clone, Copy)]
enum Does {
    Ack,
    AckPlain,
    AckAt(Timestamp),
    AckOther,
    Nak(Timestamp),
    BareNak,
    Duh,
    Empty,
    Hang,
    Close,
    Refuse,
}

/// Which receiver got which bytes.
type Caught = Vec<(String, Vec<u8>)>;

/// Receivers by address, and the frames they got.
#[derive(Default, Clone)]
struct Town {
    scripts: Arc<Mutex<BTreeMap<String, Vec<Does>>>>,
    frames: Arc<Mutex<Caught>>,
}

impl Town {
    fn of(scripts: &[(&str, &[Does])]) -> Self {
        let town = Self::default();
        for (address, script) in scripts {
            town.script(address, script);
        }
        town
    }

    fn script(&self, address: &str, script: &[Does]) {
        self.scripts.lock().unwrap().insert(address.to_owned(), script.to_vec());
    }

    fn next(&self, address: &str) -> Does {
        let mut scripts = self.scripts.lock().unwrap();
        let script = scripts.get_mut(address).expect("a receiver lives there");
        if script.len() > 1 { script.remove(0) } else { script[0] }
    }

    fn frames(&self) -> Vec<(String, Message)> {
        let read = |(at, bytes): &(String, Vec<u8>)| (at.clone(), Message::read(bytes, Some(&key())).unwrap());
        self.frames.lock().unwrap().iter().map(read).collect()
    }
}

impl Network for Town {
    type Stream = DuplexStream;

    async fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        if matches!(self.scripts.lock().unwrap().get(address).map(|script| script[0]), None | Some(Does::Refuse)) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = tokio::io::duplex(8192);
        tokio::spawn(attend(self.clone(), address.to_owned(), far));
        Ok(near)
    }
}

async fn attend(town: Town, address: String, mut line: DuplexStream) {
    let mut framer = Framer::default();
    while let Ok(byte) = line.read_u8().await {
        let Some(bytes) = framer.push(byte) else { continue };
        let header = Frame::read(&bytes).unwrap().header;
        town.frames.lock().unwrap().push((address.clone(), bytes));
        let key = header.encrypted.then(key);
        let ack_at = |at| reply::ack(&header, key.as_ref(), at, &mut rng()).unwrap();
        let answer = match town.next(&address) {
            Does::Ack => ack_at(NOON_ISH),
            Does::AckAt(at) => ack_at(at),
            Does::AckPlain => reply::ack(&header, None, NOON_ISH, &mut rng()).unwrap(),
            Does::AckOther => {
                let other = super::super::Header { sequence: header.sequence.next(), ..header.clone() };
                reply::ack(&other, key.as_ref(), NOON_ISH, &mut rng()).unwrap()
            }
            Does::Nak(at) => reply::nak(at).unwrap(),
            Does::BareNak => b"\"NAK\"".to_vec(),
            Does::Duh => reply::duh(&header).unwrap(),
            Does::Empty => b"\n\r".to_vec(),
            Does::Hang => continue,
            Does::Close | Does::Refuse => return,
        };
        // In two pieces, as networks do.
        let (head, tail) = answer.split_at(answer.len() / 2);
        line.write_all(head).await.unwrap();
        tokio::task::yield_now().await;
        line.write_all(tail).await.unwrap();
    }
}

fn sender(town: &Town, enciphered: bool, back_up: bool) -> Sender<Town> {
    let mut centre = Centre::new("main:1", Coding::new(account("1234")), enciphered.then(key));
    centre.back_up = back_up.then(|| "back-up:1".to_owned());
    Sender::over(town.clone(), centre, Arc::new(Standing::at(NOON_ISH)))
}

fn report() -> Report {
    Report {
        event: Event::Panic,
        text: "Noodknop raadzaal".to_owned(),
        position: Some(Position { latitude_e7: 523_717_500, longitude_e7: 48_903_500, accuracy_m: 12, age_s: 4 }),
        occurred_at: NOON_ISH,
        verify_at: None,
    }
}

async fn sent(town: &Town, enciphered: bool, back_up: bool) -> Outcome {
    sender(town, enciphered, back_up).send("0042".parse().unwrap(), &report(), &mut rng()).await
}

fn delivered_by(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Delivered(answer) => &answer.by,
        other => panic!("not delivered: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_delivers_plain_and_enciphered() {
    for enciphered in [false, true] {
        let town = Town::of(&[("main:1", &[Does::Ack])]);
        let outcome = sent(&town, enciphered, false).await;
        assert_eq!(delivered_by(&outcome), "main");
        let frames = town.frames();
        assert_eq!(frames.len(), 1);
        let content = &frames[0].1.content;
        assert_eq!(content.data, "#1234|Nri1/PA0|ANoodknop raadzaal");
        assert_eq!(content.position_e7(), Some((523_717_500, 48_903_500)));
        assert_eq!(content.element('I'), Some("positie op 12 m, 4 s oud"));
        assert_eq!(content.occurred_at(), Some(NOON_ISH));
        assert_eq!(frames[0].1.header.receiver.as_ref().unwrap().as_str(), "0");
    }
}

#[tokio::test(start_paused = true)]
async fn a_nak_sets_the_clock_once_and_the_same_message_goes_again() {
    let theirs = NOON_ISH.plus_ms(3_600_000);
    let town = Town::of(&[("main:1", &[Does::Nak(theirs), Does::AckAt(theirs)])]);
    let outcome = sent(&town, true, false).await;
    assert_eq!(delivered_by(&outcome), "main");
    let frames = town.frames();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0].1.fingerprint(), frames[1].1.fingerprint());
    assert_eq!(frames[0].1.content.made_at, Some(NOON_ISH));
    assert_eq!(frames[1].1.content.made_at, Some(theirs));
}

#[tokio::test(start_paused = true)]
async fn a_second_nak_ends_the_try_and_says_how_far_the_clocks_are_apart() {
    let theirs = NOON_ISH.plus_ms(-90_000);
    let town = Town::of(&[("main:1", &[Does::Nak(theirs)])]);
    let outcome = sent(&town, true, false).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::NotTaken { clock_ahead_ms: Some(-90_000) } });
    assert_eq!(town.frames().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_weeks_off_is_not_followed() {
    let town = Town::of(&[("main:1", &[Does::Nak(NOON_ISH.plus_ms(-30 * 86_400_000))])]);
    let outcome = sent(&town, true, false).await;
    assert!(matches!(outcome, Outcome::Retry { why: Why::NotTaken { .. } }), "{outcome:?}");
    assert!(town.frames().iter().all(|(_, message)| message.content.made_at == Some(NOON_ISH)));
}

#[tokio::test(start_paused = true)]
async fn duh_is_said_once_and_the_back_up_is_asked() {
    let town = Town::of(&[("main:1", &[Does::Duh]), ("back-up:1", &[Does::Ack])]);
    let outcome = sent(&town, false, true).await;
    assert_eq!(delivered_by(&outcome), "back-up");
    let at: Vec<String> = town.frames().into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, ["main:1", "back-up:1"]);

    let town = Town::of(&[("main:1", &[Does::Duh]), ("back-up:1", &[Does::Duh])]);
    assert_eq!(sent(&town, false, true).await, Outcome::Refused { why: Why::NotUnderstood });
    // As long as one of them may yet take it, trying goes on.
    let town = Town::of(&[("main:1", &[Does::Duh]), ("back-up:1", &[Does::Refuse])]);
    assert_eq!(sent(&town, false, true).await, Outcome::Retry { why: Why::Unreachable });
}

#[tokio::test(start_paused = true)]
async fn a_dead_or_silent_main_receiver_costs_time_and_no_alarm() {
    for main in [Does::Refuse, Does::Hang, Does::Close] {
        let town = Town::of(&[("main:1", &[main]), ("back-up:1", &[Does::Ack])]);
        let outcome = sent(&town, true, true).await;
        assert_eq!(delivered_by(&outcome), "back-up", "{main:?}");
        let prints: Vec<[u8; 32]> = town.frames().iter().map(|(_, message)| message.fingerprint()).collect();
        assert!(prints.windows(2).all(|pair| pair[0] == pair[1]), "the same message to both");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_right_acknowledgement_counts() {
    for (does, why) in [
        (Does::AckOther, Why::WrongAnswer),
        (Does::AckPlain, Why::WrongAnswer),
        (Does::Empty, Why::WrongAnswer),
        (Does::BareNak, Why::NotTaken { clock_ahead_ms: None }),
        (Does::AckAt(NOON_ISH.plus_ms(-60_000)), Why::StaleAnswer { clock_ahead_ms: -60_000 }),
        (Does::Hang, Why::NoAnswer { waited_ms: 5_000 }),
        (Does::Close, Why::Broken),
        (Does::Refuse, Why::Unreachable),
    ] {
        let town = Town::of(&[("main:1", &[does])]);
        assert_eq!(sent(&town, true, false).await, Outcome::Retry { why }, "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn contact_id_goes_out_in_its_own_form() {
    let town = Town::of(&[("main:1", &[Does::Ack])]);
    let mut coding = Coding::new(account("1234"));
    (coding.form, coding.area, coding.zone) = (Form::AdmCid, 1, 501);
    let sender = Sender::over(town.clone(), Centre::new("main:1", coding, None), Arc::new(Standing::at(NOON_ISH)));
    let outcome = sender.send(Sequence::FIRST, &report(), &mut rng()).await;
    assert_eq!(delivered_by(&outcome), "main");
    let message = &town.frames()[0].1;
    assert_eq!(message.header.id, MessageId::AdmCid);
    assert_eq!(message.content.data, "#1234|1120 01 501");
    assert_eq!(message.content.element('I'), Some("Noodknop raadzaal"));
}

#[tokio::test(start_paused = true)]
async fn a_message_with_the_most_of_everything_fits_receivers_that_read_a_thousand_bytes() {
    let mut coding = Coding::new("0123456789ABCDEF".parse::<Account>().unwrap());
    (coding.receiver, coding.line, coding.zone) = ("ABCDEF".parse().unwrap(), "ABCDEF".parse().unwrap(), 999);
    let report = Report {
        text: "Ö".repeat(500),
        verify_at: Some(format!("https://desk.example/{}", "x".repeat(75))),
        position: Some(Position {
            latitude_e7: -899_999_999,
            longitude_e7: -1_799_999_999,
            accuracy_m: u32::MAX,
            age_s: u32::MAX,
        }),
        ..report()
    };
    let mut message = coding.message("9999".parse().unwrap(), &report);
    message.content.made_at = Some(Standing::at(NOON_ISH).now());
    assert!(message.content.element('V').is_some());
    let longest = (0..64).map(|_| message.write(Some(&key()), &mut rng()).unwrap().len()).max().unwrap();
    assert!(longest <= 1000, "{longest} bytes");
}

#[test]
fn a_centre_is_read_from_configuration_and_shows_no_key() {
    let read = serde_json::from_str::<Centre>;
    let centre =
        read(r#"{"main":"pac.example:17000","coding":{"account":"0012"},"key":"ascii:0123456789ABCDEF"}"#).unwrap();
    assert_eq!((centre.back_up.as_deref(), centre.timeout_ms, centre.coding.area), (None, 5_000, 1));
    let shown = format!("{centre:?}");
    assert!(!shown.contains("0123456789ABCDEF") && !shown.contains("0012"), "{shown}");
    assert!(read(r#"{"main":"pac.example:17000","coding":{"account":"12"}}"#).is_err());
    assert!(read(r#"{"main":"pac.example:17000","coding":{"account":"1234"},"key":"0123456789ABCDEF"}"#).is_err());
}
