//! Attachments as people have them: put beside a record without a connection, seen on the other device with the next
//! sync, fetched, saved, shared with a guest, deleted, and gone a month later.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use baken_core::attachment::{AtRelay, AttachTo, AttachmentView, Existing, NewAttachment, Part, Source, Stamp};
use baken_core::pairing::PairInto;
use baken_core::sync::StuckReason;
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_core::{Baken, BakenError};
use baken_schemas::blob::{CHUNK_BYTES, sealed_len};
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::time::Clock as _;
use baken_tests::sim::network::{AUTHORITY, Network};

use crate::town::Town;

const DAY_MS: i64 = 24 * 3_600_000;

/// A line that counts chunks, and goes dead after so many.
struct Line<'a> {
    network: &'a Network,
    left: AtomicUsize,
    chunks: AtomicUsize,
}

impl<'a> Line<'a> {
    fn good_for(network: &'a Network, chunks: usize) -> Self {
        Self { network, left: AtomicUsize::new(chunks), chunks: AtomicUsize::new(0) }
    }

    fn good(network: &'a Network) -> Self {
        Self::good_for(network, usize::MAX)
    }

    fn chunks(&self) -> usize {
        self.chunks.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Transport for Line<'_> {
    fn authority(&self) -> &str {
        AUTHORITY
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_chunk = request.path_and_query.split_once("/blobs/").is_some_and(|(_, behind)| behind.contains('/'));
        if is_chunk {
            let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            left.map_err(|_| TransportError::Unreachable)?;
            self.chunks.fetch_add(1, Ordering::SeqCst);
        }
        self.network.send(request).await
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        self.network.live(request).await
    }
}

fn photo(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / CHUNK_BYTES * 7 + at % 253) as u8).collect()
}

fn home(phone: &Baken) -> CircleId {
    phone.status().unwrap().circle
}

fn titled(title: &str) -> Vec<(String, Value)> {
    vec![("title".to_owned(), Value::Text(title.to_owned()))]
}

fn add(phone: &Baken, to: AttachTo, name: &str, content: &[u8]) -> RecordId {
    let new = NewAttachment { name, media_type: "image/jpeg", thumbnail: Some(b"a small picture") };
    phone.add_attachment(to, new, &mut Cursor::new(content), &|_| ()).unwrap()
}

fn view(phone: &Baken, attachment: RecordId) -> AttachmentView {
    phone.attachments(None).unwrap().into_iter().find(|view| view.record == attachment).unwrap()
}

async fn fetch(phone: &Baken, line: &dyn Transport, attachment: RecordId) -> Result<(), BakenError> {
    phone.fetch_attachment(line, attachment, Part::File, &|_| ()).await
}

fn saved(town: &Town, phone: &Baken, attachment: RecordId, part: Part) -> Vec<u8> {
    let path = town.folder.path().join("saved");
    phone.save_attachment(attachment, part, &path, Existing::Replace).unwrap();
    std::fs::read(path).unwrap()
}

