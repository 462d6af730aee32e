-- The alarm outbox, version 8: photos and sound that go along with an alarm.

-- Sealed chunks that the relay does not have yet. The update that names them waits for the last of them.
CREATE TABLE attachment_chunk (
    alarm BLOB NOT NULL REFERENCES alarm (alarm),
    seq INTEGER NOT NULL,
    blob BLOB NOT NULL,
    chunk INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    -- How often the relay refused it: others go first.
    refused INTEGER NOT NULL DEFAULT 0,
    UNIQUE (alarm, seq, chunk)
) STRICT;
-- An update that says nothing but where the sender is, made without anybody asking: the next one takes its place.
ALTER TABLE alarm_update ADD COLUMN by_itself INTEGER NOT NULL DEFAULT 0 CHECK (by_itself IN (0, 1));
