//! Circles: the membership log and entries.

use baken_schemas::api::{self, EntriesStored, EntryBatch, Page};
use baken_schemas::cbor;
use baken_schemas::circle::{Epoch, Member, MemberRole, Membership, Operation};
use baken_schemas::crypto::{Hash, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, SCHEMA, next_header};
use baken_schemas::id::CircleId;

use crate::relay::world::World;

/// A circle of one phone, at the relay.
pub struct Circle {
    pub circle: CircleId,
    pub membership: Membership,
    pub key: SymmetricKey,
}

pub fn member(keys: &DeviceKeys) -> Member {
    Member { device: keys.device, sig: keys.sig.verify_key(), kem: keys.kem.public(), role: MemberRole::Owner }
}

impl Circle {
    pub async fn found(world: &mut World, phone: &DeviceKeys) -> Self {
        let circle = CircleId::make(&mut world.rng);
        let root = SigningKey::make(&mut world.rng);
        let (mut membership, genesis) = Membership::found(circle, &root, member(phone));
        let this = |membership, key| Self { circle, membership, key };
        let (epoch, key) = Epoch::make(circle, 1, membership.members(), &mut world.rng).unwrap();
        let record = membership.next(phone.device, Operation::Epoch { epoch }, &phone.sig);
        membership.apply(record.bytes()).unwrap();
        let founded = this(membership, key);
        world.call(phone, "POST", &founded.path(api::LOG), genesis.bytes()).await.ok();
        world.call(phone, "POST", &founded.path(api::LOG), record.bytes()).await.ok();
        founded
    }

    pub fn path(&self, route: &str) -> String {
        route.replace("{circle}", &self.circle.to_string())
    }

    pub fn entry(&self, world: &mut World, writer: &DeviceKeys, previous: Option<&Entry>) -> Entry {
        let slot = self.membership.slot(writer.device).unwrap_or(0);
        let previous = previous.map(|entry| (entry.header().counter, entry.hash()));
        let header = next_header(self.circle, 1, slot, previous, &mut world.rng);
        let body = EntryBody { device: writer.device, hlc: 0, heads: Vec::new(), schema: SCHEMA, changes: vec![7] };
        Entry::seal(header, &body, &self.key, &writer.sig, &mut world.rng).unwrap()
    }
}

pub fn batch(entries: &[&Entry]) -> Vec<u8> {
    cbor::to_vec(&EntryBatch { entries: entries.iter().map(|entry| entry.bytes().to_vec().into()).collect() })
}

async fn page(world: &mut World, keys: &DeviceKeys, path: &str) -> Page {
    let body = world.call(keys, "GET", path, &[]).await.ok();
    cbor::from_slice(&body, "page").unwrap()
}

#[tokio::test]
async fn entries_come_out_in_the_order_they_were_stored() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let path = circle.path(api::ENTRIES);
    let one = circle.entry(&mut world, &phone, None);
    let two = circle.entry(&mut world, &phone, Some(&one));
    let three = circle.entry(&mut world, &phone, Some(&two));
    let answer = world.call(&phone, "POST", &path, &batch(&[&one, &two])).await.ok();
    let stored: EntriesStored = cbor::from_slice(&answer, "stored").unwrap();
    assert_eq!((stored.counter, stored.hash), (2, two.hash()));
    // Repeats of what is stored are fine, on their own and before what is new.
    world.call(&phone, "POST", &path, &batch(&[&one])).await.ok();
    world.call(&phone, "POST", &path, &batch(&[&two, &three])).await.ok();
    let all = page(&mut world, &phone, &path).await;
    let bytes: Vec<_> = all.items.iter().map(|item| item.bytes.to_vec()).collect();
    assert_eq!(bytes, [one.bytes(), two.bytes(), three.bytes()]);
    assert!(!all.more);
    let rest = page(&mut world, &phone, &format!("{path}?after={}", all.items[1].cursor)).await;
    assert_eq!(rest.items, all.items[2..]);
    world.restart().await;
    let again = page(&mut world, &phone, &path).await;
    assert_eq!(again, all);
}

#[tokio::test]
async fn gaps_forks_strangers_and_other_circles_are_refused_whole() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let circle = Circle::found(&mut world, &phone).await;
    let path = circle.path(api::ENTRIES);
    let one = circle.entry(&mut world, &phone, None);
    let two = circle.entry(&mut world, &phone, Some(&one));
    let three = circle.entry(&mut world, &phone, Some(&two));
    world.call(&phone, "POST", &path, &batch(&[&one, &three])).await.is(409, "entry_out_of_order");
    assert!(page(&mut world, &phone, &path).await.items.is_empty(), "half a batch was kept");
    world.call(&phone, "POST", &path, &batch(&[&one])).await.ok();
    let fork = circle.entry(&mut world, &phone, None);
    world.call(&phone, "POST", &path, &batch(&[&fork])).await.is(409, "entry_conflict");
    let after_fork = circle.entry(&mut world, &phone, Some(&fork));
    world.call(&phone, "POST", &path, &batch(&[&after_fork])).await.is(409, "entry_out_of_order");
    world.call(&stranger, "POST", &path, &batch(&[&two])).await.is(403, "not_member");
    world.call(&stranger, "GET", &path, &[]).await.is(403, "not_member");
    world.call(&stranger, "GET", &circle.path(api::LOG), &[]).await.is(403, "not_member");
    let theirs = Circle::found(&mut world, &stranger).await;
    world.call(&stranger, "POST", &theirs.path(api::ENTRIES), &batch(&[&one])).await.is(422, "rule_broken");
    world.call(&phone, "POST", &path, &batch(&[])).await.is(422, "rule_broken");
    world.call(&phone, "POST", &path, &vec![0; api::MAX_BODY_BYTES + 1]).await.is(413, "too_large");
    world.call_locked(&phone, "GET", &path, &[]).await.is(403, "alarm_key");
    let desk = world.desks[0].clone();
    world.call(&desk, "GET", &path, &[]).await.is(403, "not_allowed");
}

