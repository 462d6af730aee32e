-- Photos and sound that go along with alarms, as sealed chunks. What opens them is in the update that names them.
CREATE TABLE attachment_chunk (
    alarm BLOB    NOT NULL,
    blob  BLOB    NOT NULL,
    chunk INTEGER NOT NULL,
    bytes BLOB    NOT NULL,
    UNIQUE (alarm, blob, chunk)
) STRICT;

-- Whether an update says more than where its sender is, or may: such a one is never pushed out by newer positions.
ALTER TABLE alarm_update ADD COLUMN says INTEGER NOT NULL DEFAULT 1 CHECK (says IN (0, 1));
CREATE INDEX alarm_update_says ON alarm_update (alarm, sequence) WHERE says = 1;
