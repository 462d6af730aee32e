//! Devices of one circle in memory, and a list in place of a relay.

use std::sync::{Arc, Mutex};

use baken_schemas::circle::{CircleKind, Cut, Operation};
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{FieldNumber, Value};
use baken_schemas::time::{Clock, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rusqlite::Connection;

use crate::circle::{self, Circle, Circles, Founding, member_of};
use crate::key_store::{KeyStore, PlatformSecret};
use crate::record::{RecordView, all_views, edit_all, erase, store};
use crate::sync::engine::{Sync, SyncEvent};
use crate::sync::seal::Author;
use crate::sync::{checkpoint, rows};
use crate::vault::{SCHEMA, database};
use crate::{BakenError, Context};

/// A clock that a test sets.
pub(crate) struct TestClock(pub(crate) Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct NoKeyStore;

impl KeyStore for NoKeyStore {
    fn load(&self) -> Result<Option<PlatformSecret>, BakenError> {
        Ok(None)
    }
    fn store(&self, _: &PlatformSecret) -> Result<(), BakenError> {
        Err(BakenError::KeyStoreLost)
    }
    fn forget(&self) -> Result<(), BakenError> {
        Ok(())
    }
}

pub(crate) struct Phone {
    pub(crate) connection: Connection,
    pub(crate) circle: Circle,
    pub(crate) keys: DeviceKeys,
    pub(crate) context: Context,
    pub(crate) clock: Arc<TestClock>,
    /// How far it has read the list.
    pub(crate) cursor: usize,
}

/// `count` devices of one circle, owners all, knowing each other and every epoch key. The log lies in the founder.
pub(crate) fn phones(count: usize) -> Vec<Phone> {
    let mut rng = StdRng::seed_from_u64(count as u64);
    let id = CircleId::make(&mut rng);
    let root = SigningKey::make(&mut rng);
    let keys: Vec<DeviceKeys> = (0..count).map(|_| DeviceKeys::make(&mut rng)).collect();
    let founder_db = database::open_in_memory(SCHEMA).unwrap();
    let founding = Founding {
        circle: id,
        kind: CircleKind::Family,
        root: root.verify_key(),
        signer: &keys[0].sig,
        recovery: None,
    };
    let mut founder = Circle::found(&founder_db, founding, &keys[0], &mut rng).unwrap();
    for joining in &keys[1..] {
        let record = founder.record(Operation::Add { member: member_of(joining) }, &keys[0]);
        founder.apply(&founder_db, record.bytes(), &keys[0]).unwrap();
        let record = founder.epoch_record(&keys[0], &mut rng).unwrap();
        founder.apply(&founder_db, record.bytes(), &keys[0]).unwrap();
    }
    let log = circle::records_from(&founder_db, founder.row(), 0).unwrap();
    keys.into_iter().enumerate().map(|(slot, keys)| phone(&log, id, keys, 1000 + slot as u64)).collect()
}

/// A device that reads a log and knows nothing else.
pub(crate) fn phone(log: &[Vec<u8>], id: CircleId, keys: DeviceKeys, seed: u64) -> Phone {
    let connection = database::open_in_memory(SCHEMA).unwrap();
    let mut circle = Circle::join(&connection, id, &log[0], &keys).unwrap();
    for record in &log[1..] {
        circle.apply(&connection, record, &keys).unwrap();
    }
    let clock = Arc::new(TestClock(Mutex::new(Timestamp(1_795_465_407_000))));
    let context = Context::new(clock.clone(), Box::new(StdRng::seed_from_u64(seed)), Arc::new(NoKeyStore));
    Phone { connection, circle, keys, context, clock, cursor: 0 }
}

impl Phone {
    pub(crate) fn engine(&mut self) -> Sync<'_> {
        Sync { connection: &mut self.connection, circle: &self.circle, keys: &self.keys, context: &self.context }
    }

    /// Puts a field of a contact.
    pub(crate) fn put(&mut self, record: RecordId, field: FieldNumber, text: &str) {
        self.put_value(record, 2, field, Value::Text(text.to_owned()));
    }

    pub(crate) fn put_value(&mut self, record: RecordId, kind: u16, field: FieldNumber, value: Value) {
        self.pass_ms(10);
        let author = Author { circle: &self.circle, keys: &self.keys, context: &self.context };
        edit_all(&mut self.connection, author, record, kind, vec![(field, value)]).unwrap();
    }

    pub(crate) fn pass_ms(&self, ms: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus_ms(ms);
    }

    /// Sends everything to the list, as a relay that acknowledges it.
    pub(crate) fn send(&mut self, list: &mut Vec<Vec<u8>>) {
        loop {
            let entries = self.engine().outgoing().unwrap();
            let Some(last) = entries.last() else { return };
            let last = baken_schemas::entry::Entry::parse(last).unwrap();
            list.extend(entries);
            self.engine().stored(last.header().counter, last.hash()).unwrap();
        }
    }

    /// Reads at most `count` further entries of the list.
    pub(crate) fn receive(&mut self, list: &[Vec<u8>], count: usize) -> Vec<SyncEvent> {
        let end = (self.cursor + count).min(list.len());
        let entries: Vec<&[u8]> = list[self.cursor..end].iter().map(Vec::as_slice).collect();
        self.cursor = end;
        self.engine().incoming(&entries, Some(end as u64)).unwrap()
    }

    /// What is done at sync about deleted records.
    pub(crate) fn tidy(&mut self) {
        let author = Author { circle: &self.circle, keys: &self.keys, context: &self.context };
        erase::tidy(&mut self.connection, author).unwrap();
    }

    /// Takes out a device, and hands the record to all `others`.
    pub(crate) fn remove(&mut self, slot: u16) -> Vec<u8> {
        let device = self.circle.device(slot).unwrap();
        let readers = self.circle.membership().without(device).unwrap();
        let epoch = self.context.with_rng(|rng| self.circle.epoch_for(&readers, rng)).unwrap();
        let head = rows::head(&self.connection, self.circle.row(), slot).unwrap();
        let cut = Cut { device, counter: head.map_or(0, |head| head.counter) };
        let record = self.circle.record(Operation::Remove { cut, epoch }, &self.keys);
        record.bytes().to_vec()
    }

    /// The program ends and starts again: only what lies on disk is left.
    pub(crate) fn restart(&mut self) {
        let circles = Circles::load(&self.connection, self.circle.id(), &self.keys).unwrap();
        self.circle = circles.home().clone();
    }

    /// Takes in a log record.
    pub(crate) fn learn(&mut self, record: &[u8]) {
        self.circle.apply(&self.connection, record, &self.keys).unwrap();
        self.engine().retry().unwrap();
    }

    /// Writes a checkpoint into its chain.
    pub(crate) fn write_checkpoint(&mut self) {
        let author = Author { circle: &self.circle, keys: &self.keys, context: &self.context };
        let tx = self.connection.transaction().unwrap();
        checkpoint::make(&tx, author).unwrap();
        tx.commit().unwrap();
    }

    /// Everything it shows, in an order of its own.
    pub(crate) fn state(&self) -> Vec<RecordView> {
        store::settle(&self.connection, &self.circle, self.context.now()).unwrap();
        let mut views = all_views(&self.connection, &self.circle, None).unwrap();
        views.sort_by_key(|view| (view.record, view.kind));
        views
    }

    /// The texts of a field, sorted.
    pub(crate) fn texts(&self, record: RecordId, field: FieldNumber) -> Vec<String> {
        let view = self.state().into_iter().find(|view| view.record == record).unwrap();
        let field = view.fields.iter().find(|view| view.field == field).unwrap();
        let mut texts: Vec<String> = field
            .values
            .iter()
            .map(|value| match &value.value {
                Value::Text(text) => text.clone(),
                other => format!("{other:?}"),
            })
            .collect();
        texts.sort_unstable();
        texts
    }
}

/// Everybody sends and reads until nothing moves.
pub(crate) fn settle(phones: &mut [Phone], list: &mut Vec<Vec<u8>>) {
    for phone in phones.iter_mut() {
        phone.send(list);
    }
    for phone in phones {
        phone.receive(list, usize::MAX / 2);
    }
}

/// A record id made of one byte.
pub(crate) fn record(byte: u8) -> RecordId {
    RecordId([byte; 16])
}
