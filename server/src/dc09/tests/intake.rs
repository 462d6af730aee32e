//! The receiver, spoken to by hand over a line in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use super::super::receiver::{Answer, Handler, Known, Limits, Received, Receiver, Refusal};
use super::super::{Account, Coding, Frame, FrameError, Key, Message, MessageId, Report, Sequence, read_time};
use super::{NOON_ISH, Standing, account, key, rng};
use crate::dc09::events::Event;

/// What the handler saw, in order.
#[derive(Debug, Default)]
struct Seen {
    received: Vec<Message>,
    refused: Vec<Refusal>,
}

/// `5678` sends in the clear, `1234` enciphered; nobody else is known.
struct Bridge {
    seen: Arc<Mutex<Seen>>,
    answer: Option<Answer>,
}

impl Handler for Bridge {
    async fn known(&self, account: &Account) -> Known {
        match account.as_str() {
            "5678" => Known::Plain,
            "1234" => Known::Enciphered(key()),
            _ => Known::No,
        }
    }

    async fn received(&self, received: Received) -> Answer {
        self.seen.lock().unwrap().received.push(received.message);
        match self.answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn refused(&self, refusal: Refusal, _: SocketAddr) {
        self.seen.lock().unwrap().refused.push(refusal);
    }
}

/// A line to a receiver, and what its handler saw.
struct Line {
    panel: DuplexStream,
    seen: Arc<Mutex<Seen>>,
    receiver: JoinHandle<std::io::Result<()>>,
}

fn line(answer: Option<Answer>) -> Line {
    let (panel, far) = tokio::io::duplex(8192);
    let seen = Arc::default();
    let bridge = Bridge { seen: Arc::clone(&seen), answer };
    let clock = Arc::new(Standing::at(NOON_ISH));
    let receiver = Receiver::new(bridge, clock, Box::new(rng()), Limits::default());
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    Line { panel, seen, receiver: tokio::spawn(async move { receiver.converse(far, peer).await }) }
}

impl Line {
    async fn reply(&mut self) -> Vec<u8> {
        let mut reply = Vec::new();
        while reply.last() != Some(&b'\r') {
            reply.push(self.panel.read_u8().await.expect("the receiver answers"));
        }
        reply
    }

