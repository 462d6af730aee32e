-- Alarms that were handed in beforehand, and when each is to be raised.

-- The alarm itself lies in `document` from the start: raising it copies nothing. The last deadline counts by the relay's
-- clock: the earlier of the two timers, and the grace.
CREATE TABLE deposit (
    deposit   BLOB    NOT NULL PRIMARY KEY CHECK (length(deposit) = 16),
    org       BLOB    NOT NULL REFERENCES org (org),
    account   BLOB    NOT NULL CHECK (length(account) = 16),
    device    BLOB    NOT NULL CHECK (length(device) = 16),
    -- The desk that watches it.
    desk      BLOB    NOT NULL CHECK (length(desk) = 16),
    -- Number and hash of the newest timers, and hash of the alarm that they go with.
    seq       INTEGER NOT NULL,
    timers    BLOB    NOT NULL CHECK (length(timers) = 32),
    sealed    BLOB    NOT NULL CHECK (length(sealed) = 32),
    -- 0 once it is gone.
    document  INTEGER NOT NULL,
    ladder    BLOB    NOT NULL CHECK (length(ladder) = 16),
    ladder_version INTEGER NOT NULL,
    -- The ids in its slots behind each other: who is called when its ladder is not known any more.
    slots     BLOB    NOT NULL,
    due_at    INTEGER NOT NULL,
    unheard_at INTEGER NOT NULL,
    grace_ms  INTEGER NOT NULL,
    raise_at  INTEGER NOT NULL GENERATED ALWAYS AS (min(due_at, unheard_at) + grace_ms) VIRTUAL,
    -- 0 ready, 1 settled, 2 raised; and since when.
    state     INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    at        INTEGER NOT NULL
) STRICT;
CREATE INDEX deposit_ready ON deposit (raise_at) WHERE state = 0;
CREATE INDEX deposit_of_device ON deposit (device) WHERE state = 0;
CREATE INDEX deposit_settled ON deposit (at) WHERE state = 1 AND document > 0;
CREATE INDEX deposit_over ON deposit (at) WHERE state <> 0;

-- When deposits were last looked after, and until when none is raised because nobody could renew one. One row.
CREATE TABLE deposit_clock (
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    at         INTEGER NOT NULL,
    held_until INTEGER NOT NULL
) STRICT;

-- A desk had it raised for a person under duress: nothing of it is told to the phone.
ALTER TABLE alarm ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0 CHECK (quiet IN (0, 1));