/// How many chunks the relay has.
fn chunks_at_relay(town: &Town) -> u32 {
    let database = rusqlite::Connection::open(town.folder.path().join("relay").join("relay.db")).unwrap();
    database.query_row("SELECT count(*) FROM blob_chunk", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn i7_a_deleted_file_can_be_restored_whatever_it_was_put_beside() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let sent = photo(CHUNK_BYTES + 5);
    let incident = phone.create("incident", vec![("what".to_owned(), Value::Text("Brief".to_owned()))]).unwrap();
    let evidence = add(&phone, AttachTo::Record(incident), "brief.jpg", &sent);
    for device in [&phone, &tablet] {
        device.sync(&town.network).await.unwrap();
    }
    let there = chunks_at_relay(&town);

    // Who has the tablet open for a minute would have it gone for good.
    let junk = tablet.create("note", titled("x")).unwrap();
    tablet.put(junk, vec![("title".to_owned(), Value::Empty)]).unwrap();
    tablet.delete(junk).unwrap();
    tablet.put(evidence, vec![("of".to_owned(), Value::Bytes(junk.0.to_vec()))]).unwrap();
    tablet.delete(evidence).unwrap();
    for device in [&tablet, &phone, &tablet, &phone] {
        device.sync(&town.network).await.unwrap();
    }
    let shown = view(&phone, evidence);
    assert_eq!((shown.deleted, shown.here, chunks_at_relay(&town)), (true, true, there));
    phone.restore(evidence).unwrap();
    for device in [&phone, &tablet] {
        device.sync(&town.network).await.unwrap();
    }
    fetch(&tablet, &town.network, evidence).await.unwrap();
    assert!(saved(&town, &tablet, evidence, Part::File) == sent);
}

#[tokio::test]
async fn a_photo_added_offline_is_seen_at_once_and_fetched_when_it_is_there() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let sent = photo(12 * CHUNK_BYTES + 5);

    town.network.connect(None);
    let incident = phone.create("incident", vec![("what".to_owned(), Value::Text("Brief".to_owned()))]).unwrap();
    let attachment = add(&phone, AttachTo::Record(incident), "voordeur.jpg", &sent);
    assert!(matches!(phone.sync(&town.network).await, Err(BakenError::NotReached)));
    let shown = view(&phone, attachment);
    assert_eq!((shown.here, shown.at_relay, shown.of), (true, AtRelay::No, Some(incident)));
    assert_eq!(shown.size, Some(sent.len() as u64));

    // The edits are through before the line breaks among the chunks.
    town.network.connect(Some(town.relay.router()));
    let line = Line::good_for(&town.network, 5);
    assert!(matches!(phone.sync(&line).await, Err(BakenError::NotReached)));
    assert_eq!(phone.status().unwrap().attachments_pending, 1);
    tablet.sync(&town.network).await.unwrap();
    let shown = view(&tablet, attachment);
    assert_eq!((shown.name.as_str(), shown.here, shown.at_relay), ("voordeur.jpg", false, AtRelay::Unknown));
    assert_eq!(shown.root, view(&phone, attachment).root);
    assert!(matches!(fetch(&tablet, &town.network, attachment).await, Err(BakenError::AttachmentNotThere)));
    let path = town.folder.path().join("saved");
    let early = tablet.save_attachment(attachment, Part::File, &path, Existing::Keep);
    assert!(matches!(early, Err(BakenError::AttachmentNotHere)) && !path.exists());

    // It goes on where it stopped: 13 chunks of the photo and one of the small picture.
    let there = chunks_at_relay(&town) as usize;
    assert!((1..=5).contains(&there), "{there}");
    let line = Line::good(&town.network);
    phone.sync(&line).await.unwrap();
    let status = phone.status().unwrap();
    assert_eq!((line.chunks(), chunks_at_relay(&town)), (14 - there, 14));
    assert_eq!((status.attachments_pending, view(&phone, attachment).at_relay), (0, AtRelay::Yes));
    let line = Line::good(&town.network);
    phone.sync(&line).await.unwrap();
    assert_eq!(line.chunks(), 0, "nothing travels twice");

    let line = Line::good_for(&town.network, 4);
    assert!(matches!(fetch(&tablet, &line, attachment).await, Err(BakenError::NotReached)));
    let line = Line::good(&town.network);
    fetch(&tablet, &line, attachment).await.unwrap();
    assert!(line.chunks() < 13, "{} chunks", line.chunks());
    assert!(saved(&town, &tablet, attachment, Part::File) == sent);
    assert!(view(&tablet, attachment).here);
    tablet.fetch_attachment(&town.network, attachment, Part::Thumbnail, &|_| ()).await.unwrap();
    assert_eq!(saved(&town, &tablet, attachment, Part::Thumbnail), b"a small picture");
    let kept = tablet.save_attachment(attachment, Part::File, &path, Existing::Keep);
    assert!(matches!(kept, Err(BakenError::FileExists)));
    assert_eq!(std::fs::read(&path).unwrap(), b"a small picture", "it was not written over");
    let none = tablet.save_attachment(incident, Part::File, &path, Existing::Replace);
    assert!(matches!(none, Err(BakenError::NoSuchAttachment)));
}

