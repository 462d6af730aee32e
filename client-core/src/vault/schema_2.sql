-- The vault, version 2: several circles in one file, each under a short number. All of it lies encrypted.

-- Single values of the device: its keys, its account.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE circle (
    id     INTEGER NOT NULL PRIMARY KEY,
    circle BLOB    NOT NULL UNIQUE
) STRICT;

-- Single values of a circle: cursors, how its last sync ended.
CREATE TABLE circle_setting (
    circle INTEGER NOT NULL REFERENCES circle (id),
    name   TEXT    NOT NULL,
    value  BLOB    NOT NULL,
    PRIMARY KEY (circle, name)
) STRICT, WITHOUT ROWID;

-- The circle's membership log, as signed.
CREATE TABLE log_record (
    circle INTEGER NOT NULL REFERENCES circle (id),
    seq    INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (circle, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE epoch_key (
    circle INTEGER NOT NULL REFERENCES circle (id),
    epoch  INTEGER NOT NULL,
    key    BLOB    NOT NULL,
    PRIMARY KEY (circle, epoch)
) STRICT, WITHOUT ROWID;

-- When this device first saw that something waits about a device: a proposal or a removal.
CREATE TABLE observed (
    circle INTEGER NOT NULL REFERENCES circle (id),
    device BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (circle, device)
) STRICT, WITHOUT ROWID;

-- A record and all its fields: CBOR of the puts that stand in each. Kind is part of what a record is, so that two
-- devices that disagree on it cannot diverge.
CREATE TABLE record (
    id       INTEGER NOT NULL PRIMARY KEY,
    circle   INTEGER NOT NULL REFERENCES circle (id),
    record   BLOB    NOT NULL,
    kind     INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    conflict INTEGER NOT NULL,
    UNIQUE (record, kind, circle)
) STRICT;
CREATE INDEX record_by_kind ON record (circle, kind, record);
CREATE INDEX record_in_conflict ON record (circle, id) WHERE conflict = 1;

-- Puts that a later put has replaced: a record's history.
CREATE TABLE replaced (
    id     INTEGER NOT NULL PRIMARY KEY,
    record INTEGER NOT NULL REFERENCES record (id),
    field  INTEGER NOT NULL,
    put    BLOB    NOT NULL
) STRICT;
CREATE INDEX replaced_by_record ON replaced (record, id);

-- Edits of this device that the next entry will hold.
CREATE TABLE pending (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    circle INTEGER NOT NULL REFERENCES circle (id),
    record BLOB    NOT NULL,
    kind   INTEGER NOT NULL,
    field  INTEGER NOT NULL,
    value  BLOB    NOT NULL
) STRICT;

-- Every entry that was taken in. Bytes are kept of this device's own, to refill a relay that lost them.
CREATE TABLE entry (
    circle  INTEGER NOT NULL REFERENCES circle (id),
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    bytes   BLOB,
    PRIMARY KEY (circle, slot, counter)
) STRICT, WITHOUT ROWID;

-- What each writer had taken in by its last entry here: CBOR, slot and counter.
CREATE TABLE writer (
    circle INTEGER NOT NULL REFERENCES circle (id),
    slot   INTEGER NOT NULL,
    seen   BLOB    NOT NULL,
    PRIMARY KEY (circle, slot)
) STRICT, WITHOUT ROWID;

-- Changes that were taken in, verified, and are not merged into the records yet: that happens at the next look.
CREATE TABLE fresh (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    circle  INTEGER NOT NULL REFERENCES circle (id),
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    hlc     INTEGER NOT NULL,
    schema  INTEGER NOT NULL,
    seen    BLOB    NOT NULL,
    changes BLOB    NOT NULL
) STRICT;
CREATE INDEX fresh_of_circle ON fresh (circle, id);

-- Parts of a checkpoint that this device needs, until all are here.
CREATE TABLE checkpoint_part (
    circle INTEGER NOT NULL REFERENCES circle (id),
    slot   INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (circle, slot, part)
) STRICT, WITHOUT ROWID;

-- Entries that came before something they depend on, or that need a newer program. `needs_*` names the entry waited
-- for, where it is one.
CREATE TABLE waiting (
    circle        INTEGER NOT NULL REFERENCES circle (id),
    slot          INTEGER NOT NULL,
    counter       INTEGER NOT NULL,
    hash          BLOB    NOT NULL,
    reason        INTEGER NOT NULL,
    needs_slot    INTEGER,
    needs_counter INTEGER,
    bytes         BLOB    NOT NULL,
    PRIMARY KEY (circle, slot, counter, hash)
) STRICT, WITHOUT ROWID;

-- What could not be verified or opened: kept and shown. No slot and counter where not even the header could be read.
CREATE TABLE quarantine (
    circle  INTEGER NOT NULL REFERENCES circle (id),
    hash    BLOB    NOT NULL,
    slot    INTEGER,
    counter INTEGER,
    reason  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    bytes   BLOB    NOT NULL,
    PRIMARY KEY (circle, hash)
) STRICT, WITHOUT ROWID;

-- Contradictions between what devices have signed and what the relay hands over.
CREATE TABLE finding (
    circle  INTEGER NOT NULL REFERENCES circle (id),
    kind    INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (circle, kind, slot, counter)
) STRICT, WITHOUT ROWID;
