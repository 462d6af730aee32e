//! What is over goes, and nothing that is open or that somebody has still to take.

use baken_schemas::alarm::{Alarm, Card, CardBody, Receipt, ReceiptDetail, ReceiptState, Update, UpdateBody};
use baken_schemas::api;
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use baken_server::audit;
use baken_server::relay::RelayOptions;
use baken_server::store::StoreError;

use crate::relay::world::{AUTHORITY, FIRST_WAIT_MS, World, alarm_body, open_with};

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The tables with rows of alarms, and those where they lie in between.
const TABLES: [&str; 9] =
    ["alarm", "alarm_update", "alarm_sms", "receipt", "handed", "ladder_rung", "ladder_run", "document", "mail"];

impl World {
    fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.relay.store().read(|db| Ok::<_, StoreError>(db.query_row(&sql, [], |row| row.get(0))?)).unwrap()
    }

    fn pages(&self) -> i64 {
        let sql = "PRAGMA page_count";
        self.relay.store().read(|db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?)).unwrap()
    }

    /// Takes all of a device's mail, and says so to the relay by asking for what lies behind it.
    async fn take_all(&mut self, keys: &DeviceKeys) {
        let mut after = 0;
        loop {
            let Some((last, _)) = self.mail(keys, after).await.pop() else { return };
            after = last;
        }
    }

    /// A desk's receipt with an officer's sealed word in it.
    fn by_officer(&mut self, desk: &DeviceKeys, alarm: &Signed<Alarm>, state: ReceiptState) -> Signed<Receipt> {
        let plain = self.receipt(desk, alarm, state).into_value();
        let detail = ReceiptDetail { officer: "Agent Jansen".to_owned(), text: String::new() };
        // Whom it can be opened by matters to nobody here.
        let (_, content) = self.alarm(desk);
        Receipt::make(plain, Some((&detail, &content)), &desk.sig, &mut self.rng).unwrap()
    }

    /// A desk's machine answers, as it does to probes.
    async fn answer_probe(&mut self, desk: &DeviceKeys, probe: &Signed<Alarm>) {
        for state in [ReceiptState::Received, ReceiptState::Closed] {
            let receipt = self.receipt(desk, probe, state);
            self.send_receipt(desk, &receipt).await.ok();
        }
    }

    /// Officers have an alarm and close it.
    async fn close(&mut self, desk: &DeviceKeys, alarm: &Signed<Alarm>) {
        let received = self.receipt(desk, alarm, ReceiptState::Received);
        self.send_receipt(desk, &received).await.ok();
        for state in [ReceiptState::Seen, ReceiptState::Closed] {
            let receipt = self.by_officer(desk, alarm, state);
            self.send_receipt(desk, &receipt).await.ok();
        }
    }

    /// The relay started again, so that it keeps closed alarms for these days.
    async fn keep_closed(&mut self, days: i64) {
        self.relay.close();
        let authorities = vec![AUTHORITY.to_owned()];
        let options = RelayOptions { authorities, closed_kept_ms: days * DAY_MS, ..RelayOptions::default() };
        self.relay = open_with(options, self.dir.path(), &self.clock, &self.relay_keys, &mut self.rng).await;
    }

    async fn later(&self, ms: i64) {
        self.clock.advance(ms);
        self.sweep().await;
    }
}

