-- Alarms that a desk handed on to another.
CREATE TABLE handing_on (
    place    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    alarm    BLOB    NOT NULL REFERENCES alarm (alarm),
    hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    document INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX handing_on_of_alarm ON handing_on (alarm, place);
