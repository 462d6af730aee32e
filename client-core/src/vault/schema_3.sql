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
