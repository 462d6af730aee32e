-- Alarms that were passed on, by this desk (`own`) or others: handed on to another desk (`kind` 0), or sent to the next rung
-- of the ladder (1). Checked before they are kept.
CREATE TABLE passed_on (
    number     INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    alarm_hash BLOB    NOT NULL CHECK (length(alarm_hash) = 32),
    kind       INTEGER NOT NULL CHECK (kind IN (0, 1)),
    own        INTEGER NOT NULL CHECK (own IN (0, 1)),
    -- It holds this desk's key to the alarm.
    for_us     INTEGER NOT NULL CHECK (for_us IN (0, 1)),
    document   BLOB    NOT NULL,
    -- Who did it and why, sealed under this desk's key at rest; empty for others.
    detail     BLOB    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX passed_on_of_alarm ON passed_on (alarm_hash, number);

-- More that goes to the relay beside receipts: 2 an alarm handed on, 3 an alarm sent to the next rung.
CREATE TABLE outgoing_again (
    number   INTEGER PRIMARY KEY,
    hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    document BLOB    NOT NULL,
    sending  INTEGER NOT NULL CHECK (sending IN (1, 2, 3)),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at   INTEGER NOT NULL,
    kind     INTEGER NOT NULL DEFAULT 0 CHECK (kind IN (0, 1, 2, 3))
) STRICT;
INSERT INTO outgoing_again (number, hash, document, sending, attempts, due_at, kind)
SELECT number, hash, document, sending, attempts, due_at, kind FROM outgoing_order;
DROP TABLE outgoing_order;
ALTER TABLE outgoing_again RENAME TO outgoing_order;
CREATE INDEX outgoing_order_due ON outgoing_order (due_at) WHERE sending = 1;
