-- The alarm outbox, version 12: desks hand an alarm on to others.

CREATE TABLE handing_on (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    alarm BLOB NOT NULL REFERENCES alarm (alarm),
    document BLOB NOT NULL,
    -- The desks' names when it came in.
    desk TEXT NOT NULL,
    to_desk TEXT NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX handing_on_alarm ON handing_on (alarm, seq);