    /// Sends, closes, and gives all that is answered.
    async fn ask(mut self, bytes: &[u8]) -> (Vec<u8>, Seen) {
        self.panel.write_all(bytes).await.unwrap();
        self.panel.shutdown().await.unwrap();
        let mut replies = Vec::new();
        self.panel.read_to_end(&mut replies).await.unwrap();
        self.receiver.await.unwrap().unwrap();
        (replies, std::mem::take(&mut *self.seen.lock().unwrap()))
    }
}

fn alarm(text: &str, key: Option<&Key>, made_at_ms: i64) -> Vec<u8> {
    let report = Report {
        event: Event::Panic,
        text: "balie".to_owned(),
        position: None,
        occurred_at: NOON_ISH,
        verify_at: None,
    };
    let mut message = Coding::new(account(text)).message(Sequence::FIRST, &report);
    message.content.made_at = Some(NOON_ISH.plus_ms(made_at_ms));
    message.write(key, &mut rng()).unwrap()
}

fn id_of(reply: &[u8]) -> MessageId {
    Frame::read(reply).unwrap().header.id
}

#[tokio::test]
async fn a_frame_in_single_bytes_and_two_in_one_segment_are_each_answered() {
    let mut line = line(Some(Answer::Ack));
    let frame = alarm("5678", None, 0);
    for byte in &frame {
        line.panel.write_all(&[*byte]).await.unwrap();
    }
    assert_eq!(id_of(&line.reply().await), MessageId::Ack);
    line.panel.write_all(&[frame.clone(), vec![0], frame].concat()).await.unwrap();
    assert_eq!(id_of(&line.reply().await), MessageId::Ack);
    assert_eq!(id_of(&line.reply().await), MessageId::Ack);
    let (rest, seen) = line.ask(b"").await;
    assert!(rest.is_empty());
    assert_eq!(seen.received.len(), 3, "repeats are the handler's to tell");
    assert_eq!(seen.received[0].fingerprint(), seen.received[2].fingerprint());
}

#[tokio::test]
async fn an_enciphered_alarm_is_acknowledged_enciphered() {
    let (reply, seen) = line(Some(Answer::Ack)).ask(&alarm("1234", Some(&key()), 0)).await;
    let reply = Message::read(&reply, Some(&key())).unwrap();
    assert!(reply.header.encrypted);
    assert_eq!(reply.header.id, MessageId::Ack);
    assert_eq!(reply.content.made_at, Some(NOON_ISH));
    assert_eq!(seen.received[0].content.data, "#1234|Nri1/PA0|Abalie");
    assert!(seen.refused.is_empty());
}

#[tokio::test]
async fn a_plain_frame_to_an_account_with_a_key_is_refused_and_reported() {
    let (reply, seen) = line(Some(Answer::Ack)).ask(&alarm("1234", None, 0)).await;
    assert_eq!(id_of(&reply), MessageId::Duh);
    assert_eq!(seen.refused, [Refusal::Downgraded(account("1234"))]);
    assert!(seen.received.is_empty());
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_key_are_refused_and_reported() {
    let (reply, seen) = line(Some(Answer::Ack)).ask(&alarm("9999", None, 0)).await;
    assert_eq!(id_of(&reply), MessageId::Duh);
    assert_eq!(seen.refused, [Refusal::UnknownAccount(account("9999"))]);

    let other: Key = "ascii:FEDCBA9876543210".parse().unwrap();
    for (account_text, key) in [("1234", &other), ("5678", &key())] {
        let (reply, seen) = line(Some(Answer::Ack)).ask(&alarm(account_text, Some(key), 0)).await;
        assert_eq!(id_of(&reply), MessageId::Nak);
        assert_eq!(seen.refused, [Refusal::NotOpened(account(account_text))]);
        assert!(seen.received.is_empty());
    }
}

#[tokio::test]
async fn an_enciphered_frame_out_of_time_gets_the_right_time_and_a_plain_one_is_taken() {
    for made_at_ms in [-41_000, 21_000] {
        let (reply, seen) = line(Some(Answer::Ack)).ask(&alarm("1234", Some(&key()), made_at_ms)).await;
        let reply = Message::read(&reply, None).unwrap();
        assert_eq!((reply.header.id, reply.content.made_at), (MessageId::Nak, Some(NOON_ISH)));
        assert_eq!(seen.refused, [Refusal::OutOfTime { account: account("1234"), ahead_ms: made_at_ms }]);
    }
    for made_at_ms in [-40_000, 20_000] {
        let (_, seen) = line(Some(Answer::Ack)).ask(&alarm("1234", Some(&key()), made_at_ms)).await;
        assert_eq!(seen.received.len(), 1);
    }
    let (reply, seen) = line(Some(Answer::Ack)).ask(&alarm("5678", None, -86_400_000)).await;
    assert_eq!(id_of(&reply), MessageId::Ack);
    assert_eq!(seen.received.len(), 1);
}

#[tokio::test]
async fn damage_is_not_answered_and_a_malformed_frame_gets_a_nak() {
    let mut damaged = alarm("5678", None, 0);
    damaged[20] ^= 1;
    let (reply, seen) = line(Some(Answer::Ack)).ask(&damaged).await;
    assert!(reply.is_empty());
    assert_eq!(seen.refused, [Refusal::Damaged]);

    // A good check, and no line number.
    let (reply, seen) = line(Some(Answer::Ack)).ask(b"\n9E0F0020\"SIA-DCS\"0001#1234[#1234|NPA501]\r").await;
    assert_eq!(id_of(&reply), MessageId::Nak);
    assert!(matches!(seen.refused[..], [Refusal::Malformed(FrameError::Header { .. })]), "{seen:?}");
}

#[tokio::test]
async fn a_reply_that_comes_in_is_never_answered() {
    let (reply, seen) = line(Some(Answer::Ack)).ask(b"\n6F2B0014\"ACK\"0000R0L0#5678[]\r").await;
    assert!(reply.is_empty());
    assert_eq!(seen.refused.len(), 1);
    let nak = super::super::reply::nak(read_time("16:54:57,11-23-2026").unwrap()).unwrap();
    let (reply, _) = line(Some(Answer::Ack)).ask(&nak).await;
    assert!(reply.is_empty());
}

#[tokio::test]
async fn each_answer_of_the_handler_goes_out_as_what_it_is() {
    for (answer, expected) in [(Answer::Nak, MessageId::Nak), (Answer::Duh, MessageId::Duh)] {
        let (reply, _) = line(Some(answer)).ask(&alarm("5678", None, 0)).await;
        assert_eq!(id_of(&reply), expected);
    }
    let (reply, _) = line(Some(Answer::Silence)).ask(&alarm("5678", None, 0)).await;
    assert!(reply.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_costs_the_answer_and_is_reported() {
    let (reply, seen) = line(None).ask(&alarm("5678", None, 0)).await;
    assert!(reply.is_empty(), "no acknowledgement of what is not kept");
    assert_eq!(seen.refused, [Refusal::Unanswered(account("5678"))]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_dawdles_within_a_frame_is_closed_long_before_an_idle_one() {
    let started = tokio::time::Instant::now();
    let mut slow = line(Some(Answer::Ack));
    slow.panel.write_all(b"\n3BC6").await.unwrap();
    assert!(slow.panel.read_u8().await.is_err(), "closed");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());

    let started = tokio::time::Instant::now();
    let mut idle = line(Some(Answer::Ack));
    assert!(idle.panel.read_u8().await.is_err(), "closed");
    assert!(started.elapsed() >= Limits::default().idle);
}
