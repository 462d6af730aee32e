//! Circles: the membership log and entries.

use baken_schemas::api::{self, EntriesStored, EntryBatch, Page};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, Cut, Epoch, Member, MemberRole, MemberState, Membership, Operation, Readers};
use baken_schemas::crypto::{Hash, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, next_header};
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::signed::Signed;

use crate::relay::world::{Answer, World};

/// A circle at the relay, as its members know it.
pub struct Circle {
    pub circle: CircleId,
    pub root: SigningKey,
    pub membership: Membership,
    pub key: SymmetricKey,
}

pub fn member(keys: &DeviceKeys) -> Member {
    member_as(keys, MemberRole::Owner)
}

pub fn member_as(keys: &DeviceKeys, role: MemberRole) -> Member {
    Member { device: keys.device, sig: keys.sig.verify_key(), kem: keys.kem.public(), role }
}

pub fn cut(keys: &DeviceKeys, counter: u64) -> Cut {
    Cut { device: keys.device, counter }
}

impl Circle {
    /// The dossier of a phone's account.
    pub async fn found(world: &mut World, phone: &DeviceKeys) -> Self {
        Self::found_as(world, phone, CircleKind::Dossier).await
    }

    pub async fn found_as(world: &mut World, phone: &DeviceKeys, kind: CircleKind) -> Self {
        let (mut founded, genesis) = Self::prepare(world, phone, kind);
        world.call(phone, "POST", &founded.path(api::LOG), &genesis).await.ok();
        let epoch = founded.next_epoch(world, None);
        founded.record(world, phone, Operation::Epoch { epoch }).await;
        founded
    }

    /// A circle that the relay does not know yet, and its first record.
    pub fn prepare(world: &mut World, phone: &DeviceKeys, kind: CircleKind) -> (Self, Vec<u8>) {
        let (circle, root) = (CircleId::make(&mut world.rng), SigningKey::make(&mut world.rng));
        let signer = if kind == CircleKind::Dossier { &root } else { &phone.sig };
        let (membership, genesis) = Membership::found(circle, kind, root.verify_key(), None, member(phone), signer);
        let key = SymmetricKey::make(&mut world.rng);
        (Self { circle, root, membership, key }, genesis.bytes().to_vec())
    }

    pub fn path(&self, route: &str) -> String {
        route.replace("{circle}", &self.circle.to_string())
    }

    /// The next epoch, without one device if so named; its key is the circle's from now on.
    pub fn next_epoch(&mut self, world: &mut World, without: Option<DeviceId>) -> Epoch {
        let left = without.map_or_else(|| self.membership.clone(), |device| self.membership.without(device).unwrap());
        self.epoch_of(world, &left)
    }

    /// The next epoch for those who read in `of`.
    pub fn epoch_of(&mut self, world: &mut World, of: &Membership) -> Epoch {
        let number = self.membership.epoch() + 1;
        let before = (number > 1).then(|| self.key.clone());
        let readers = of.readers();
        let readers = Readers { members: &readers, recovery: of.recovery() };
        let (epoch, key) = Epoch::make(self.circle, number, readers, before.as_ref(), &mut world.rng).unwrap();
        self.key = key;
        epoch
    }

    /// Posts the next record, signed by its author; the relay takes it.
    pub async fn record(&mut self, world: &mut World, author: &DeviceKeys, operation: Operation) {
        let record = self.membership.next(author.device, operation, &author.sig);
        world.call(author, "POST", &self.path(api::LOG), record.bytes()).await.ok();
        self.membership.apply(record.bytes()).unwrap();
    }

    /// Posts what would be the next record, which the relay is to refuse.
    pub async fn attempt(&self, world: &mut World, author: &DeviceKeys, operation: Operation) -> Answer {
        let record = self.membership.next(author.device, operation, &author.sig);
        world.call(author, "POST", &self.path(api::LOG), record.bytes()).await
    }

