//! The frames of `tests/vectors/dc09.json`, captured between public diallers and receivers: what each says, what this
//! receiver answers to it, and what this sender makes of the answer it got.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use baken_schemas::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::receiver::{Answer, Handler, Known, Limits, Received, Receiver, Refusal};
use super::super::reply::{Outstanding, Verdict, judge};
use super::super::{Account, Frame, Key, Message, MessageId, read_time, write_time};
use super::{NOON_ISH, Standing, rng};

#[derive(Deserialize)]
struct Vector {
    description: String,
    frame_hex: String,
    key_hex: Option<String>,
    decoded: Value,
    valid: bool,
    expected_reply: Option<Reply>,
    observed_reply: Option<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    kind: String,
    hex: Option<String>,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(self.frame_hex.as_bytes()).unwrap()
    }

    fn key(&self) -> Option<Key> {
        self.key_hex.as_ref().map(|hex| format!("hex:{hex}").parse().unwrap())
    }

    /// One dialler leaves the line number out when it is not set up.
    fn lacks_line(&self) -> bool {
        self.decoded.get("lpref") == Some(&Value::Null)
    }

    fn made_at(&self) -> Option<Timestamp> {
        self.decoded["timestamp"].as_str().map(|text| read_time(text).unwrap())
    }
}

fn vectors() -> Vec<Vector> {
    let found: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../tests/vectors/dc09.json")).expect("the vectors are JSON");
    assert!(found.len() >= 28, "vectors are missing");
    found
}

fn text<'a>(decoded: &'a Value, field: &str) -> Option<&'a str> {
    decoded[field].as_str()
}

