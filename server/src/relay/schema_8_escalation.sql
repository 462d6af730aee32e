-- Alarms that a responder sent on to the next rung.

CREATE TABLE escalation (
    place    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    alarm    BLOB    NOT NULL REFERENCES alarm (alarm),
    hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    document INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX escalation_of_alarm ON escalation (alarm, place);

-- The rung to which it was last sent on; 0 when it never was. A human of a lower one does not end the climb any more.
ALTER TABLE alarm ADD COLUMN escalated_to INTEGER NOT NULL DEFAULT 0;
