//! Photos, sound and positions that go along with an alarm.

use std::sync::atomic::{AtomicI32, Ordering};

use async_trait::async_trait;
use baken_schemas::alarm::{AlarmAttachment, Fix, MAX_ATTACHMENT_BYTES, MediaType, Position, ReceiptState, Update};
use baken_schemas::cbor;
use baken_schemas::signed::Unverified;
use minicbor::bytes::ByteVec;
use proptest::prelude::*;

use super::stage::{Mood, Stage, StageRelay};
use crate::BakenError;
use crate::alarm::Locator;

fn photo(bytes: usize) -> Vec<u8> {
    let mut photo = vec![0xff, 0xd8, 0xff, 0xe0];
    photo.extend((0..bytes - 4).map(|at| u8::try_from(at % 251).unwrap()));
    photo
}

fn place(latitude_e7: i32) -> Position {
    Position { latitude_e7, longitude_e7: 48_903_500, accuracy_m: 7, age_s: 0 }
}

/// Every update that came in, opened by the first desk: its number, where, and its file.
fn opened(stage: &Stage, relay: &StageRelay) -> Vec<(u64, Fix, Option<AlarmAttachment>)> {
    let (_, content) = stage.open_at(&stage.east, &relay.alarms()[0]);
    let open = |bytes: Vec<u8>| {
        let update = Unverified::<Update>::parse(&bytes).unwrap();
        let body = update.claims().open(&content).unwrap();
        (update.claims().seq, body.fix, body.attachment)
    };
    relay.updates().into_iter().map(open).collect()
}

#[tokio::test]
async fn a_photo_arrives_whole_behind_what_is_more_urgent_and_its_update_last() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    let file = photo(300_000);
    assert_eq!(stage.phone.attach(alarm, &file, &stage.context).unwrap(), MediaType::Jpeg);
    relay.be(Mood::Down);
    stage.deliver(&relay).await;
    relay.be(Mood::Up);
    stage.clock.pass_s(5);
    stage.deliver(&relay).await;
    assert_eq!((relay.alarms().len(), relay.chunks().len()), (1, 0), "the alarm first, and alone");
    stage.deliver(&relay).await;
    assert_eq!((relay.chunks().len(), relay.updates().len()), (1, 0), "no update names what is not there");
    let there = place(523_717_500);
    stage.phone.update(alarm, Fix::At(there), None, "", &stage.context).unwrap();
    stage.deliver(&relay).await;
    assert_eq!(opened(&stage, &relay), [(2, Fix::At(there), None)], "a photo holds up no position");
    for _ in 0..2 {
        stage.deliver(&relay).await;
    }
    assert_eq!((relay.chunks().len(), stage.view(alarm).updates_waiting), (2, 0));
    let (seq, _, attachment) = opened(&stage, &relay).pop().unwrap();
    let AlarmAttachment { media, blob } = attachment.unwrap();
    assert_eq!((seq, media, blob.size), (1, MediaType::Jpeg, 300_000));
    let mut arrived = Vec::new();
    for (index, (path, body)) in (0..).zip(relay.chunks()) {
        assert_eq!(path, format!("/v0/alarms/{alarm}/blobs/{}/{index}", blob.blob));
        let sealed: ByteVec = cbor::from_slice(&body, "a chunk").unwrap();
        arrived.extend_from_slice(&blob.open_chunk(index, &sealed).unwrap());
    }
    assert_eq!(arrived, file);
}

#[tokio::test]
async fn a_photo_that_lost_its_answers_or_was_refused_is_sent_again_also_by_the_next_program() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    stage.phone.attach(alarm, &photo(1_000), &stage.context).unwrap();
    for mood in [Mood::LosesAnswers, Mood::Refuses, Mood::Down] {
        relay.be(mood);
        stage.deliver(&relay).await;
        assert_eq!(stage.view(alarm).updates_waiting, 1, "{mood:?}");
        stage.clock.pass_s(400);
    }
    stage.restart_phone();
    relay.be(Mood::Up);
    for _ in 0..2 {
        stage.deliver(&relay).await;
    }
    assert_eq!((relay.chunks().len(), stage.view(alarm).updates_waiting), (1, 0));
}

