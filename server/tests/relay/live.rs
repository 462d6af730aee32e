//! The live stream: tells what is new, resumes by cursor, ends when the relay stops.

use std::time::Duration;

use axum::body::Body;
use baken_schemas::alarm::ReceiptState;
use baken_schemas::api::{self, LiveEvent, MailKind};
use baken_schemas::cbor;
use baken_schemas::circle::CircleKind;
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::Entry;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::request::RequestKey;
use baken_schemas::time::Clock as _;
use data_encoding::BASE64;
use http_body_util::BodyExt as _;

use crate::relay::circles::{Circle, batch};
use crate::relay::world::{FIRST_WAIT_MS, World};

/// How long an event may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open live stream.
pub struct Stream {
    body: Body,
    text: String,
}

impl Stream {
    pub async fn open(world: &mut World, keys: &DeviceKeys, key: RequestKey, query: &str) -> Self {
        let idempotency = IdempotencyKey::make(&mut world.rng);
        let address = format!("{}?{query}", api::LIVE);
        let response = world.request(World::signed(keys, key, ("GET", &address), &[], idempotency)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(data) = data {
                    let bytes = BASE64.decode(data.as_bytes()).unwrap();
                    return Some(cbor::from_slice(&bytes, "event").unwrap());
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("an event in time")?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    async fn mail(&mut self) -> (u64, MailKind, Vec<u8>) {
        match self.next().await {
            Some(LiveEvent::Mail { cursor, mail }) => (cursor, mail.kind, mail.document.to_vec()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_desk_hears_of_an_alarm_and_resumes_behind_its_cursor() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let desk = world.desks[0].clone();
    let read = world.mail(&desk, 0).await.last().map_or(0, |(cursor, _)| *cursor);
    let mut stream = Stream::open(&mut world, &desk, RequestKey::Sig, &format!("mail={read}")).await;
    let (first, _) = world.alarm(&phone);
    world.press(&phone, &first).await.ok();
    let (cursor, kind, document) = stream.mail().await;
    assert_eq!((kind, &document[..]), (MailKind::Alarm, first.bytes()));
    drop(stream);
    // Away meanwhile; nothing is missed, nothing comes twice.
    let (second, _) = world.alarm(&phone);
    world.press(&phone, &second).await.ok();
    let mut stream = Stream::open(&mut world, &desk, RequestKey::Sig, &format!("mail={cursor}")).await;
    let (_, _, document) = stream.mail().await;
    assert_eq!(document, second.bytes());
    let (third, _) = world.alarm(&phone);
    world.press(&phone, &third).await.ok();
    assert_eq!(stream.mail().await.2, third.bytes());
}

#[tokio::test]
async fn a_member_hears_of_entries_and_of_the_log() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let one = circle.entry(&mut world, &phone, None);
    let two = circle.entry(&mut world, &phone, Some(&one));
    let path = circle.path(api::ENTRIES);
    world.call(&phone, "POST", &path, &batch(&[&one])).await.ok();
    let query = format!("circles={}.0", circle.circle);
    let mut stream = Stream::open(&mut world, &phone, RequestKey::Sig, &query).await;
    assert_eq!(stream.next().await, Some(LiveEvent::Log { circle: circle.circle, seq: 1 }));
    for (position, entry) in [&one, &two].into_iter().enumerate() {
        if position == 1 {
            world.call(&phone, "POST", &path, &batch(&[&two])).await.ok();
        }
        match stream.next().await {
            Some(LiveEvent::Entry { circle: of, entry: bytes, .. }) => {
                assert_eq!((of, &bytes[..]), (circle.circle, entry.bytes()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn one_stream_tells_of_several_circles_each_from_its_cursor() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let dossier = Circle::found(&mut world, &phone).await;
    let family = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    let case = Circle::found_as(&mut world, &phone, CircleKind::Case).await;
    for circle in [&dossier, &family, &case] {
        let first = circle.entry(&mut world, &phone, None);
        circle.send(&mut world, &phone, &[&first]).await;
    }
    let read = family.page(&mut world, &phone, 0).await.items[0].cursor;
    let query = format!("mail=0&circles={}.0,{}.{read}", dossier.circle, family.circle);
    let mut stream = Stream::open(&mut world, &phone, RequestKey::Sig, &query).await;
    assert_eq!(stream.next().await, Some(LiveEvent::Log { circle: dossier.circle, seq: 1 }));
    assert!(matches!(stream.next().await, Some(LiveEvent::Entry { circle, .. }) if circle == dossier.circle));
    assert_eq!(stream.next().await, Some(LiveEvent::Log { circle: family.circle, seq: 1 }));
    // Whichever circle has news, the stream wakes; what it was not opened for it does not tell.
    let previous = Entry::parse(&family.page(&mut world, &phone, 0).await.items[0].bytes).unwrap();
    let unheard = Entry::parse(&case.page(&mut world, &phone, 0).await.items[0].bytes).unwrap();
    let unheard = case.entry(&mut world, &phone, Some(&unheard));
    case.send(&mut world, &phone, &[&unheard]).await;
    let heard = family.entry(&mut world, &phone, Some(&previous));
    family.send(&mut world, &phone, &[&heard]).await;
    match stream.next().await {
        Some(LiveEvent::Entry { circle, entry, .. }) => {
            assert_eq!((circle, &entry[..]), (family.circle, heard.bytes()))
        }
        other => panic!("{other:?}"),
    }
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let desk = world.desks[0].clone();
    let receipt = world.receipt(&desk, &alarm, ReceiptState::Received);
    world.send_receipt(&desk, &receipt).await.ok();
    assert_eq!(stream.mail().await.1, MailKind::Receipt);
}

#[tokio::test]
async fn a_stream_of_too_many_circles_or_of_one_twice_is_refused() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await.circle;
    let address = |circles: &str| format!("{}?circles={circles}", api::LIVE);
    let many: Vec<String> = (0..=api::MAX_CIRCLES).map(|number| format!("{number:032x}.0")).collect();
    for wrong in
        [many.join(","), format!("{circle}.0,{circle}.0"), circle.to_string(), format!("{circle}.x"), String::new()]
    {
        world.call(&phone, "GET", &address(&wrong), &[]).await.is(400, "bad_address");
    }
    // One that the caller is not in refuses all.
    let stranger = world.phone().await;
    let other = Circle::found(&mut world, &stranger).await.circle;
    world.call(&phone, "GET", &address(&format!("{circle}.0,{other}.0")), &[]).await.is(403, "not_member");
}

#[tokio::test]
async fn a_desk_that_the_directory_drops_hears_no_more() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let read = world.mail(&first, 0).await.last().map_or(0, |(cursor, _)| *cursor);
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let mut stream = Stream::open(&mut world, &first, RequestKey::Sig, &format!("mail={read}")).await;
    assert_eq!(stream.mail().await.1, MailKind::Alarm);
    world.leave_only(&second, 2).await;
    // What belongs to an alarm goes to everybody who was handed it.
    let receipt = world.receipt(&second, &alarm, ReceiptState::Received);
    world.clock.advance(FIRST_WAIT_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    world.send_receipt(&second, &receipt).await.ok();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_locked_phone_hears_of_its_mail_and_of_nothing_else() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let circle = Circle::found(&mut world, &phone).await;
    let path = format!("{}?circles={}.0", api::LIVE, circle.circle);
    world.call_locked(&phone, "GET", &path, &[]).await.is(403, "alarm_key");
    world.call(&stranger, "GET", &path, &[]).await.is(403, "not_member");
    let mut stream = Stream::open(&mut world, &phone, RequestKey::Alarm, "mail=0").await;
    world.relay.stop();
    assert_eq!(stream.next().await, None);
    assert!(!world.relay.is_ready());
}