    /// An owner adds a device, and gives it the key.
    pub async fn add(&mut self, world: &mut World, by: &DeviceKeys, keys: &DeviceKeys, role: MemberRole) {
        self.record(world, by, Operation::Add { member: member_as(keys, role) }).await;
        if matches!(self.membership.state(keys.device), Some(MemberState::Proposed { .. })) {
            self.record(world, by, Operation::Confirm { device: keys.device }).await;
        }
        let epoch = self.next_epoch(world, None);
        self.record(world, by, Operation::Epoch { epoch }).await;
    }

    /// An owner removes a device of which `counter` entries count.
    pub async fn remove(&mut self, world: &mut World, by: &DeviceKeys, keys: &DeviceKeys, counter: u64) {
        let epoch = self.next_epoch(world, Some(keys.device));
        self.record(world, by, Operation::Remove { cut: cut(keys, counter), epoch }).await;
    }

    pub fn entry(&self, world: &mut World, writer: &DeviceKeys, previous: Option<&Entry>) -> Entry {
        self.entry_of(world, writer, previous, EntryKind::Changes)
    }

    pub fn entry_of(&self, world: &mut World, writer: &DeviceKeys, previous: Option<&Entry>, kind: EntryKind) -> Entry {
        let slot = self.membership.slot(writer.device).unwrap_or(0);
        let previous = previous.map(|entry| (entry.header().counter, entry.hash()));
        let header = next_header(kind, self.circle, self.membership.epoch(), slot, previous, &mut world.rng);
        let body = EntryBody {
            device: writer.device,
            hlc: 0,
            log: Some(self.membership.head()),
            heads: Vec::new(),
            schema: SCHEMA,
            changes: vec![7],
        };
        Entry::seal(header, &body, &self.key, &writer.sig, &mut world.rng).unwrap()
    }

    /// Posts entries; the relay takes them.
    pub async fn send(&self, world: &mut World, writer: &DeviceKeys, entries: &[&Entry]) -> EntriesStored {
        let body = world.call(writer, "POST", &self.path(api::ENTRIES), &batch(entries)).await.ok();
        cbor::from_slice(&body, "stored").unwrap()
    }

    /// The page of entries behind a cursor, which a member acknowledges by asking.
    pub async fn page(&self, world: &mut World, keys: &DeviceKeys, after: u64) -> Page {
        page(world, keys, &format!("{}?after={after}", self.path(api::ENTRIES))).await
    }
}

pub fn batch(entries: &[&Entry]) -> Vec<u8> {
    cbor::to_vec(&EntryBatch { entries: entries.iter().map(|entry| entry.bytes().to_vec().into()).collect() })
}

pub async fn page(world: &mut World, keys: &DeviceKeys, path: &str) -> Page {
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
    circle.record(&mut world, &phone, Operation::Confirm { device: tablet.device }).await;
    // The tablet is in: it writes under its own slot, and reads the whole log.
    let entry = circle.entry(&mut world, &tablet, None);
    world.call(&phone, "POST", &entries, &batch(&[&entry])).await.is(403, "not_member");
    world.call(&tablet, "POST", &entries, &batch(&[&entry])).await.ok();
    let records = page(&mut world, &tablet, &log).await;
    assert_eq!(records.items.iter().map(|item| item.cursor).collect::<Vec<_>>(), [0, 1, 2, 3]);
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
    let skipping = Signed::make(skipping, &phone.sig);
    world.call(&phone, "POST", &log, skipping.bytes()).await.is(422, "rule_broken");
    // Nor does a stranger start the circle anew.
    let root = SigningKey::make(&mut world.rng);
    let (_, genesis) =
        Membership::found(circle.circle, CircleKind::Dossier, root.verify_key(), None, member(&stranger), &root);
    world.call(&stranger, "POST", &log, genesis.bytes()).await.is(409, "log_conflict");
}
