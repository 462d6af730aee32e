-- The alarm outbox, version 10: family members' devices as responders, on the phone that calls and on theirs.

-- Whom alarms are sealed to beside desks, as the vault last knew it; the first chosen first.
CREATE TABLE family (
    place INTEGER PRIMARY KEY,
    device BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    keys BLOB NOT NULL
) STRICT;
-- This device's signed word for whom of them an alarm was sealed to; empty when it was desks only.
ALTER TABLE alarm ADD COLUMN family BLOB NOT NULL DEFAULT x'';
ALTER TABLE check_in_form ADD COLUMN family BLOB NOT NULL DEFAULT x'';
-- A family member's device signed it; `desk` is then what they are called here.
ALTER TABLE receipt ADD COLUMN by_family INTEGER NOT NULL DEFAULT 0 CHECK (by_family IN (0, 1));
-- Who of the responders has sent one of this phone's alarms on; `who` and `by_family` as of a receipt.
CREATE TABLE escalation (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    alarm BLOB NOT NULL REFERENCES alarm (alarm),
    document BLOB NOT NULL,
    who TEXT NOT NULL,
    by_family INTEGER NOT NULL CHECK (by_family IN (0, 1)),
    arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX escalation_alarm ON escalation (alarm, seq);

-- On a family member's device: whose alarms it is called in, as the vault last knew it.
CREATE TABLE caller (
    device BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    alarm_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- The secret half of the key that alarms are sealed to, and how its holder is called; empty before they agreed.
ALTER TABLE phone ADD COLUMN responder_kem BLOB NOT NULL DEFAULT x'';
ALTER TABLE phone ADD COLUMN responder_name TEXT NOT NULL DEFAULT '';

-- Alarms of others that this device was called in.
CREATE TABLE incoming (
    seq INTEGER PRIMARY KEY,
    alarm BLOB NOT NULL UNIQUE,
    hash BLOB NOT NULL,
    document BLOB NOT NULL,
    caller BLOB NOT NULL,
    -- The caller's key was known, and signed it.
    proven INTEGER NOT NULL CHECK (proven IN (0, 1)),
    -- Empty when it could not be opened.
    content_key BLOB NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;

-- What followed: 1 an update, 2 a receipt, 3 an escalation of another responder.
CREATE TABLE incoming_part (
    seq INTEGER PRIMARY KEY,
    alarm BLOB NOT NULL REFERENCES incoming (alarm) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
    document BLOB NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX incoming_part_of ON incoming_part (alarm, seq);

-- What this device says of them: receipts, and escalations. 0 waits for the relay, 1 is there, 2 was refused for good.
CREATE TABLE said (
    seq INTEGER PRIMARY KEY,
    alarm BLOB NOT NULL REFERENCES incoming (alarm) ON DELETE CASCADE,
    escalates INTEGER NOT NULL CHECK (escalates IN (0, 1)),
    document BLOB NOT NULL,
    said_at INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    refused_code TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX said_of ON said (alarm, seq);
CREATE INDEX said_waits ON said (seq) WHERE state = 0;
