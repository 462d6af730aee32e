-- The alarm outbox, version 6: alarms by text message, for when there is no data.

-- What lies at the relay for them. A context is made for one set of responders, which `fit` stands for; it is used once the
-- relay has it. `counter` is the last number given out: never twice, since it makes the key of a text.
CREATE TABLE sms_context (
    seq INTEGER PRIMARY KEY,
    context BLOB NOT NULL UNIQUE,
    document BLOB NOT NULL,
    text_key BLOB NOT NULL,
    tag_key BLOB NOT NULL,
    fit BLOB NOT NULL,
    stored INTEGER NOT NULL DEFAULT 0 CHECK (stored IN (0, 1)),
    counter INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The text of an alarm, sealed when it was pressed, and the key of the details of receipts for it; empty where there is none.
ALTER TABLE alarm ADD COLUMN sms TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN sms_key BLOB NOT NULL DEFAULT x'';
-- The receipt is for the text, so that the alarm itself still waits.
ALTER TABLE receipt ADD COLUMN by_sms INTEGER NOT NULL DEFAULT 0 CHECK (by_sms IN (0, 1));
