-- Alarms by text message. A context is what a phone left beforehand: with it the relay tells a true text from noise, and a
-- responder opens it. `short` is the part of its id that a text has room for.
CREATE TABLE sms_context (
    short  BLOB    NOT NULL PRIMARY KEY CHECK (length(short) = 8),
    device BLOB    NOT NULL CHECK (length(device) = 16),
    bytes  BLOB    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sms_context_of_device ON sms_context (device, at);

-- The text of an alarm that came, or came too, by text message. In `alarm` stands what came by data as soon as it has come,
-- until then the same as here.
CREATE TABLE alarm_sms (
    alarm    BLOB    NOT NULL PRIMARY KEY REFERENCES alarm (alarm),
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    document INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
