//! A person's own tests: alarms of the kind `test`, which go the whole way and which officers see. What is kept of each is
//! when every hop had it, by that hop's own clock, so that after a month or a year somebody can say since when what works.

use baken_schemas::alarm::{AlarmKind, ReceiptState};
use baken_schemas::cbor;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::alarm::AlarmOutbox;
use crate::alarm::receipts::receipts;
use crate::{Baken, BakenError};

/// How long a test counts, in milliseconds: a month, however long.
pub const TEST_COUNTS_MS: i64 = 31 * 24 * 60 * 60 * 1000;
/// The most tests that are told: one a month for many years.
const MAX_TESTS: u32 = 500;

/// A test, and when each hop had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestView {
    /// The alarm that it was.
    pub alarm: AlarmId,
    /// When it was pressed, by this phone's clock.
    pub pressed_at: Timestamp,
    /// When the relay had it on disk, by the relay's clock.
    pub stored_at: Option<Timestamp>,
    /// The desk that was first to have it.
    pub desk: Option<String>,
    /// When that desk's machine had it on disk, by its clock.
    pub received_at: Option<Timestamp>,
    /// When this phone knew that, by its own clock: until then, the whole way there and back.
    pub answered_at: Option<Timestamp>,
    /// When a human had it, by their desk's clock.
    pub seen_at: Option<Timestamp>,
    /// When a desk closed it, by its clock.
    pub closed_at: Option<Timestamp>,
}

/// This phone's tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestsView {
    /// The newest first.
    pub tests: Vec<TestView>,
    /// When the last that a desk had was pressed.
    pub last_success: Option<Timestamp>,
    /// It is time for another: the last that a desk had is over a month old, or there was none.
    pub is_due: bool,
}

impl Baken {
    /// This phone's tests, and whether it is time for another.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], and those of the disk.
    pub fn tests(&self) -> Result<TestsView, BakenError> {
        self.alarm_outbox()?.tests(self.context.now())
    }
}

impl AlarmOutbox {
    /// See [`Baken::tests`].
    ///
    /// # Errors
    /// Those of the disk.
    pub fn tests(&self, now: Timestamp) -> Result<TestsView, BakenError> {
        self.read(|db| {
            let mut statement =
                db.prepare("SELECT alarm, pressed_at FROM alarm WHERE kind = ?1 ORDER BY seq DESC LIMIT ?2")?;
            let kind = cbor::to_vec(&AlarmKind::Test);
            let rows =
                statement.query_map((kind, MAX_TESTS), |row| Ok((AlarmId(row.get(0)?), Timestamp(row.get(1)?))))?;
            let tests = rows.map(|row| test(db, row?)).collect::<Result<Vec<_>, BakenError>>()?;
            let last_success = tests.iter().find(|test| test.received_at.is_some()).map(|test| test.pressed_at);
            // A clock that went back tells nothing about how long it has been.
            let is_due = last_success.is_none_or(|last| !(0..TEST_COUNTS_MS).contains(&now.since_ms(last)));
            Ok(TestsView { tests, last_success, is_due })
        })
    }
}

fn test(db: &Connection, (alarm, pressed_at): (AlarmId, Timestamp)) -> Result<TestView, BakenError> {
    let kept = receipts(db, alarm)?;
    let first = |state| kept.iter().find(move |kept| kept.receipt.state == state && !kept.by_family);
    let at = |state| first(state).map(|kept| kept.receipt.at);
    let received = first(ReceiptState::Received);
    let answered_at = received
        .map(|received| {
            let sql = "SELECT arrived_at FROM receipt WHERE hash = ?1";
            db.query_row(sql, [received.hash.0], |row| row.get(0)).map(Timestamp)
        })
        .transpose()?;
    Ok(TestView {
        alarm,
        pressed_at,
        stored_at: at(ReceiptState::Stored),
        desk: received.map(|received| received.desk.clone()),
        received_at: received.map(|received| received.receipt.at),
        answered_at,
        seen_at: at(ReceiptState::Seen),
        closed_at: at(ReceiptState::Closed),
    })
}
