//! What a desk keeps of an alarm, for how long, and what nobody finds any more afterwards.

use baken_schemas::alarm::{Alarm, AlarmKind, NoteKind, ReceiptState};
use baken_schemas::api::MailKind;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;
use baken_server::audit;
use baken_server::desk::officers::Officer;
use baken_server::desk::{Act, ActError, Count, Desk, Ending, Share, database_path, figures_of};
use http::StatusCode;
use rusqlite::{Connection, params};
use std::path::Path;

use crate::desk::console::Browser;
use crate::desk::world::{MAYOR, Phone, World, open};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How much of a text is looked for at a time, in bytes: a page may end in it.
const WINDOW: usize = 24;
/// At how many places of it.
const WINDOWS: usize = 40;

/// Alarm, acknowledged and closed by an officer, with an update and a note.
async fn closed(world: &mut World, phone: &Phone, officer: &Officer, ending: Ending) -> Signed<Alarm> {
    let (alarm, content) = world.ringing(phone).await;
    let id = alarm.value().header.alarm;
    let update = world.update(phone, &alarm, &content, 1);
    world.bring(MailKind::Update, update.bytes()).await;
    let note = world.note(phone, NoteKind::Withdrawn, false, Some(id));
    world.bring(MailKind::Note, note.bytes()).await;
    world.desk.act(id, officer, &Act::Acknowledge { also: false }).await.unwrap();
    let close = Act::Close { outcome: "veilig thuis".to_owned(), ending };
    world.desk.act(id, officer, &close).await.unwrap();
    alarm
}

/// What lies in a column, of every row.
fn stored(dir: &Path, sql: &str) -> Vec<Vec<u8>> {
    let db = Connection::open(database_path(dir)).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).filter(|bytes: &Vec<u8>| !bytes.is_empty()).collect()
}

/// How many places of a text stand in the database's files, its log and free pages included.
fn found(dir: &Path, text: &[u8]) -> usize {
    let path = database_path(dir);
    let log = path.with_extension("db-wal");
    let files = [std::fs::read(path).unwrap(), std::fs::read(log).unwrap_or_default()];
    let step = (text.len() / WINDOWS).max(WINDOW);
    let windows = (0..text.len().saturating_sub(WINDOW - 1)).step_by(step).map(|at| &text[at..at + WINDOW]);
    windows.filter(|window| files.iter().any(|file| file.windows(WINDOW).any(|bytes| bytes == *window))).count()
}

async fn keep(desk: &Desk) {
    while desk.keep_step().await.unwrap() {}
}

#[tokio::test]
async fn after_its_days_nothing_of_a_closed_alarm_is_found_in_the_file_its_log_or_its_free_pages() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let alarm = closed(&mut world, &phone, &officer, Ending::Real).await;
    let open_one = world.ringing(&phone).await.0;
    let dir = world.dir.path().to_owned();
    let secrets: Vec<Vec<u8>> = [
        "SELECT key FROM alarm_key WHERE alarm IN (SELECT alarm FROM alarm WHERE closed_at > 0)",
        "SELECT document FROM alarm WHERE closed_at > 0",
        "SELECT document FROM alarm_update",
        "SELECT document FROM note",
        "SELECT detail FROM receipt",
    ]
    .into_iter()
    .flat_map(|sql| stored(&dir, sql))
    .collect();
    assert_eq!(secrets.len(), 6);
    for secret in &secrets {
        assert!(found(&dir, secret) > 0, "it is looked for where it lies");
    }
    assert_eq!(found(&dir, alarm.bytes()), 0, "what came lies under the alarm's key");
    // A day before its time it is all there.
    world.clock.advance(29 * DAY_MS);
    keep(&world.desk).await;
    assert_eq!(world.view(&alarm).summary.text, "man bij de deur");
    world.clock.advance(2 * DAY_MS);
    keep(&world.desk).await;
    for secret in &secrets {
        assert_eq!(found(&dir, secret), 0);
    }
    for gone in [alarm.bytes(), &b"veilig thuis"[..], b"Agent Jansen"] {
        assert_eq!(found(&dir, gone), 0);
    }
    // What stays: that it was there, how far it got, the audit, and the alarm that is open.
    let view = world.view(&alarm);
    assert_eq!((view.summary.state, view.summary.kind, view.summary.person), (ReceiptState::Closed, None, None));
    assert_eq!(view.keeping.shredded_after_days, Some(30));
    let states: Vec<_> = view.receipts.iter().map(|receipt| (receipt.state, receipt.officer.clone())).collect();
    assert_eq!(states, [(ReceiptState::Received, None), (ReceiptState::Seen, None), (ReceiptState::Closed, None)]);
    assert_eq!(world.view(&open_one).summary.text, "man bij de deur");
    let db = Connection::open(database_path(&dir)).unwrap();
    audit::verify(&db).unwrap();
    let noted: String =
        db.query_row("SELECT subject FROM audit WHERE act = 'alarm_shredded'", [], |row| row.get(0)).unwrap();
    assert_eq!(noted, alarm.value().header.alarm.to_string());
}

