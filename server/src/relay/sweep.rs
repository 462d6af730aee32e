//! Clearing away what has served: old answers to repeats, pairing messages, mail after 30 days, entries that a
//! checkpoint covers, alarms that are over (`clearing`), the audit's beginning. A bounded number of rows at a time, so that
//! nothing waits for it.

use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::audit;
use crate::relay::{Relay, acknowledged, audit_heads, taken};
use crate::store::{Priority, StoreError};

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most rows of a table cleared at a time.
const SWEPT_ROWS: u32 = 1000;

/// The most acknowledgements written at a time.
const ACKNOWLEDGED_ROWS: usize = 256;

/// How long the audit is kept: more than a year, so that a year can be looked back on.
const AUDIT_KEPT_MS: i64 = 400 * DAY_MS;
/// The most rows of the audit cut off at a time.
const AUDIT_CUT_ROWS: u32 = 4096;

/// What is cleared, and how long it is kept. A document without an alarm goes with its mail.
const SWEEPS: [(&str, i64); 12] = [
    (
        "DELETE FROM idempotency WHERE (device, key) IN
         (SELECT device, key FROM idempotency WHERE at < ?1 ORDER BY at LIMIT ?2)",
        7 * DAY_MS,
    ),
    (
        "DELETE FROM pairing_message WHERE rowid IN
         (SELECT rowid FROM pairing_message WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        0,
    ),
    ("DELETE FROM mail WHERE cursor IN (SELECT cursor FROM mail WHERE at < ?1 ORDER BY at LIMIT ?2)", 30 * DAY_MS),
    (
        "DELETE FROM document WHERE document IN
         (SELECT document FROM document WHERE lasts = 0 AND at < ?1 ORDER BY at LIMIT ?2)",
        31 * DAY_MS,
    ),
    (
        "DELETE FROM device_order WHERE hash IN (SELECT hash FROM device_order WHERE at < ?1 ORDER BY at LIMIT ?2)",
        30 * DAY_MS,
    ),
    // What is settled stays for a day, since a desk may still have it raised; that it was settled, as long as a mailbox.
    (
        "DELETE FROM document WHERE document IN
         (SELECT document FROM deposit WHERE state = 1 AND document > 0 AND at < ?1 ORDER BY at LIMIT ?2)",
        DAY_MS,
    ),
    (
        "UPDATE deposit SET document = 0 WHERE deposit IN
         (SELECT deposit FROM deposit WHERE state = 1 AND document > 0 AND at < ?1 ORDER BY at LIMIT ?2)",
        DAY_MS,
    ),
    (
        "DELETE FROM deposit WHERE deposit IN
         (SELECT deposit FROM deposit WHERE state <> 0 AND at < ?1 ORDER BY at LIMIT ?2)",
        30 * DAY_MS,
    ),
    ("DELETE FROM sent_once WHERE hash IN (SELECT hash FROM sent_once WHERE at < ?1 LIMIT ?2)", 30 * DAY_MS),
    // Phones say it again every week: what is not said again is nobody's consent any more.
    (
        "DELETE FROM readiness WHERE account IN (SELECT account FROM readiness WHERE at < ?1 ORDER BY at LIMIT ?2)",
        90 * DAY_MS,
    ),
    // A probe that is brought again later is answered as one, and rings nowhere.
    (
        "DELETE FROM cleared_alarm WHERE alarm IN
         (SELECT alarm FROM cleared_alarm WHERE is_probe = 1 AND at < ?1 ORDER BY at LIMIT ?2)",
        DAY_MS,
    ),
    // A phone may lie in a drawer with an alarm in it, and a text message can be played back as long as its context lies
    // here: few rows, and kept for longer than any of them.
    (
        "DELETE FROM cleared_alarm WHERE alarm IN
         (SELECT alarm FROM cleared_alarm WHERE is_probe = 0 AND at < ?1 ORDER BY at LIMIT ?2)",
        10 * 365 * DAY_MS,
    ),
];

impl Relay {
    /// Clears away what has expired by `now`.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store()
            .write(Priority::Normal, move |db| {
                for (sql, kept_ms) in SWEEPS {
                    db.prepare_cached(sql)?.execute(params![now.plus_ms(-kept_ms).0, SWEPT_ROWS])?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        self.keep_acknowledged().await?;
        let taken = self.taken().take();
        self.store().write(Priority::Normal, move |db| taken::keep(db, &taken)).await?;
        self.clear_alarms(now).await?;
        let cut = move |db: &Connection| {
            // Rows go once nodes stand for them.
            let covered = audit_heads::keep_nodes(db)?;
            if audit::start(db)?.seq + u64::from(AUDIT_CUT_ROWS) <= covered {
                audit::cut(db, now.plus_ms(-AUDIT_KEPT_MS), AUDIT_CUT_ROWS, now)?;
            }
            Ok::<_, StoreError>(())
        };
        self.store().write(Priority::Normal, cut).await?;
        self.compact(now).await
    }

    /// Writes down what members have acknowledged since the last sweep.
    async fn keep_acknowledged(&self) -> Result<(), StoreError> {
        let mut rest = self.acknowledged().take();
        while !rest.is_empty() {
            let chunk = rest.split_off(rest.len().saturating_sub(ACKNOWLEDGED_ROWS));
            let noted = chunk.clone();
            let kept = self.store().write(Priority::Normal, move |db| acknowledged::keep(db, &noted)).await;
            if let Err(error) = kept {
                self.acknowledged().put_back(rest.into_iter().chain(chunk));
                return Err(error);
            }
        }
        Ok(())
    }
}
