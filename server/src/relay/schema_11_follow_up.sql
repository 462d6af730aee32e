-- Alarms that a human has seen and that nothing has followed yet: once it is due, they are called out again.
CREATE TABLE follow_up (
    alarm   BLOB    NOT NULL PRIMARY KEY REFERENCES alarm (alarm) CHECK (length(alarm) = 16),
    due_at  INTEGER NOT NULL,
    wait_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX follow_up_due ON follow_up (due_at);
