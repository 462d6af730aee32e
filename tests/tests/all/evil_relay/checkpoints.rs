//! Lies about checkpoints, and about what may be gone before them.

use baken_core::Baken;
use baken_core::pairing::PairInto;
use baken_core::sync::{FindingKind, QuarantineReason, StuckReason};
use baken_schemas::api::{EntriesStored, EntryBatch, Item, Page};
use baken_schemas::cbor;
use baken_schemas::circle::CircleKind;
use baken_schemas::entry::{Entry, EntryKind};
use baken_schemas::id::CircleId;
use baken_schemas::record::Value;
use http::Method;

use super::relay::{Evil, says};
use super::stage::{Stage, aside, assert_alike, device, found, named, names, records, titled};
use crate::town::{PIN, Town};

const RESTORED: &str = "UPDATE relay SET generation = generation + 1";

fn kind(entry: &[u8]) -> EntryKind {
    Entry::parse(entry).unwrap().header().kind
}

fn is_checkpoint(entry: &[u8]) -> bool {
    matches!(kind(entry), EntryKind::Checkpoint { .. })
}

/// A phone whose circle has a checkpoint of two parts, and a tablet that has read nothing yet.
struct Fresh {
    town: Town,
    phone: Baken,
    tablet: Baken,
    evil: Evil,
    home: CircleId,
}

impl Fresh {
    async fn set() -> Self {
        let mut town = Town::found().await;
        let phone = town.activated("mayor_phone").await;
        for _ in 0..10 {
            let text = Value::Text("x".repeat(60_000));
            phone.create("note", vec![("text".to_owned(), text)]).unwrap();
        }
        phone.create("contact", named("Zus")).unwrap();
        phone.sync(&town.network).await.unwrap();
        let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
        phone.create_in(family, "plan", titled("van thuis")).unwrap();
        phone.sync(&town.network).await.unwrap();
        town.tamper(RESTORED).await;
        phone.sync(&town.network).await.unwrap();
        phone.create("contact", named("van na het ijkpunt")).unwrap();
        phone.sync(&town.network).await.unwrap();
        let (tablet, _) = town.pair(&phone, "mayor_tablet", PairInto::Dossier).await;
        let evil = Evil::before(&town.network);
        let home = phone.status().unwrap().circle;
        Self { town, phone, tablet, evil, home }
    }

    /// Everything before the checkpoint is gone, as a relay may do; and of the rest what `keep` leaves.
    fn compacted(&self, keep: impl Fn(&[u8]) -> bool + Send + 'static) {
        self.evil.pages(&format!("{}/entries", self.home), move |page, _| {
            if let Some(first) = page.items.iter().position(|item| is_checkpoint(&item.bytes)) {
                page.items.drain(..first);
            }
            page.items.retain(|item| keep(&item.bytes));
        });
    }

    async fn drains(&self) {
        self.evil.stop();
        self.town.clock.advance_ms(11 * 60_000);
        self.phone.create("contact", named("ten slotte")).unwrap();
        for _ in 0..3 {
            self.phone.sync(&self.town.network).await.unwrap();
            self.tablet.sync(&self.evil).await.unwrap();
        }
        assert_alike(&self.phone, &self.tablet);
        let status = self.tablet.status().unwrap();
        assert_eq!((status.waiting, status.stuck_because), (0, None));
    }
}

pub async fn a_checkpoint_without_one_of_its_parts_starts_nothing() {
    for left_out in [0, 1] {
        let fresh = Fresh::set().await;
        fresh.compacted(move |entry| !matches!(kind(entry), EntryKind::Checkpoint { part, .. } if part == left_out));
        let before = records(&fresh.tablet);
        fresh.tablet.sync(&fresh.evil).await.unwrap();
        let status = fresh.tablet.status().unwrap();
        assert_eq!(records(&fresh.tablet).len(), before.len(), "no half of it was applied");
        let stuck = if left_out == 0 { StuckReason::MissingEntry } else { StuckReason::MissingCheckpoint };
        assert_eq!(status.stuck_because, Some(stuck));
        assert_eq!(found(&status), [FindingKind::Withheld]);
        // The checkpoint alone, whole, is enough to start from.
        fresh.compacted(|_| true);
        fresh.town.clock.advance_ms(11 * 60_000);
        fresh.tablet.sync(&fresh.evil).await.unwrap();
        assert_eq!(names(&fresh.tablet), ["Zus", "van na het ijkpunt"]);
        fresh.drains().await;
    }
}

