-- The alarm outbox, version 7: check-ins, which must work with the vault locked as alarms do.

-- Times are by the phone's own clock. The newest form is sealed anew for each try, since its timers count from arrival.
CREATE TABLE check_in (
    seq INTEGER PRIMARY KEY,
    deposit BLOB NOT NULL UNIQUE,
    content_key BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    grace_s INTEGER NOT NULL,
    -- 0: not before it is due.
    silent_after_s INTEGER NOT NULL,
    text TEXT NOT NULL,
    fix BLOB NOT NULL,
    battery_percent INTEGER,
    -- Of the form made last: its number, the body to send (empty before the first), and when it was made.
    number INTEGER NOT NULL DEFAULT 0,
    form BLOB NOT NULL DEFAULT x'',
    form_at INTEGER NOT NULL DEFAULT 0,
    -- Something is new that the relay does not have.
    fresh INTEGER NOT NULL DEFAULT 1 CHECK (fresh IN (0, 1)),
    -- The relay has the moment at which it is due now.
    due_known INTEGER NOT NULL DEFAULT 0 CHECK (due_known IN (0, 1)),
    -- When the form was made that the relay has for sure, and its silence in seconds; 0 before the first.
    renewed_at INTEGER NOT NULL DEFAULT 0,
    renewed_silent_s INTEGER NOT NULL DEFAULT 0,
    -- 0 not, 1 here, 2 at the relay too.
    settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1, 2)),
    settlement BLOB NOT NULL DEFAULT x'',
    -- The relay has made an alarm of it.
    raised INTEGER NOT NULL DEFAULT 0 CHECK (raised IN (0, 1)),
    -- The alarm that this phone pressed since the relay never had it; empty otherwise.
    called BLOB NOT NULL DEFAULT x'',
    -- The last refusal; 0 when there was none since.
    refused_status INTEGER NOT NULL DEFAULT 0,
    refused_code TEXT NOT NULL DEFAULT '',
    -- What the person was told: 1 that it will be due soon, 2 that it is due.
    told INTEGER NOT NULL DEFAULT 0,
    -- The rule that started it; 0 for a person.
    rule INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX check_in_open ON check_in (due_at) WHERE settled = 0 AND raised = 0;

-- Hashes of the forms that the relay may have: a receipt is for one of them.
CREATE TABLE check_in_form (
    deposit BLOB NOT NULL REFERENCES check_in (deposit),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (deposit, number)
) STRICT, WITHOUT ROWID;

-- Check-ins that come back. `weekdays` has a bit for each day, Monday the lowest.
CREATE TABLE check_in_rule (
    rule INTEGER PRIMARY KEY AUTOINCREMENT,
    weekdays INTEGER NOT NULL CHECK (weekdays BETWEEN 1 AND 127),
    minute INTEGER NOT NULL CHECK (minute BETWEEN 0 AND 1439),
    grace_s INTEGER NOT NULL,
    silent_after_s INTEGER NOT NULL,
    text TEXT NOT NULL,
    -- When the last one that it started is due.
    last_due_at INTEGER NOT NULL
) STRICT;

-- The hash of an alarm that the relay made of a check-in, whose bytes are not kept; empty for one that was pressed.
ALTER TABLE alarm ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