/// The file holds bytes as Latin-1 characters.
fn as_read(latin1: &str) -> String {
    let bytes: Vec<u8> = latin1.chars().map(|character| u8::try_from(character).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_valid_frame_says_what_was_captured() {
    for vector in vectors().iter().filter(|vector| vector.valid && !vector.lacks_line()) {
        let name = &vector.description;
        let message = Message::read(&vector.bytes(), vector.key().as_ref()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let decoded = &vector.decoded;
        if decoded.get("id").is_none() {
            assert_eq!(message.header.id, MessageId::Nak, "{name}");
            assert!(message.content.made_at.is_some(), "{name}");
            continue;
        }
        assert_eq!(Some(message.header.id.as_str()), text(decoded, "id"), "{name}");
        assert_eq!(Some(message.header.sequence.to_string().as_str()), text(decoded, "seq"), "{name}");
        assert_eq!(message.header.receiver.as_ref().map(|r| r.as_str()), text(decoded, "rcvr"), "{name}");
        assert_eq!(Some(message.header.line.as_str()), text(decoded, "lpref"), "{name}");
        assert_eq!(message.header.account.as_ref().map(Account::as_str), text(decoded, "acct"), "{name}");
        assert_eq!(Some(message.header.encrypted), decoded["encrypted"].as_bool(), "{name}");
        assert_eq!(Some(message.content.data.as_str()), text(decoded, "data"), "{name}");
        assert_eq!(message.content.made_at, vector.made_at(), "{name}");
        let elements: Vec<String> =
            message.content.elements.iter().map(|element| format!("{}{}", element.letter, element.value)).collect();
        let expected: Vec<String> =
            decoded["xdata"].as_array().unwrap().iter().map(|element| as_read(element.as_str().unwrap())).collect();
        assert_eq!(elements, expected, "{name}");
    }
}

#[test]
fn every_plain_frame_is_written_back_byte_for_byte() {
    let mut compared = 0;
    for vector in vectors().iter().filter(|vector| vector.valid && !vector.lacks_line()) {
        let frame = Frame::read(&vector.bytes()).unwrap();
        let ascii = vector.bytes().is_ascii();
        let swapped = vector.description.contains("L before R");
        if !frame.header.encrypted && ascii && !swapped {
            let message = Message::open(frame, None).unwrap();
            assert_eq!(message.write(None, &mut rng()).unwrap(), vector.bytes(), "{}", vector.description);
            compared += 1;
        }
    }
    assert!(compared >= 14, "only {compared} frames were compared");
}

#[test]
fn every_broken_frame_counts_as_damage() {
    for vector in vectors().iter().filter(|vector| !vector.valid) {
        let error = Frame::read(&vector.bytes()).expect_err(&vector.description);
        assert!(error.is_damage(), "{}: {error}", vector.description);
    }
}

#[test]
fn positions_in_captured_frames_are_the_dam_in_amsterdam() {
    let positions: Vec<(i32, i32)> = vectors()
        .iter()
        .filter(|vector| vector.valid && !vector.lacks_line())
        .filter_map(|vector| Message::read(&vector.bytes(), vector.key().as_ref()).unwrap().content.position_e7())
        .collect();
    assert_eq!(positions, [(523_717_500, 48_903_500); 2]);
}

/// Knows every account by the key of the vector at hand, and takes everything.
struct TakesAll {
    known: Known,
}

impl Handler for TakesAll {
    async fn known(&self, _: &Account) -> Known {
        self.known.clone()
    }

    async fn received(&self, _: Received) -> Answer {
        Answer::Ack
    }

    async fn refused(&self, _: Refusal, _: SocketAddr) {}
}

/// What the receiver answers to these bytes before the line is closed.
async fn answer(bytes: &[u8], known: Known, now: Timestamp) -> Vec<u8> {
    let (mut panel, line) = tokio::io::duplex(8192);
    let receiver = Receiver::new(TakesAll { known }, Arc::new(Standing::at(now)), Box::new(rng()), Limits::default());
    panel.write_all(bytes).await.unwrap();
    panel.shutdown().await.unwrap();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    receiver.converse(line, peer).await.unwrap();
    drop(receiver);
    let mut answer = Vec::new();
    panel.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_receiver_answers_each_frame_as_the_standard_asks() {
    let (mut exact, mut patterns) = (0, 0);
    for vector in vectors() {
        let name = &vector.description;
        let Some(expected) = &vector.expected_reply else { continue };
        let now = vector.made_at().unwrap_or(NOON_ISH);
        let known = vector.key().map_or(Known::Plain, Known::Enciphered);
        match expected.kind.as_str() {
            "exact" => {
                let answer = answer(&vector.bytes(), known, now).await;
                assert_eq!(Some(data_encoding::HEXLOWER.encode(&answer)), expected.hex, "{name}");
                exact += 1;
            }
            "pattern" if vector.lacks_line() => {
                let answer = answer(&vector.bytes(), known, now).await;
                let time = write_time(now);
                assert!(answer.ends_with(format!("0025\"NAK\"0000R0L0A0[]_{time}\r").as_bytes()), "{name}");
                patterns += 1;
            }
            "pattern" => {
                let reply = answer(&vector.bytes(), known, now).await;
                let reply = Message::read(&reply, vector.key().as_ref()).unwrap();
                assert_eq!((&reply.header.id, reply.header.encrypted), (&MessageId::Ack, true), "{name}");
                assert_eq!(reply.content.made_at, Some(now), "{name}");
                assert_eq!(Some(reply.header.sequence.to_string().as_str()), text(&vector.decoded, "seq"), "{name}");
                assert_eq!(reply.header.receiver.as_ref().map(|r| r.as_str()), text(&vector.decoded, "rcvr"), "{name}");
                patterns += 1;
            }
            // A plain frame to an account that has a key: "DUH", and nothing of a key.
            "none" => {
                let answer = answer(&vector.bytes(), Known::Enciphered(super::key()), now).await;
                assert_eq!(Frame::read(&answer).unwrap().header.id, MessageId::Duh, "{name}");
                patterns += 1;
            }
            other => panic!("{name}: unknown kind of reply {other}"),
        }
    }
    assert_eq!((exact, patterns), (2, 4));
}

#[test]
fn the_sender_takes_every_observed_answer_for_what_it_is() {
    let mut kinds = std::collections::HashSet::new();
    for vector in vectors() {
        let name = &vector.description;
        let Some(observed) = vector.observed_reply.as_ref().and_then(|reply| reply.hex.as_ref()) else { continue };
        let answer = data_encoding::HEXLOWER.decode(observed.as_bytes()).unwrap();
        let key = vector.key();
        let sequence = text(&vector.decoded, "seq").unwrap().parse().unwrap();
        let account = text(&vector.decoded, "acct").unwrap().parse().unwrap();
        // The answer came in the second in which the message was made, or a few later.
        let now = vector.made_at().unwrap_or(NOON_ISH).plus_ms(3_000);
        let verdict = judge(&answer, Outstanding { sequence, account: &account, key: key.as_ref(), now });
        let said = String::from_utf8_lossy(&answer).into_owned();
        let expected = match verdict {
            Verdict::Taken => said.contains("ACK\""),
            Verdict::Nak { now } => said.contains("\"NAK\"") && now.is_some(),
            Verdict::Duh => said.contains("\"DUH\""),
            Verdict::Unusable => said == "\n\r" || said.contains("None"),
            Verdict::Stale { .. } => false,
        };
        assert!(expected, "{name}: {verdict:?}");
        kinds.insert(std::mem::discriminant(&verdict));
    }
    assert_eq!(kinds.len(), 4, "every kind of answer was seen");
}

#[test]
fn a_key_that_a_receiver_gives_away_is_neither_kept_nor_shown() {
    let vector = vectors().pop().unwrap();
    let answer = vector.observed_reply.and_then(|reply| reply.hex).unwrap();
    let answer = data_encoding::HEXLOWER.decode(answer.as_bytes()).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("[K0123456789ABCDEF]"), "the vector is another");
    let message = Message::read(&answer, None).unwrap();
    assert!(message.content.carried_key);
    assert!(message.content.elements.is_empty());
    assert!(!super::super::command::view(&message).to_string().contains("0123456789ABCDEF"));
}
