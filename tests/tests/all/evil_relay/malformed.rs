//! Answers that are no answers, and what a phone gives away when something is wrong.

use baken_core::sync::{FindingKind, QuarantineReason, StuckReason};
use baken_core::transport::Response;
use baken_schemas::api::Item;
use baken_schemas::circle::CircleKind;
use http::Method;

use super::relay::{says, with_header};
use super::stage::{Stage, aside, found, names, records, titled};

pub async fn garbage_for_every_answer_is_named_as_such() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.phone_writes(&["Broer"]).await;
    let deep = vec![0x81; 100_000];
    let endless = [vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], vec![0; 64]].concat();
    for garbage in [Vec::new(), b"<html>502</html>".to_vec(), vec![0xff; 4096], deep, endless] {
        stage.evil.lie(move |_, _, _| says(garbage.clone()));
        assert_eq!(stage.refused().await, "bad_answer");
        assert_eq!(records(&stage.tablet), before);
        let status = stage.tablet.status().unwrap();
        assert!(status.trustworthy, "a broken answer proves no lie");
        assert!(matches!(status.stuck_because, Some(StuckReason::Failed { code, .. }) if code == "bad_answer"));
    }
    stage.drains().await;
}

pub async fn answers_cut_short_are_named_as_such() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.phone_writes(&["Broer"]).await;
    for left in [0, 1, 5, 40, 200] {
        stage.evil.lie(move |asked, mut answer, _| {
            if asked.path.contains("/entries") {
                answer.body.truncate(left);
            }
            answer
        });
        assert_eq!(stage.refused().await, "bad_answer", "{left} bytes");
        assert_eq!(records(&stage.tablet), before);
    }
    stage.drains().await;
}

pub async fn a_flipped_bit_in_an_entry_is_put_aside_and_the_true_one_taken() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&format!("{}/entries", stage.home()), |page, _| {
        for item in &mut page.items {
            let mut bytes = item.bytes.to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            item.bytes = bytes.into();
        }
    });
    let status = stage.lied_to().await;
    assert_eq!(records(&stage.tablet), before);
    assert_eq!(aside(&status), [QuarantineReason::CannotOpen]);
    stage.drains().await;
    assert!(names(&stage.tablet).contains(&"Broer".to_owned()));
}

pub async fn an_entry_padded_behind_its_end_is_put_aside() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&format!("{}/entries", stage.home()), |page, _| {
        for item in &mut page.items {
            item.bytes = [&item.bytes[..], &[0; 9]].concat().into();
        }
    });
    let status = stage.lied_to().await;
    assert_eq!(records(&stage.tablet), before);
    assert_eq!(aside(&status), [QuarantineReason::Malformed]);
    stage.drains().await;
}

pub async fn a_flood_of_junk_is_refused_whole() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&format!("{}/entries", stage.home()), |page, _| {
        let start = page.items.last().map_or(0, |item| item.cursor);
        let junk =
            (1..5000_u64).map(|number| Item { cursor: start + number, bytes: number.to_be_bytes().to_vec().into() });
        page.items.extend(junk);
    });
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(records(&stage.tablet), before);
    assert_eq!(aside(&stage.tablet.status().unwrap()), [], "the whole page is left at the relay");
    stage.drains().await;
}

pub async fn a_huge_item_is_put_aside() {
    let stage = Stage::set().await;
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&format!("{}/entries", stage.home()), |page, _| {
        if let Some(last) = page.items.last_mut() {
            last.bytes = vec![0x82; 3_000_000].into();
        }
    });
    let status = stage.lied_to().await;
    assert_eq!(names(&stage.tablet), ["Zus"]);
    assert_eq!(aside(&status), [QuarantineReason::Malformed]);
    stage.drains().await;
}

pub async fn an_entry_by_a_writer_who_does_not_exist_waits_and_shows() {
    let stage = Stage::set().await;
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&format!("{}/entries", stage.home()), |page, _| {
        if let Some(last) = page.items.last().cloned() {
            let bytes = with_header(&last.bytes, |header| header.slot = 900);
            page.items.push(Item { cursor: last.cursor + 1, bytes: bytes.into() });
        }
    });
    let status = stage.lied_to().await;
    assert_eq!(names(&stage.tablet), ["Broer", "Zus"], "the true ones are taken");
    assert_eq!(found(&status), [FindingKind::LogWithheld]);
    assert_eq!((status.waiting, status.stuck_because), (1, Some(StuckReason::MissingLogRecord)));
    // It goes on waiting: a record of the log may still name its writer. Nothing else waits for it.
    stage.evil.stop();
    // Its cursor was the next entry's: that one is missed when the one after it comes.
    stage.phone_writes(&["Oma", "Opa"]).await;
    stage.lied_to().await;
    assert_eq!(records(&stage.phone), records(&stage.tablet));
}