#[tokio::test]
async fn oncall_3111_an_alarm_whose_content_is_gone_does_not_ring_again() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let alarm = closed(&mut world, &phone, &officer, Ending::Real).await;
    world.clock.advance(31 * DAY_MS);
    keep(&world.desk).await;
    // The relay brings it again; and other bytes of the same alarm, by the same phone.
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let (header, body) = (alarm.value().header, crate::desk::world::body());
    let directory = world.directory();
    let other = Alarm::seal(header, &body, &directory, &phone.keys.alarm, &mut world.rng).unwrap().0;
    world.bring(MailKind::Alarm, other.bytes()).await;
    assert!(world.desk.alarms(true).unwrap().alarms.is_empty());
    assert_eq!(world.desk.alarms(false).unwrap().alarms.len(), 1);
    for receipt in world.desk.outgoing_receipts().unwrap() {
        assert!(!receipt.document.is_empty());
    }
    // What came of it once more goes with the next look.
    keep(&world.desk).await;
    assert!(stored(world.dir.path(), "SELECT document FROM alarm").is_empty());
}

#[tokio::test]
async fn who_looks_into_a_complaint_keeps_it_longer_and_says_why() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let alarm = closed(&mut world, &phone, &officer, Ending::Real).await;
    let id = alarm.value().header.alarm;
    assert!(matches!(world.desk.hold(id, &officer, "  ").await, Err(ActError::Words)));
    world.desk.hold(id, &officer, "klacht 12").await.unwrap();
    world.desk.hold(id, &officer, "klacht 13").await.unwrap();
    world.clock.advance(400 * DAY_MS);
    keep(&world.desk).await;
    let view = world.view(&alarm);
    assert_eq!(view.summary.text, "man bij de deur");
    let held = view.keeping.held.unwrap();
    assert_eq!((held.officer.as_str(), held.why.as_str(), view.keeping.until), ("Agent Jansen", "klacht 12", None));
    world.desk.release(id, &officer).await.unwrap();
    keep(&world.desk).await;
    assert!(world.view(&alarm).summary.shredded_at.is_some());
    assert!(matches!(world.desk.hold(id, &officer, "te laat").await, Err(ActError::Shredded)));
    let acts: Vec<Vec<u8>> = stored(
        world.dir.path(),
        "SELECT CAST(act AS BLOB) FROM audit WHERE act IN ('alarm_held', 'alarm_released', 'alarm_shredded')",
    );
    assert_eq!(acts, [&b"alarm_held"[..], b"alarm_released", b"alarm_shredded"]);
}

#[tokio::test]
async fn figures_outlive_what_they_were_counted_from() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    for number in 0..24 {
        let ending = if number % 4 == 0 { Ending::Real } else { Ending::FalseAlarm };
        closed(&mut world, &phone, &officer, ending).await;
    }
    for _ in 0..6 {
        let probe = world.alarm(&phone, AlarmKind::Probe).0;
        world.bring(MailKind::Alarm, probe.bytes()).await;
        let test = world.alarm(&phone, AlarmKind::Test).0;
        world.bring(MailKind::Alarm, test.bytes()).await;
    }
    let before = world.desk.figures(12).unwrap();
    assert_eq!((before.calls.came_in, before.calls.seen), (Count::Exactly(24), Count::Exactly(24)));
    assert_eq!(before.calls.within_10_s, Some(Share { percent: 100.0, at_most: false }));
    assert_eq!(before.false_alarms, Some(Share { percent: 75.0, at_most: false }));
    assert_eq!(before.endings[&Ending::Real], Count::Exactly(6));
    assert_eq!((before.tests.came_in, before.tests.seen, before.probes), (Count::Exactly(6), Count::Exactly(0), 6));
    world.clock.advance(31 * DAY_MS);
    keep(&world.desk).await;
    let leads: i64 = Connection::open(database_path(world.dir.path()))
        .unwrap()
        .query_row("SELECT count(*) FROM figure WHERE hash IS NOT NULL AND kind = 'panic'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(leads, 0);
    let now = world.clock.now();
    let after = figures_of(world.dir.path(), 12, now).unwrap();
    assert_eq!((&after.calls, &after.kinds, &after.endings), (&before.calls, &before.kinds, &before.endings));
    assert_eq!(figures_of(world.dir.path(), 1, now.plus_ms(62 * DAY_MS)).unwrap().calls.came_in, Count::Exactly(0));
}

