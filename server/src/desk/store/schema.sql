-- What a desk keeps. Alarms, updates, notes, roster lines, enrolments and cards lie as they came: sealed to this desk's
-- key, which is in another file. Times are milliseconds since 1970, ids and hashes their bytes.

-- One value each: 'generation' and 'mail_cursor' (numbers as text), kept in the transaction of the mail itself.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Every directory that was ever taken: receipts are checked with the newest, old ones explain old alarms.
CREATE TABLE directory (
    version  INTEGER NOT NULL PRIMARY KEY,
    document BLOB    NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;

-- What rings. One row for each distinct document; `superseded` hides a row whose alarm id is taken by a proven one.
CREATE TABLE alarm (
    number       INTEGER PRIMARY KEY,
    alarm        BLOB    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    -- 0 an alarm, 1 bytes that are none, 2 a note that says duress and names no alarm held here
    form         INTEGER NOT NULL CHECK (form IN (0, 1, 2)),
    device       BLOB    NOT NULL,
    document     BLOB    NOT NULL,
    received_at  INTEGER NOT NULL,
    -- The furthest receipt by anybody, in the order of the receipt format.
    state        INTEGER NOT NULL,
    superseded   INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
    -- It could be opened, and holds the key of its sender's card.
    brings_key   INTEGER NOT NULL CHECK (brings_key IN (0, 1))
) STRICT;
CREATE INDEX alarm_by_id ON alarm (alarm);
CREATE INDEX alarm_open ON alarm (received_at) WHERE state < 6 AND superseded = 0;

CREATE TABLE alarm_update (
    hash        BLOB    NOT NULL PRIMARY KEY,
    alarm       BLOB    NOT NULL,
    device      BLOB    NOT NULL,
    sequence    INTEGER NOT NULL,
    document    BLOB    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alarm_update_newest ON alarm_update (alarm, sequence);

CREATE TABLE note (
    hash        BLOB    NOT NULL PRIMARY KEY,
    -- The alarm it speaks of; empty when it names none or cannot be opened.
    alarm       BLOB    NOT NULL,
    device      BLOB    NOT NULL,
    document    BLOB    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX note_of_alarm ON note (alarm, received_at);

-- Receipts by this desk (`own`) and by others, checked. `sending` is 0 nothing to send, 1 to be sent, 2 sent, 3 refused
-- by the relay.
CREATE TABLE receipt (
    number       INTEGER PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE,
    alarm        BLOB    NOT NULL,
    alarm_hash   BLOB    NOT NULL,
    state        INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    own          INTEGER NOT NULL CHECK (own IN (0, 1)),
    document     BLOB    NOT NULL,
    -- Who did it and what they say, sealed under this desk's key at rest; empty for machines and others.
    detail       BLOB    NOT NULL,
    sending      INTEGER NOT NULL CHECK (sending IN (0, 1, 2, 3)),
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_of_alarm ON receipt (alarm_hash, number);
CREATE INDEX receipt_to_send ON receipt (due_at) WHERE sending = 1;

CREATE TABLE roster (
    number      INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE,
    document    BLOB    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE enrolment (
    number      INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE,
    document    BLOB    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE card (
    device     BLOB    NOT NULL PRIMARY KEY,
    version    INTEGER NOT NULL,
    document   BLOB    NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT;

-- One message to one outside channel, with the same id (and DC-09 number) on every try. A machine's answer, never a
-- person's. `state` is 0 waiting, 1 delivered, 2 refused, 3 no longer needed.
CREATE TABLE delivery (
    number      INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL,
    alarm       BLOB    NOT NULL,
    channel     TEXT    NOT NULL,
    event       INTEGER NOT NULL,
    -- What is sent, made once and sealed under this desk's key at rest: the same on every try.
    content     BLOB    NOT NULL,
    dc09_number INTEGER NOT NULL DEFAULT 0,
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    -- Who works on it: the lease runs out by itself, and only the newest fence may write a result.
    leased_until INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    -- What the last try came to, as JSON; empty before the first.
    outcome     TEXT    NOT NULL DEFAULT '',
    tried_at    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, hash, event)
) STRICT;
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 0;
CREATE INDEX delivery_of_alarm ON delivery (hash, number);

CREATE TABLE dc09_counter (
    channel TEXT    NOT NULL PRIMARY KEY,
    last    INTEGER NOT NULL
) STRICT;

-- Officers at the console: only hashes of tokens, and the officer's id in the folder `officers`.
CREATE TABLE session (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    officer    BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE used_link (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    used_at    INTEGER NOT NULL
) STRICT;
