-- The vault, version 3: what this device has itself seen of each deletion that stands, and when. Gone once the record
-- is restored. `deleted_at` is by the clock of the device that deleted, `seen_at` and `erased_at` are by this one's.
-- `news` is 0 for what was there before this device first caught up. `state`: 0 in effect, 1 held, 2 confirmed by
-- another device.
CREATE TABLE deletion (
    record     INTEGER NOT NULL PRIMARY KEY REFERENCES record (id),
    circle     INTEGER NOT NULL REFERENCES circle (id),
    slot       INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    news       INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    erased_at  INTEGER
) STRICT;
CREATE INDEX deletion_by_slot ON deletion (circle, slot);
CREATE INDEX deletion_held ON deletion (circle, seen_at) WHERE state = 1;

-- Tables whose rows can be large get a rowid: searching one without compares whole rows, entries of 300 kB among them,
-- which took most of what an edit cost (1.2 ms, 27 November 2026).
ALTER TABLE entry RENAME TO entry_before;
CREATE TABLE entry (
    id      INTEGER NOT NULL PRIMARY KEY,
    circle  INTEGER NOT NULL REFERENCES circle (id),
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    bytes   BLOB,
    UNIQUE (circle, slot, counter)
) STRICT;
INSERT INTO entry (circle, slot, counter, epoch, hash, bytes)
SELECT circle, slot, counter, epoch, hash, bytes FROM entry_before ORDER BY circle, slot, counter;
DROP TABLE entry_before;

ALTER TABLE log_record RENAME TO log_record_before;
CREATE TABLE log_record (
    id     INTEGER NOT NULL PRIMARY KEY,
    circle INTEGER NOT NULL REFERENCES circle (id),
    seq    INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    UNIQUE (circle, seq)
) STRICT;
INSERT INTO log_record (circle, seq, bytes) SELECT circle, seq, bytes FROM log_record_before ORDER BY circle, seq;
DROP TABLE log_record_before;

ALTER TABLE setting RENAME TO setting_before;
CREATE TABLE setting (
    id    INTEGER NOT NULL PRIMARY KEY,
    name  TEXT    NOT NULL UNIQUE,
    value BLOB    NOT NULL
) STRICT;
INSERT INTO setting (name, value) SELECT name, value FROM setting_before;
DROP TABLE setting_before;

ALTER TABLE circle_setting RENAME TO circle_setting_before;
CREATE TABLE circle_setting (
    id     INTEGER NOT NULL PRIMARY KEY,
    circle INTEGER NOT NULL REFERENCES circle (id),
    name   TEXT    NOT NULL,
    value  BLOB    NOT NULL,
    UNIQUE (circle, name)
) STRICT;
INSERT INTO circle_setting (circle, name, value) SELECT circle, name, value FROM circle_setting_before;
DROP TABLE circle_setting_before;