#[tokio::test]
async fn alarms_of_before_get_their_keys_and_are_counted() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.alarm(&phone, AlarmKind::Medical);
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(database_path(dir.path())).unwrap();
    for script in [
        audit::TABLE,
        include_str!("../../src/desk/store/schema.sql"),
        include_str!("../../src/desk/store/schema_2.sql"),
        include_str!("../../src/desk/store/schema_3_deposit.sql"),
        include_str!("../../src/desk/store/schema_4_sms.sql"),
        include_str!("../../src/desk/store/schema_5_silence.sql"),
        include_str!("../../src/desk/store/schema_6_channels.sql"),
    ] {
        old.execute_batch(script).unwrap();
    }
    old.pragma_update(None, "user_version", 7).unwrap();
    let (id, at) = (alarm.value().header.alarm, world.clock.now().plus_ms(-40 * DAY_MS).0);
    old.execute(
        "INSERT INTO alarm (alarm, hash, form, device, document, received_at, state, brings_key)
         VALUES (?1, ?2, 0, ?3, ?4, ?5, 6, 0)",
        params![id.0, alarm.hash().0, phone.keys.device.0, alarm.bytes(), at],
    )
    .unwrap();
    for (state, seconds) in [(3_u8, 8), (6, 60)] {
        old.execute(
            "INSERT INTO receipt (hash, alarm, alarm_hash, state, at, own, document, detail, sending, due_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, x'00', x'0102', 2, 0)",
            params![[state; 32], id.0, alarm.hash().0, state, at + seconds * 1000],
        )
        .unwrap();
    }
    drop(old);
    let desk = open(dir.path(), &world.keys, &world.org, &world.clock);
    assert_eq!(desk.alarm(id).unwrap().unwrap().summary.kind, Some(AlarmKind::Medical));
    assert!(desk.keep_step().await.unwrap());
    assert_eq!(found(dir.path(), &alarm.bytes()[200..]), 0);
    let counted: (String, i64, i64) = Connection::open(database_path(dir.path()))
        .unwrap()
        .query_row("SELECT kind, seen_ms, outcome FROM figure", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(counted, ("medical".to_owned(), 8_000, 1));
    keep(&desk).await;
    assert!(desk.alarm(id).unwrap().unwrap().summary.shredded_at.is_some());
}

#[tokio::test]
async fn the_console_says_what_is_kept_what_was_destroyed_and_the_figures() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, token) = world.officer("Agent Jansen");
    let alarm = closed(&mut world, &phone, &officer, Ending::Real).await;
    let id = alarm.value().header.alarm;
    let mut browser = Browser::new(open(world.dir.path(), &world.keys, &world.org, &world.clock));
    browser.log_in(token.reveal()).await;
    let path = format!("/alarms/{id}");
    assert!(browser.get(&path).await.text.contains("De inhoud van dit alarm wordt vernietigd op"));
    assert_eq!(browser.post(&format!("{path}/hold"), "why=").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.post(&format!("{path}/hold"), "why=klacht+12").await.status, StatusCode::SEE_OTHER);
    let page = browser.get(&path).await.text;
    assert!(page.contains("Wordt langer bewaard door Agent Jansen") && page.contains("klacht 12"));
    let released = browser.ask("POST", &format!("/api{path}/release"), "application/json", "{}".to_owned()).await;
    let released: serde_json::Value = serde_json::from_str(&released.text).unwrap();
    assert!(released["keeping"]["held"].is_null() && released["keeping"]["until"].is_i64(), "{released}");
    world.clock.advance(31 * DAY_MS);
    keep(&world.desk).await;
    let token = world.desk.officers().link("Agent Jansen", world.clock.now(), &mut world.rng).unwrap();
    browser.log_in(token.reveal()).await;
    let page = browser.get(&path).await.text;
    assert!(page.contains("zijn vernietigd op") && !page.contains(MAYOR), "{page}");
    let timeline = browser.get(&format!("{path}/timeline")).await;
    assert_eq!(timeline.status, StatusCode::GONE);
    assert!(timeline.text.contains("zijn vernietigd op"));
    let page = browser.get("/figures").await.text;
    assert!(page.contains("binnen 10 s") && page.contains("&#60;5"), "{page}");
    let figures = browser.get("/api/figures?months=12").await.text;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&figures).unwrap()["calls"]["came_in"], "<5");
}