#[tokio::test]
async fn months_of_probes_leave_the_relays_file_bounded() {
    let mut world = World::new().await;
    let (phone, desk) = (world.phone().await, world.desks[0].clone());
    let (mut sizes, mut rows) = (Vec::new(), Vec::new());
    // As many as a phone sends in an hour, once a day: what is kept for days comes to its level as with all of them.
    for _ in 0..45 {
        for _ in 0..12 {
            let (probe, _) = world.alarm(&phone);
            world.press(&phone, &probe).await.ok();
            world.answer_probe(&desk, &probe).await;
        }
        world.take_all(&phone).await;
        world.take_all(&desk).await;
        // The first sweep writes down what was taken.
        world.sweep().await;
        world.later(DAY_MS).await;
        sizes.push(world.pages());
        rows.push(TABLES.map(|table| world.rows(table)));
    }
    // From the 33rd day on nothing of the first days is left, such as the mail with the directory.
    assert_eq!(rows[44], rows[33], "nothing of a probe stays: {TABLES:?}");
    assert_eq!(world.rows("alarm"), 0);
    assert!(world.rows("cleared_alarm") <= 24, "{}", world.rows("cleared_alarm"));
    // Only the audit has grown, by a row for each probe; it goes too after its time.
    let (page, probes) = (4096, 12 * 11);
    let grown = (sizes[44] - sizes[33]) * page;
    assert!(grown <= probes * 400, "{grown} bytes for {probes} probes");
    let before = world.rows("audit");
    world.clock.advance(401 * DAY_MS);
    for _ in 0..5000 {
        let now = world.relay.now();
        world
            .relay
            .store()
            .write(baken_server::store::Priority::Normal, move |db| {
                let event =
                    audit::Event { at: now.plus_ms(-401 * DAY_MS), actor: "t", act: "t", subject: "", result: "ok" };
                audit::append(db, &event)?;
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    }
    world.sweep().await;
    let (start, head) =
        world.relay.store().read(|db| Ok::<_, StoreError>((audit::start(db)?, audit::verify(db).unwrap()))).unwrap();
    assert_eq!(start.seq, 4096);
    assert!(head.seq > u64::try_from(before + 5000).unwrap());
    assert!(world.rows("audit") < before + 5000 - 4000);
}

#[tokio::test]
async fn oncall_3111_an_alarm_closed_long_ago_goes_and_what_is_brought_again_is_no_new_one() {
    let mut world = World::new().await;
    world.keep_closed(5).await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, content) = world.alarm(&phone);
    let stored = world.press(&phone, &alarm).await.ok();
    let body = UpdateBody {
        fix: alarm_body().fix,
        battery_percent: None,
        text: String::new(),
        made_at: Timestamp(0),
        attachment: None,
    };
    let id = alarm.value().header.alarm;
    let update = Update::seal((id, phone.device, 1), &body, &content, &phone.alarm, &mut world.rng).unwrap();
    world.call_locked(&phone, "POST", api::UPDATES, update.bytes()).await.ok();
    // The second desk is called too.
    world.clock.advance(FIRST_WAIT_MS);
    world.relay.tick(world.relay.now()).await.unwrap();
    world.close(&first, &alarm).await;
    for keys in [&phone, &first] {
        world.take_all(keys).await;
    }
    world.sweep().await;
    world.clock.advance(4 * DAY_MS);
    let fresh = world.alarm(&phone).0;
    world.press(&phone, &fresh).await.ok();
    // After its days, but the second desk has not taken its mail yet.
    world.later(4 * DAY_MS).await;
    assert_eq!((world.rows("alarm"), world.rows("receipt")), (2, 5));
    world.take_all(&second).await;
    world.sweep().await;
    for (table, rows) in [("alarm", 1), ("alarm_update", 0), ("handed", 1), ("receipt", 1), ("cleared_alarm", 1)] {
        assert_eq!(world.rows(table), rows, "{table}");
    }
    // Sent again, also after what was answered is forgotten: the very same receipt, and nobody is called.
    world.later(8 * DAY_MS).await;
    assert_eq!(world.press(&phone, &alarm).await.ok(), stored);
    assert_eq!((world.rows("alarm"), world.rows("ladder_run")), (1, 1));
    world.call_locked(&phone, "POST", api::UPDATES, update.bytes()).await.ok();
    assert_eq!(world.rows("alarm_update"), 0);
    // What a desk still says of it is taken, so that it does not say it for ever.
    let late = world.by_officer(&second, &alarm, ReceiptState::Seen);
    world.send_receipt(&second, &late).await.ok();
    // Another's bytes under its id are what they were before.
    let header = alarm.value().header;
    let (other, _) = Alarm::seal(header, &alarm_body(), world.directory.value(), &phone.alarm, &mut world.rng).unwrap();
    world.press(&phone, &other).await.is(409, "alarm_conflict");
    assert_eq!(world.audited("alarm_stored").len(), 2);
}

#[tokio::test]
async fn what_is_open_stays_however_old_it_is() {
    let mut world = World::new().await;
    let (phone, desk) = (world.phone().await, world.desks[0].clone());
    let (unseen, held) = (world.alarm(&phone).0, world.alarm(&phone).0);
    for alarm in [&unseen, &held] {
        world.press(&phone, alarm).await.ok();
    }
    let seen = world.by_officer(&desk, &held, ReceiptState::Seen);
    world.send_receipt(&desk, &seen).await.ok();
    for keys in [&phone, &desk] {
        world.take_all(keys).await;
    }
    for _ in 0..5 {
        world.later(200 * DAY_MS).await;
    }
    assert_eq!((world.rows("alarm"), world.rows("cleared_alarm")), (2, 0));
}

#[tokio::test]
async fn a_probe_releases_no_card() {
    let mut world = World::new().await;
    let (phone, desk) = (world.phone().await, world.desks[0].clone());
    let path = api::CARD.replace("{device}", &phone.device.to_string());
    let key = SymmetricKey::make(&mut world.rng);
    let card = Card::seal(phone.device, 1, &CardBody::default(), &key, &phone.sig, &mut world.rng).unwrap();
    world.call(&phone, "PUT", &path, card.bytes()).await.ok();
    let (probe, _) = world.alarm(&phone);
    world.press(&phone, &probe).await.ok();
    world.answer_probe(&desk, &probe).await;
    world.call(&desk, "GET", &path, &[]).await.is(403, "not_handed");
    // Nor does the ladder's stop behind it fill the audit.
    assert!(world.audited("ladder_stopped").is_empty());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    world.close(&desk, &alarm).await;
    assert_eq!(world.call(&desk, "GET", &path, &[]).await.ok(), card.bytes());
    assert_eq!(world.audited("ladder_stopped").len(), 1);
}

#[tokio::test]
async fn alarms_of_before_are_read_and_go_like_others() {
    let mut world = World::new().await;
    let (phone, desk) = (world.phone().await, world.desks[0].clone());
    let (open, closed, probe) = (world.alarm(&phone).0, world.alarm(&phone).0, world.alarm(&phone).0);
    for alarm in [&open, &closed, &probe] {
        world.press(&phone, alarm).await.ok();
    }
    world.close(&desk, &closed).await;
    world.answer_probe(&desk, &probe).await;
    let forget = |db: &rusqlite::Connection| {
        db.execute("UPDATE alarm SET standing = 0, closed_at = 0", [])?;
        Ok::<_, StoreError>(())
    };
    world.relay.store().write(baken_server::store::Priority::Normal, forget).await.unwrap();
    for keys in [&phone, &desk] {
        world.take_all(keys).await;
    }
    world.sweep().await;
    world.later(2 * HOUR_MS).await;
    assert_eq!(world.rows("alarm"), 2);
    world.later(30 * DAY_MS).await;
    let left: Vec<[u8; 16]> = world
        .relay
        .store()
        .read(|db| {
            let mut statement = db.prepare("SELECT alarm FROM alarm")?;
            Ok::<_, StoreError>(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
        .unwrap();
    assert_eq!(left, [open.value().header.alarm.0]);
}
