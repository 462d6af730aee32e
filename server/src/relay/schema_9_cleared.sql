-- What is over is cleared away, and nothing that somebody has still to take.

-- How an alarm stands by its receipts: 0 not looked at yet (it came before this was kept), 1 nobody has it, 2 a human has
-- it, 3 it is closed, 4 a machine closed it and no human had it: a probe. And since when it is closed.
ALTER TABLE alarm ADD COLUMN standing INTEGER NOT NULL DEFAULT 0 CHECK (standing IN (0, 1, 2, 3, 4));
ALTER TABLE alarm ADD COLUMN closed_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alarm_standing ON alarm (standing, closed_at);
CREATE INDEX mail_of_document ON mail (document);

-- The last mail that each device has taken, so that it keeps all before.
CREATE TABLE mail_taken (
    device BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Alarms that were cleared away: what is brought again under their id is no new alarm. `hash` and `stored_at` make the
-- relay's receipt once more; `text` and `text_at` are those of its text, empty and 0 where none came.
CREATE TABLE cleared_alarm (
    alarm     BLOB    NOT NULL PRIMARY KEY CHECK (length(alarm) = 16),
    org       BLOB    NOT NULL CHECK (length(org) = 32),
    device    BLOB    NOT NULL CHECK (length(device) = 16),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    stored_at INTEGER NOT NULL,
    text      BLOB    NOT NULL,
    text_at   INTEGER NOT NULL,
    quiet     INTEGER NOT NULL CHECK (quiet IN (0, 1)),
    is_probe  INTEGER NOT NULL CHECK (is_probe IN (0, 1)),
    at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cleared_alarm_by_age ON cleared_alarm (is_probe, at);