#[test]
fn what_no_desk_would_show_is_refused_and_nothing_of_it_kept() {
    let stage = Stage::set_up();
    let alarm = stage.press();
    let attach = |file: &[u8]| stage.phone.attach(alarm, file, &stage.context);
    for file in [&b""[..], b"#!/bin/sh", b"<svg/>", b"GIF89a", &[0xff, 0xd8]] {
        assert!(matches!(attach(file), Err(BakenError::NotAPhotoOrSound)), "{file:?}");
    }
    assert!(matches!(attach(&photo(MAX_ATTACHMENT_BYTES + 1)), Err(BakenError::AlarmAttachmentTooLarge)));
    let unknown = baken_schemas::id::AlarmId([9; 16]);
    let refused = stage.phone.attach(unknown, &photo(10), &stage.context);
    assert!(matches!(refused, Err(BakenError::NoSuchAlarm)));
    assert_eq!(stage.view(alarm).updates_waiting, 0);
}

/// Somebody who walks north.
struct Walk(AtomicI32);

#[async_trait]
impl Locator for Walk {
    async fn locate(&self) -> Option<(Position, Option<u8>)> {
        Some((place(self.0.fetch_add(1_000, Ordering::SeqCst)), Some(50)))
    }
}

#[tokio::test]
async fn positions_without_network_give_way_to_the_next_and_words_do_not() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    let walk = Walk(AtomicI32::new(523_000_000));
    for round in 0..500 {
        let (position, battery) = walk.locate().await.unwrap();
        stage.phone.report(position, battery, &stage.context).unwrap();
        if round == 250 {
            stage.phone.update(alarm, Fix::At(position), None, "ik ben in de kelder", &stage.context).unwrap();
        }
        stage.clock.pass_s(10);
    }
    assert_eq!(stage.view(alarm).updates_waiting, 2, "the words, and the newest position");
    for _ in 0..3 {
        stage.deliver(&relay).await;
    }
    let arrived = opened(&stage, &relay);
    assert_eq!(arrived.iter().map(|(seq, ..)| *seq).collect::<Vec<_>>(), [252, 501]);
    assert_eq!(arrived[1].1, Fix::At(place(523_499_000)));
    // Sent ones stay, and a number is never used twice.
    stage.phone.report(place(1), None, &stage.context).unwrap();
    stage.deliver(&relay).await;
    assert_eq!(opened(&stage, &relay).last().unwrap().0, 502);
}

#[tokio::test]
async fn nobody_is_followed_once_the_alarm_is_closed_or_a_day_old() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let closed = stage.receipt(&stage.east, &relay.alarms()[0], ReceiptState::Closed, None, Some(("X", "loos")));
    relay.has(closed.bytes());
    stage.clock.pass_s(11);
    stage.deliver(&relay).await;
    stage.phone.report(place(1), None, &stage.context).unwrap();
    assert_eq!(stage.view(alarm).updates_waiting, 0);
    let other = stage.press();
    stage.clock.pass_s(24 * 60 * 60 + 1);
    stage.phone.report(place(2), None, &stage.context).unwrap();
    assert_eq!(stage.view(other).updates_waiting, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_photo_or_sound_is_taken_and_read_back_as_it_was(kind in 0usize..7, rest in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let heads: [&[u8]; 7] =
            [&[0xff, 0xd8, 0xff], b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"OggS", b"0000ftypM4A ", b"ID3", b"RIFF0000WAVE"];
        let kinds = [
            MediaType::Jpeg, MediaType::Png, MediaType::Webp, MediaType::Ogg, MediaType::M4a, MediaType::Mp3, MediaType::Wav,
        ];
        let file = [heads[kind], &rest].concat();
        prop_assert_eq!(MediaType::of(&file), Some(kinds[kind]));
        prop_assert_eq!(kinds[kind].is_sound(), kinds[kind].mime().starts_with("audio/"));
    }
}
