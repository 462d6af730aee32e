-- The relay's tables. Ids are 16 random bytes, hashes 32, times milliseconds since 1970. Nothing here can be opened
-- by the relay: documents and entries are sealed, and clear columns are ids, times, counters and sizes.

-- Another generation means that this database was restored from a backup.
CREATE TABLE relay (
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL
) STRICT;

-- The organisations served: the hash of each one's root key.
CREATE TABLE org (
    org      BLOB    NOT NULL PRIMARY KEY CHECK (length(org) = 32),
    added_at INTEGER NOT NULL
) STRICT;

-- Every version is kept: an alarm climbs the ladder it was sealed for.
CREATE TABLE directory (
    org     BLOB    NOT NULL REFERENCES org (org),
    version INTEGER NOT NULL,
    bytes   BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (org, version)
) STRICT;

CREATE TABLE invite (
    invite     BLOB    NOT NULL PRIMARY KEY CHECK (length(invite) = 16),
    org        BLOB    NOT NULL REFERENCES org (org),
    account    BLOB    NOT NULL CHECK (length(account) = 16),
    expires_at INTEGER NOT NULL,
    token_hash BLOB    NOT NULL CHECK (length(token_hash) = 32),
    used_by    BLOB,
    used_at    INTEGER
) STRICT;

CREATE TABLE device (
    device   BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    org      BLOB    NOT NULL REFERENCES org (org),
    account  BLOB    NOT NULL CHECK (length(account) = 16),
    identity BLOB    NOT NULL,
    sig      BLOB    NOT NULL CHECK (length(sig) = 32),
    alarm    BLOB    NOT NULL CHECK (length(alarm) = 32),
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX device_of_account ON device (account);
CREATE INDEX device_of_org ON device (org);

-- Answers of writes, kept in the transaction of the write, so that a repeat gets the same one.
CREATE TABLE idempotency (
    device       BLOB    NOT NULL CHECK (length(device) = 16),
    key          BLOB    NOT NULL CHECK (length(key) = 16),
    request_hash BLOB    NOT NULL CHECK (length(request_hash) = 32),
    body         BLOB    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (device, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);

-- A circle's membership log, and what it amounts to.
CREATE TABLE circle (
    circle BLOB    NOT NULL PRIMARY KEY CHECK (length(circle) = 16),
    account BLOB   NOT NULL CHECK (length(account) = 16),
    seq    INTEGER NOT NULL,
    head   BLOB    NOT NULL CHECK (length(head) = 32)
) STRICT;
CREATE INDEX circle_of_account ON circle (account);
CREATE TABLE log_record (
    circle BLOB    NOT NULL REFERENCES circle (circle),
    seq    INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (circle, seq)
) STRICT;
CREATE TABLE member (
    circle BLOB    NOT NULL REFERENCES circle (circle),
    slot   INTEGER NOT NULL,
    device BLOB    NOT NULL CHECK (length(device) = 16),
    PRIMARY KEY (circle, slot),
    UNIQUE (circle, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    cursor  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    circle  BLOB    NOT NULL REFERENCES circle (circle),
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    bytes   BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    UNIQUE (circle, slot, counter)
) STRICT;
CREATE INDEX entry_of_circle ON entry (circle, cursor);

-- A document that lies in one or more mailboxes. What belongs to an alarm lasts (1); the rest goes with its mail.
CREATE TABLE document (
    document INTEGER NOT NULL PRIMARY KEY,
    bytes    BLOB    NOT NULL,
    lasts    INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX document_by_age ON document (at) WHERE lasts = 0;

-- A mailbox is a device's within an organisation: another organisation cannot claim a desk's mail by listing its id.
CREATE TABLE mail (
    cursor    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    org       BLOB    NOT NULL REFERENCES org (org),
    recipient BLOB    NOT NULL CHECK (length(recipient) = 16),
    kind      INTEGER NOT NULL,
    document  INTEGER NOT NULL,
    at        INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_of_recipient ON mail (recipient, org, cursor);
CREATE INDEX mail_by_age ON mail (at);
-- Documents that a root or a device sends to a desk are sent once.
CREATE TABLE sent_once (
    hash BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
    alarm    BLOB    NOT NULL PRIMARY KEY CHECK (length(alarm) = 16),
    org      BLOB    NOT NULL REFERENCES org (org),
    account  BLOB    NOT NULL CHECK (length(account) = 16),
    device   BLOB    NOT NULL CHECK (length(device) = 16),
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    document INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX alarm_of_device ON alarm (device, at);
-- Other bytes under an alarm's id, kept for whoever looks into it.
CREATE TABLE alarm_conflict (
    alarm  BLOB    NOT NULL REFERENCES alarm (alarm),
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    bytes  BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (alarm, hash)
) STRICT;
CREATE TABLE alarm_update (
    alarm    BLOB    NOT NULL REFERENCES alarm (alarm),
    seq      INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    document INTEGER NOT NULL,
    PRIMARY KEY (alarm, seq)
) STRICT;
CREATE TABLE receipt (
    place    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    alarm    BLOB    NOT NULL REFERENCES alarm (alarm),
    hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    signer   BLOB    NOT NULL CHECK (length(signer) = 16),
    document INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_of_alarm ON receipt (alarm, place);

-- Who was handed an alarm.
CREATE TABLE handed (
    alarm     BLOB    NOT NULL REFERENCES alarm (alarm),
    responder BLOB    NOT NULL CHECK (length(responder) = 16),
    rung      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (alarm, responder)
) STRICT, WITHOUT ROWID;
-- The ladder an alarm climbs, as the directory had it: responders are ids behind each other.
CREATE TABLE ladder_rung (
    alarm      BLOB    NOT NULL REFERENCES alarm (alarm),
    rung       INTEGER NOT NULL,
    responders BLOB    NOT NULL,
    wait_ms    INTEGER NOT NULL,
    PRIMARY KEY (alarm, rung)
) STRICT, WITHOUT ROWID;
-- How far it has climbed. A row that is gone is a ladder that was stopped or ran out. The fence rises with each step.
CREATE TABLE ladder_run (
    alarm   BLOB    NOT NULL PRIMARY KEY REFERENCES alarm (alarm),
    rung    INTEGER NOT NULL,
    due_at  INTEGER NOT NULL,
    wait_ms INTEGER NOT NULL,
    fence   INTEGER NOT NULL
) STRICT;
CREATE INDEX ladder_run_due ON ladder_run (due_at);

CREATE TABLE card (
    device  BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    version INTEGER NOT NULL,
    bytes   BLOB    NOT NULL
) STRICT;

CREATE TABLE pairing_message (
    rendezvous BLOB    NOT NULL CHECK (length(rendezvous) = 16),
    message    INTEGER NOT NULL,
    bytes      BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (rendezvous, message)
) STRICT;
CREATE INDEX pairing_by_expiry ON pairing_message (expires_at);
