-- Fewer pages to write for each alarm: an alarm's id is random, so every table and index that has it is another page of
-- the write-ahead log.

-- An alarm's receipts lie together, in order; what is looked up by hash is looked up within them.
CREATE TABLE receipt_of_alarm_15 (
    alarm    BLOB    NOT NULL REFERENCES alarm (alarm),
    place    INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    signer   BLOB    NOT NULL CHECK (length(signer) = 16),
    document INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (alarm, place)
) STRICT, WITHOUT ROWID;
INSERT INTO receipt_of_alarm_15 (alarm, place, hash, signer, document, at)
    SELECT alarm, place, hash, signer, document, at FROM receipt;
DROP TABLE receipt;
ALTER TABLE receipt_of_alarm_15 RENAME TO receipt;

CREATE TABLE ladder_run_15 (
    alarm   BLOB    NOT NULL PRIMARY KEY REFERENCES alarm (alarm),
    rung    INTEGER NOT NULL,
    due_at  INTEGER NOT NULL,
    wait_ms INTEGER NOT NULL,
    fence   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO ladder_run_15 (alarm, rung, due_at, wait_ms, fence)
    SELECT alarm, rung, due_at, wait_ms, fence FROM ladder_run;
DROP TABLE ladder_run;
ALTER TABLE ladder_run_15 RENAME TO ladder_run;
CREATE INDEX ladder_run_due ON ladder_run (due_at);

-- Since when it waits: one that waits since a moment to come was written before the clock was set back. Without these the
-- ticker read every ladder that climbs, each time.
CREATE INDEX ladder_run_since ON ladder_run (due_at - wait_ms);
CREATE INDEX follow_up_since ON follow_up (due_at - wait_ms);

-- Nothing asks for it.
DROP INDEX alarm_of_device;