pub async fn a_refusal_full_of_words_shows_its_code_only() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    for (status, body, code) in [
        (
            403_u16,
            r#"{"type":"x","title":"Bel 06-12345678","status":403,"detail":"<b>","code":"removed"}"#.to_owned(),
            "removed",
        ),
        (
            500,
            r#"{"type":"x","title":"","status":500,"detail":"","code":"Wis Alles! rm -rf"}"#.to_owned(),
            "isllesrmrf",
        ),
        (599, "x".repeat(1_000_000), "no_reason_given"),
    ] {
        stage.evil.lie(move |_, _, _| Response { status, body: body.clone().into() });
        let error = stage.tablet.sync(&stage.evil).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!format!("{error} {error:?}").contains("06-12345678"));
        assert_eq!(records(&stage.tablet), before);
        // What the log says counts, not what a refusal says.
        assert_ne!(stage.tablet.status().unwrap().stuck_because, Some(StuckReason::NotInCircle));
    }
    stage.drains().await;
}

pub async fn a_log_of_garbage_is_a_conflict() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.evil.pages(&format!("{}/log", stage.home()), |page, _| {
        page.items = vec![Item { cursor: 90, bytes: vec![0xff; 300].into() }];
    });
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(found(&stage.tablet.status().unwrap()), [FindingKind::LogConflict]);
    assert_eq!(records(&stage.tablet), before);
    stage.drains().await;
}

pub async fn a_log_of_garbage_for_a_named_circle_holds_up_no_other() {
    let stage = Stage::set().await;
    let family = stage.phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    stage.phone.create_in(family, "plan", titled("van thuis")).unwrap();
    stage.phone.sync(&stage.town.network).await.unwrap();
    stage.evil.pages(&format!("{family}/log"), |page, _| {
        page.items = vec![Item { cursor: 0, bytes: vec![0xff; 300].into() }];
    });
    stage.lied_to().await;
    stage.phone_writes(&["Broer"]).await;
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(names(&stage.tablet), ["Broer", "Zus"]);
    assert_eq!(stage.tablet.circles().unwrap().len(), 1);
    stage.drains().await;
    assert_eq!(stage.tablet.circles().unwrap().len(), 2);
}

/// What a phone asks after it was handed one bad entry: methods, paths and sizes.
async fn asked_after(change: impl Fn(&mut Vec<u8>) + Send + 'static) -> Vec<(Method, String, usize)> {
    let stage = Stage::set().await;
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&format!("{}/entries", stage.home()), move |page, _| {
        for item in &mut page.items {
            let mut bytes = item.bytes.to_vec();
            change(&mut bytes);
            item.bytes = bytes.into();
        }
    });
    let before = stage.evil.heard().len();
    stage.lied_to().await;
    stage.lied_to().await;
    let heard = stage.evil.heard().into_iter().skip(before).map(|heard| heard.asked);
    heard.map(|asked| (asked.method, asked.path, asked.body.len())).collect()
}

pub async fn a_phone_asks_the_same_whatever_is_wrong_with_an_entry() {
    let paths = |asked: Vec<(Method, String, usize)>| -> Vec<(Method, String, usize)> {
        // The circle's random id, which is another in each town, says nothing.
        let same = |path: String| path.split('/').filter(|part| part.len() < 26).collect::<Vec<_>>().join("/");
        asked.into_iter().map(|(method, path, size)| (method, same(path), size)).collect()
    };
    let true_one = paths(asked_after(|_| {}).await);
    assert!(!true_one.is_empty());
    let at_the_end = paths(asked_after(|bytes| *bytes.last_mut().unwrap() ^= 1).await);
    let in_the_header = paths(asked_after(|bytes| bytes[20] ^= 1).await);
    let no_entry = paths(asked_after(|bytes| *bytes = vec![0; 10]).await);
    let nothing = paths(asked_after(Vec::clear).await);
    for other in [at_the_end, in_the_header, no_entry, nothing] {
        assert_eq!(other, true_one, "neither number, nor size, nor place of requests tells");
    }
}