#[tokio::test]
async fn pages_are_bounded_and_go_on_where_the_last_ended() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let path = circle.path(api::ENTRIES);
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..api::PAGE_ITEMS + 44 {
        let next = circle.entry(&mut world, &phone, entries.last());
        entries.push(next);
    }
    for chunk in entries.chunks(api::PAGE_ITEMS) {
        let chunk: Vec<&Entry> = chunk.iter().collect();
        world.call(&phone, "POST", &path, &batch(&chunk)).await.ok();
    }
    let first = page(&mut world, &phone, &path).await;
    assert_eq!((first.items.len(), first.more), (api::PAGE_ITEMS, true));
    let after = first.items.last().unwrap().cursor;
    let second = page(&mut world, &phone, &format!("{path}?after={after}")).await;
    assert_eq!((second.items.len(), second.more), (44, false));
    assert_eq!(second.items.last().unwrap().bytes[..], *entries.last().unwrap().bytes());
    world.call(&phone, "GET", &format!("{path}?after=x"), &[]).await.is(400, "bad_address");
    let end = page(&mut world, &phone, &format!("{path}?after={}", u64::MAX)).await;
    assert!(end.items.is_empty());
}

#[tokio::test]
async fn the_first_record_at_a_number_wins() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = DeviceKeys::make(&mut world.rng);
    world.call(&phone, "POST", api::DEVICES, tablet.identity().bytes()).await.ok();
    let mut circle = Circle::found(&mut world, &phone).await;
    let (log, entries) = (circle.path(api::LOG), circle.path(api::ENTRIES));
    let add = circle.membership.next(phone.device, Operation::Add { member: member(&tablet) }, &phone.sig);
    let other = DeviceKeys::make(&mut world.rng);
    let rival = circle.membership.next(phone.device, Operation::Add { member: member(&other) }, &phone.sig);
    world.call(&phone, "POST", &log, add.bytes()).await.ok();
    world.call(&phone, "POST", &log, add.bytes()).await.ok();
    world.call(&phone, "POST", &log, rival.bytes()).await.is(409, "log_conflict");
    circle.membership.apply(add.bytes()).unwrap();
    // The tablet is in: it writes under its own slot, and reads the whole log.
    let entry = circle.entry(&mut world, &tablet, None);
    world.call(&phone, "POST", &entries, &batch(&[&entry])).await.is(403, "not_member");
    world.call(&tablet, "POST", &entries, &batch(&[&entry])).await.ok();
    let records = page(&mut world, &tablet, &log).await;
    assert_eq!(records.items.iter().map(|item| item.cursor).collect::<Vec<_>>(), [0, 1, 2]);
    let mut replayed = Membership::start(circle.circle, &records.items[0].bytes).unwrap();
    for item in &records.items[1..] {
        replayed.apply(&item.bytes).unwrap();
    }
    assert_eq!(replayed, circle.membership);
    let rest = page(&mut world, &tablet, &format!("{log}?after=1")).await;
    assert_eq!(rest.items, records.items[2..]);
}

#[tokio::test]
async fn i9_nobody_but_a_member_adds_a_device() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let circle = Circle::found(&mut world, &phone).await;
    let log = circle.path(api::LOG);
    let operation = Operation::Add { member: member(&stranger) };
    let by_stranger = circle.membership.next(stranger.device, operation.clone(), &stranger.sig);
    world.call(&stranger, "POST", &log, by_stranger.bytes()).await.is(422, "rule_broken");
    let in_anothers_name = circle.membership.next(phone.device, operation.clone(), &stranger.sig);
    world.call(&stranger, "POST", &log, in_anothers_name.bytes()).await.is(422, "bad_signature");
    world.call(&phone, "POST", &log, in_anothers_name.bytes()).await.is(422, "bad_signature");
    let mut skipping = circle.membership.next(phone.device, operation, &phone.sig).into_value();
    skipping.prev = Hash::ZERO;
    let skipping = baken_schemas::signed::Signed::make(skipping, &phone.sig);
    world.call(&phone, "POST", &log, skipping.bytes()).await.is(422, "rule_broken");
    // Nor does a stranger start the circle anew.
    let root = SigningKey::make(&mut world.rng);
    let (_, genesis) = Membership::found(circle.circle, &root, member(&stranger));
    world.call(&stranger, "POST", &log, genesis.bytes()).await.is(409, "log_conflict");
}
