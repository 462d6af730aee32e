-- The alarm outbox, version 1. Append-only: a change is a new file and a higher user_version.

-- What the phone was given at activation, and how far it has read its mail. One row.
CREATE TABLE phone (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    device BLOB NOT NULL,
    alarm_key BLOB NOT NULL,
    card_key BLOB NOT NULL,
    account BLOB NOT NULL,
    org BLOB NOT NULL,
    -- The newest directory, as signed.
    directory BLOB NOT NULL,
    -- The ladder and its version that the user accepted.
    ladder BLOB NOT NULL,
    ladder_version INTEGER NOT NULL,
    mail_cursor INTEGER NOT NULL,
    -- -1 before the first page.
    mail_generation INTEGER NOT NULL
) STRICT;

-- An alarm as it was sealed. It is waiting while it has no receipt.
CREATE TABLE alarm (
    seq INTEGER PRIMARY KEY,
    alarm BLOB NOT NULL UNIQUE,
    document BLOB NOT NULL,
    content_key BLOB NOT NULL,
    kind BLOB NOT NULL,
    pressed_at INTEGER NOT NULL,
    -- The last refusal; 0 when there was none.
    refused_status INTEGER NOT NULL DEFAULT 0,
    refused_code TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE alarm_update (
    alarm BLOB NOT NULL REFERENCES alarm (alarm),
    seq INTEGER NOT NULL,
    document BLOB NOT NULL,
    stored INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (alarm, seq)
) STRICT, WITHOUT ROWID;

-- Receipts that count.
CREATE TABLE receipt (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    alarm BLOB NOT NULL REFERENCES alarm (alarm),
    document BLOB NOT NULL,
    -- The desk's name when it came in; empty for the relay.
    desk TEXT NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_alarm ON receipt (alarm, seq);

-- What was refused, as it came, and why.
CREATE TABLE evidence (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    -- The alarm it claims to be about; empty when it names none.
    alarm BLOB NOT NULL,
    reason TEXT NOT NULL,
    document BLOB NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_alarm ON evidence (alarm);
