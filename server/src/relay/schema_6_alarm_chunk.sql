-- Sealed chunks of files that go along with alarms. They are cleared away with their alarm.
CREATE TABLE alarm_chunk (
    alarm BLOB    NOT NULL REFERENCES alarm (alarm),
    blob  BLOB    NOT NULL CHECK (length(blob) = 16),
    chunk INTEGER NOT NULL,
    -- The hash of the bytes.
    leaf  BLOB    NOT NULL CHECK (length(leaf) = 32),
    bytes BLOB    NOT NULL,
    UNIQUE (alarm, blob, chunk)
) STRICT;
