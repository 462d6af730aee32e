-- Check-ins that this desk watches: it was sent their timers, and rings when one is not handed over in time.

CREATE TABLE watch (
    deposit    BLOB    NOT NULL PRIMARY KEY CHECK (length(deposit) = 16),
    device     BLOB    NOT NULL CHECK (length(device) = 16),
    seq        INTEGER NOT NULL,
    -- The newest timers, as they came.
    document   BLOB    NOT NULL,
    -- By this desk's clock, as of `taken_at`.
    due_at     INTEGER NOT NULL,
    silent_at  INTEGER NOT NULL,
    grace_ms   INTEGER NOT NULL,
    raise_at   INTEGER NOT NULL GENERATED ALWAYS AS (min(due_at, silent_at) + grace_ms) VIRTUAL,
    taken_at   INTEGER NOT NULL,
    -- 0 watched, 1 over: settled or handed over, 2 rung here.
    state      INTEGER NOT NULL CHECK (state IN (0, 1, 2))
) STRICT;
CREATE INDEX watch_due ON watch (raise_at) WHERE state = 0;
CREATE INDEX watch_over ON watch (taken_at) WHERE state <> 0;

-- What goes to the relay beside receipts: 0 an order, 1 that a deposit is to be raised.
ALTER TABLE outgoing_order ADD COLUMN kind INTEGER NOT NULL DEFAULT 0 CHECK (kind IN (0, 1));

-- A further form of what rings, which the column's rule did not know.
CREATE TABLE alarm_new (
    number       INTEGER PRIMARY KEY,
    alarm        BLOB    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    -- 0 an alarm, 1 bytes that are none, 2 a note that says duress and names no alarm held here, 3 the timers of a
    -- check-in that was not handed over
    form         INTEGER NOT NULL CHECK (form IN (0, 1, 2, 3)),
    device       BLOB    NOT NULL,
    document     BLOB    NOT NULL,
    received_at  INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    superseded   INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
    brings_key   INTEGER NOT NULL CHECK (brings_key IN (0, 1))
) STRICT;
INSERT INTO alarm_new (number, alarm, hash, form, device, document, received_at, state, superseded, brings_key)
    SELECT number, alarm, hash, form, device, document, received_at, state, superseded, brings_key FROM alarm;
DROP TABLE alarm;
ALTER TABLE alarm_new RENAME TO alarm;
CREATE INDEX alarm_by_id ON alarm (alarm);
CREATE INDEX alarm_open ON alarm (received_at) WHERE state < 6 AND superseded = 0;