#[tokio::test]
async fn a_circle_without_room_says_so_and_notes_go_on() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    town.quota = 6 * sealed_len(CHUNK_BYTES) as u64;
    town.tamper("").await;
    let sent = photo(8 * CHUNK_BYTES);
    let attachment = add(&phone, AttachTo::Circle(home(&phone)), "film.jpg", &sent);
    let full_since = town.clock.now();
    phone.sync(&town.network).await.unwrap();
    let status = phone.status().unwrap();
    let full = Some(StuckReason::QuotaFull { circle: home(&phone), since: full_since });
    assert_eq!((&status.stuck_because, status.attachments_pending), (&full, 1));

    town.clock.advance_ms(60_000);
    phone.create("note", titled("Toch gekomen")).unwrap();
    let line = Line::good(&town.network);
    phone.sync(&line).await.unwrap();
    let status = phone.status().unwrap();
    assert_eq!((status.pending, &status.stuck_because), (0, &full));
    assert_eq!(line.chunks(), 0, "no chunk travels in vain");
    tablet.sync(&town.network).await.unwrap();
    assert_eq!(tablet.records(Some("note")).unwrap().len(), 1);
    assert_eq!(tablet.status().unwrap().stuck_because, None);

    town.quota = 100 * sealed_len(CHUNK_BYTES) as u64;
    town.tamper("").await;
    phone.sync(&town.network).await.unwrap();
    let status = phone.status().unwrap();
    assert_eq!((status.stuck_because, status.attachments_pending), (None, 0));
    fetch(&tablet, &town.network, attachment).await.unwrap();
    assert!(saved(&town, &tablet, attachment, Part::File) == sent);
}

