-- The vault, version 1: one device, one dossier circle. All of it lies encrypted.

-- Single values of the device: its keys, its account, cursors.
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The circle's membership log, as signed.
CREATE TABLE log_record (
    seq   INTEGER NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE epoch_key (
    epoch INTEGER NOT NULL PRIMARY KEY,
    key   BLOB NOT NULL
) STRICT;

-- Records, interned: the rows below hold the short number. Kind is part of what a record is, so that two devices that
-- disagree on it cannot diverge.
CREATE TABLE record (
    id     INTEGER NOT NULL PRIMARY KEY,
    record BLOB NOT NULL,
    kind   INTEGER NOT NULL,
    UNIQUE (record, kind)
) STRICT;
CREATE INDEX record_by_kind ON record (kind, record);

-- One multi-value register a field: its concurrent puts, CBOR.
CREATE TABLE register (
    record   INTEGER NOT NULL REFERENCES record (id),
    field    INTEGER NOT NULL,
    puts     BLOB NOT NULL,
    conflict INTEGER NOT NULL,
    PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX register_in_conflict ON register (record, field) WHERE conflict = 1;

-- Puts that a later put has replaced: a record's history.
CREATE TABLE replaced (
    id     INTEGER NOT NULL PRIMARY KEY,
    record INTEGER NOT NULL REFERENCES record (id),
    field  INTEGER NOT NULL,
    put    BLOB NOT NULL
) STRICT;
CREATE INDEX replaced_by_record ON replaced (record, field, id);

-- Edits of this device that no entry holds yet.
CREATE TABLE pending (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    record INTEGER NOT NULL REFERENCES record (id),
    field  INTEGER NOT NULL,
    put    BLOB NOT NULL
) STRICT;

-- Every entry that is part of the state. Bytes are kept of this device's own, to refill a relay that lost them.
CREATE TABLE entry (
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    hash    BLOB NOT NULL,
    bytes   BLOB,
    PRIMARY KEY (slot, counter)
) STRICT, WITHOUT ROWID;

-- Entries that came before something they depend on, or that need a newer program. `needs_*` names the entry waited
-- for, where it is one.
CREATE TABLE waiting (
    slot          INTEGER NOT NULL,
    counter       INTEGER NOT NULL,
    hash          BLOB NOT NULL,
    reason        INTEGER NOT NULL,
    needs_slot    INTEGER,
    needs_counter INTEGER,
    bytes         BLOB NOT NULL,
    PRIMARY KEY (slot, counter, hash)
) STRICT, WITHOUT ROWID;

-- What could not be verified or opened: kept and shown. No slot and counter where not even the header could be read.
CREATE TABLE quarantine (
    hash    BLOB NOT NULL PRIMARY KEY,
    slot    INTEGER,
    counter INTEGER,
    reason  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    bytes   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Contradictions between what devices have signed and what the relay hands over.
CREATE TABLE finding (
    kind    INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (kind, slot, counter)
) STRICT, WITHOUT ROWID;