pub async fn parts_of_another_circles_checkpoint_start_nothing() {
    let fresh = Fresh::set().await;
    let database = rusqlite::Connection::open(fresh.town.folder.path().join("relay").join("relay.db")).unwrap();
    let mut statement = database.prepare("SELECT bytes FROM entry WHERE circle <> ?1 ORDER BY cursor").unwrap();
    let others: Vec<Vec<u8>> =
        statement.query_map([fresh.home.0], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let part = others.into_iter().find(|entry| is_checkpoint(entry)).unwrap();
    fresh.evil.pages(&format!("{}/entries", fresh.home), move |page, _| {
        if let Some(first) = page.items.iter().position(|item| is_checkpoint(&item.bytes)) {
            page.items.drain(..first);
        }
        for item in page.items.iter_mut().filter(|item| is_checkpoint(&item.bytes)) {
            item.bytes = part.clone().into();
        }
    });
    let before = records(&fresh.tablet).len();
    fresh.tablet.sync(&fresh.evil).await.unwrap();
    let status = fresh.tablet.status().unwrap();
    assert_eq!(records(&fresh.tablet).len(), before);
    assert_eq!(aside(&status), [QuarantineReason::Malformed]);
    assert_eq!(status.stuck_because, Some(StuckReason::MissingEntry));
    fresh.drains().await;
}

pub async fn an_old_checkpoint_again_takes_nothing_back() {
    let fresh = Fresh::set().await;
    fresh.tablet.sync(&fresh.evil).await.unwrap();
    let old: Vec<Vec<u8>> = fresh.evil.items("/entries").into_iter().filter(|entry| is_checkpoint(entry)).collect();
    assert_eq!(old.len(), 2);
    let contact = fresh.phone.records(Some("contact")).unwrap().into_iter().find(|view| !view.deleted).unwrap().record;
    fresh.phone.put(contact, vec![("phone".to_owned(), Value::Text("06-9".to_owned()))]).unwrap();
    fresh.phone.sync(&fresh.town.network).await.unwrap();
    fresh.tablet.sync(&fresh.evil).await.unwrap();
    assert_alike(&fresh.phone, &fresh.tablet);
    let before = records(&fresh.tablet);
    // Again, behind everything that came after it.
    fresh.evil.pages(&format!("{}/entries", fresh.home), move |page, _| {
        let items = (900_u64..).zip(&old).map(|(cursor, bytes)| Item { cursor, bytes: bytes.clone().into() });
        page.items = items.collect();
    });
    fresh.tablet.sync(&fresh.evil).await.unwrap();
    let status = fresh.tablet.status().unwrap();
    assert_eq!(records(&fresh.tablet), before, "06-9 stands");
    assert_eq!((status.trustworthy, aside(&status)), (true, Vec::new()));
    assert_eq!((status.waiting, status.stuck_because), (0, None));
    fresh.tablet.create("contact", named("van de tablet")).unwrap();
    fresh.tablet.sync(&fresh.town.network).await.unwrap();
    fresh.drains().await;
}

pub async fn a_checkpoint_by_a_removed_device_changes_nothing() {
    let stage = Stage::set().await;
    let home = stage.home();
    let before = device(&stage.tablet);
    stage.phone.remove_device(&stage.town.network, home, before, PIN).await.unwrap();
    // The relay keeps that from the tablet, has it write a checkpoint, and takes it.
    stage.tablet.create("contact", named("van de verwijderde")).unwrap();
    stage.evil.answer_instead(|asked, _| {
        let empty = Page { items: Vec::new(), more: false, generation: 7, floor: 0 };
        match (&asked.method, asked.path.contains("/circles/")) {
            (&Method::GET, true) => Some(says(cbor::to_vec(&empty))),
            (_, true) if asked.path.contains("/entries") => {
                let batch: EntryBatch = cbor::from_slice(&asked.body, "a batch").unwrap();
                let last = Entry::parse(batch.entries.last().unwrap()).unwrap();
                Some(says(cbor::to_vec(&EntriesStored { counter: last.header().counter, hash: last.hash() })))
            }
            (_, true) => Some(says(Vec::new())),
            _ => None,
        }
    });
    stage.tablet.sync(&stage.evil).await.unwrap();
    let batches = stage.evil.sent(&format!("{home}/entries"));
    let batches = batches.iter().map(|body| cbor::from_slice::<EntryBatch>(body, "a batch").unwrap());
    let written: Vec<Vec<u8>> = batches.flat_map(|batch| batch.entries).map(|entry| entry.to_vec()).collect();
    assert!(written.iter().any(|entry| is_checkpoint(entry)));
    // And hands it to the phone, among what the phone reads next.
    let phone_meets = Evil::before(&stage.town.network);
    let handed = written.clone();
    phone_meets.pages(&format!("{home}/entries"), move |page, _| {
        let items = (900_u64..).zip(&handed).map(|(cursor, bytes)| Item { cursor, bytes: bytes.clone().into() });
        page.items.extend(items);
    });
    let state = records(&stage.phone);
    stage.phone.sync(&phone_meets).await.unwrap();
    let status = stage.phone.status().unwrap();
    assert_eq!(records(&stage.phone), state);
    assert_eq!((status.trustworthy, aside(&status)), (true, Vec::new()), "it was truly its author's");
    assert!(status.waiting >= 1, "it waits for somebody who is in the circle to build on it");
    assert_eq!(names(&stage.phone), ["Zus"]);
    phone_meets.stop();
    stage.phone_writes(&["Broer"]).await;
    stage.phone.sync(&stage.town.network).await.unwrap();
    assert_eq!(names(&stage.phone), ["Broer", "Zus"]);
    assert!(stage.phone.status().unwrap().last_success.is_some());
}

pub async fn a_floor_that_is_a_lie_hides_nothing() {
    for floor in [1, 1_000_000, u64::MAX] {
        let stage = Stage::set().await;
        stage.phone_writes(&["een", "twee"]).await;
        stage.evil.pages("/entries", move |page, _| page.floor = floor);
        let status = stage.lied_to().await;
        assert_alike(&stage.phone, &stage.tablet);
        assert_eq!((status.trustworthy, status.stuck_because), (true, None));
        stage.drains().await;
    }
}

pub async fn entries_dropped_without_a_checkpoint_are_missed() {
    let stage = Stage::set().await;
    stage.phone_writes(&["een", "twee", "drie"]).await;
    let (laptop, _) = stage.town.pair(&stage.phone, "laptop", PairInto::Dossier).await;
    stage.tablet.sync(&stage.town.network).await.unwrap();
    stage.tablet.confirm_device(&stage.town.network, stage.home(), device(&laptop), PIN).await.unwrap();
    // "They are below the floor": but nothing lies above it that holds them.
    stage.evil.pages("/entries", |page, _| {
        page.items.drain(..page.items.len() - page.items.len().min(1));
        page.floor = page.items.first().map_or(0, |item| item.cursor - 1);
    });
    laptop.sync(&stage.evil).await.unwrap();
    let status = laptop.status().unwrap();
    assert_eq!(names(&laptop), Vec::<String>::new());
    assert!(found(&status).iter().all(|kind| *kind == FindingKind::Withheld) && !status.trustworthy);
    assert_eq!(status.stuck_because, Some(StuckReason::MissingEntry));
    stage.drains().await;
    laptop.sync(&stage.evil).await.unwrap();
    laptop.sync(&stage.evil).await.unwrap();
    stage.phone.sync(&stage.town.network).await.unwrap();
    assert_alike(&laptop, &stage.phone);
    assert!(laptop.status().unwrap().trustworthy);
}