#[tokio::test]
async fn a_guest_gets_the_familys_attachment_and_nothing_of_the_dossier() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let family = phone.found_circle(CircleKind::Family, "Familie").unwrap();
    phone.sync(&town.network).await.unwrap();
    let into = PairInto::Circle { circle: family, role: MemberRole::Viewer };
    let (partner, _) = town.pair(&phone, "partner_phone", into).await;
    let plan = phone.create_in(family, "plan", titled("Als de bel gaat")).unwrap();
    let shared = add(&phone, AttachTo::Record(plan), "plattegrond.jpg", &photo(CHUNK_BYTES + 1));
    add(&phone, AttachTo::Circle(home(&phone)), "aangifte.jpg", &photo(100));
    assert_eq!(view(&phone, shared).circle, family);
    phone.sync(&town.network).await.unwrap();
    partner.sync(&town.network).await.unwrap();
    let names: Vec<String> = partner.attachments(None).unwrap().into_iter().map(|view| view.name).collect();
    assert_eq!(names, ["plattegrond.jpg"]);
    fetch(&partner, &town.network, shared).await.unwrap();
    assert!(saved(&town, &partner, shared, Part::File) == photo(CHUNK_BYTES + 1));
    // A viewer adds nothing, and nothing of what it tried lies about.
    let new = NewAttachment { name: "x", media_type: "text/plain", thumbnail: None };
    let added = partner.add_attachment(AttachTo::Record(plan), new, &mut Cursor::new(b"x"), &|_| ());
    assert!(matches!(added, Err(BakenError::MayNotWrite)));
    assert_eq!(std::fs::read_dir(town.folder.path().join("partner_phone").join("blobs")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_deleted_attachment_comes_back_within_thirty_days_and_is_gone_after() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let attachment = add(&phone, AttachTo::Circle(home(&phone)), "voordeur.jpg", &photo(100));
    let blobs = |name: &str| std::fs::read_dir(town.folder.path().join(name).join("blobs")).unwrap().count();
    for device in [&phone, &tablet] {
        device.sync(&town.network).await.unwrap();
    }
    fetch(&tablet, &town.network, attachment).await.unwrap();
    phone.delete(attachment).unwrap();
    for days in [0, 29] {
        town.clock.advance_ms(days * DAY_MS);
        for device in [&phone, &tablet] {
            device.sync(&town.network).await.unwrap();
        }
    }
    assert_eq!((chunks_at_relay(&town), blobs("mayor_phone"), blobs("mayor_tablet")), (2, 2, 1));
    phone.restore(attachment).unwrap();
    phone.sync(&town.network).await.unwrap();
    assert_eq!(saved(&town, &phone, attachment, Part::File), photo(100));

    // Deleted again, its days are counted anew; and another record that names the same file keeps it.
    phone.delete(attachment).unwrap();
    let fields = phone.record(attachment).unwrap().fields;
    let file = fields.iter().find(|field| field.name == Some("blob")).unwrap().values[0].value.clone();
    let other = phone.create("attachment", vec![("blob".to_owned(), file)]).unwrap();
    for days in [1, 31] {
        town.clock.advance_ms(days * DAY_MS);
        phone.sync(&town.network).await.unwrap();
    }
    assert_eq!((chunks_at_relay(&town), blobs("mayor_phone")), (1, 1), "only the small picture is gone");
    assert_eq!(saved(&town, &phone, other, Part::File), photo(100));
    phone.delete(other).unwrap();
    for days in [1, 31] {
        town.clock.advance_ms(days * DAY_MS);
        phone.sync(&town.network).await.unwrap();
        tablet.sync(&town.network).await.unwrap();
    }
    assert_eq!((chunks_at_relay(&town), blobs("mayor_phone")), (0, 0));
    let gone = phone.save_attachment(other, Part::File, &town.folder.path().join("saved"), Existing::Replace);
    assert!(matches!(gone, Err(BakenError::AttachmentNotHere)));
}

/// A camera that is still writing.
struct Growing(Cursor<Vec<u8>>);

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.get_mut().push(1);
        self.0.read(buffer)
    }
}

impl Seek for Growing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl Source for Growing {
    fn stamp(&self) -> std::io::Result<Stamp> {
        Ok(Stamp { size: self.0.get_ref().len() as u64, changed: None })
    }
}

/// Restorable means with its file, on every device: also of what was deleted before it was ever sent.
#[tokio::test]
async fn what_was_deleted_before_it_was_sent_is_restored_with_its_file_elsewhere() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let attachment = add(&phone, AttachTo::Circle(home(&phone)), "voordeur.jpg", &photo(100));
    phone.delete(attachment).unwrap();
    assert_eq!(phone.status().unwrap().attachments_pending, 1);
    phone.sync(&town.network).await.unwrap();
    assert_eq!(phone.status().unwrap().attachments_pending, 0);
    tablet.sync(&town.network).await.unwrap();
    tablet.restore(attachment).unwrap();
    fetch(&tablet, &town.network, attachment).await.unwrap();
    assert!(saved(&town, &tablet, attachment, Part::File) == photo(100));
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_added_is_refused_and_leaves_nothing() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let new = NewAttachment { name: "film.mp4", media_type: "video/mp4", thumbnail: None };
    let mut source = Growing(Cursor::new(photo(3 * CHUNK_BYTES)));
    let refused = phone.add_attachment(AttachTo::Circle(home(&phone)), new, &mut source, &|_| ()).unwrap_err();
    assert_eq!(refused.code(), "attachment_changed");
    assert!(refused.help().contains("no longer written to"));
    assert!(phone.attachments(None).unwrap().is_empty());
    assert_eq!(std::fs::read_dir(town.folder.path().join("mayor_phone").join("blobs")).unwrap().count(), 0);
}
