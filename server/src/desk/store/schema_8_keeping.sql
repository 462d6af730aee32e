-- What is kept of an alarm goes after a while, and what is counted stays.

-- The key of each alarm. Its documents, what officers said of it and what went out about it are sealed under it, around
-- what seals them already: with the key destroyed nothing of them can be read, whoever has this desk's keys.
CREATE TABLE alarm_key (
    alarm BLOB NOT NULL PRIMARY KEY CHECK (length(alarm) = 16),
    key   BLOB NOT NULL CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;

-- When it was closed, by this desk's clock; 0 while it is open.
ALTER TABLE alarm ADD COLUMN closed_at INTEGER NOT NULL DEFAULT 0;
UPDATE alarm SET closed_at = coalesce((SELECT max(at) FROM receipt WHERE alarm_hash = alarm.hash AND receipt.state = 6),
                                      received_at)
WHERE state = 6;
CREATE INDEX alarm_closed ON alarm (closed_at) WHERE closed_at > 0;

-- Alarms that an officer keeps longer. `reason` is sealed under the alarm's key.
CREATE TABLE hold (
    alarm   BLOB    NOT NULL PRIMARY KEY CHECK (length(alarm) = 16),
    officer BLOB    NOT NULL CHECK (length(officer) = 16),
    reason  BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Alarms whose content was destroyed: when, and after how many days.
CREATE TABLE shredded (
    alarm BLOB    NOT NULL PRIMARY KEY CHECK (length(alarm) = 16),
    at    INTEGER NOT NULL,
    days  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is counted of each alarm: nothing that says whose it was. `hash` and `received_at` lead to the alarm while its
-- content is kept, and are empty afterwards. `month` counts from January of the year 0, in UTC.
CREATE TABLE figure (
    number      INTEGER PRIMARY KEY,
    hash        BLOB UNIQUE,
    received_at INTEGER,
    month       INTEGER NOT NULL,
    -- The word of the alarm's kind; 'unopened' where it is not known.
    kind        TEXT    NOT NULL,
    -- Milliseconds until a human had it; null before.
    seen_ms     INTEGER,
    -- 0 not closed, 1 closed without a word on it, 2 real, 3 false, 4 an exercise
    outcome     INTEGER NOT NULL DEFAULT 0 CHECK (outcome IN (0, 1, 2, 3, 4))
) STRICT;
CREATE INDEX figure_by_month ON figure (month);

-- Probes answered in each month.
CREATE TABLE probe_count (
    month INTEGER NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;
