-- Until when something must follow on an alarm that an officer has seen, in milliseconds since 1970; null when nothing is
-- waited for.
ALTER TABLE alarm ADD COLUMN follow_by INTEGER;
CREATE INDEX alarm_follow_by ON alarm (follow_by) WHERE follow_by IS NOT NULL;

-- The furthest receipt is no longer the highest number: 7 is `reopened`, which is open.
DROP INDEX alarm_open;
CREATE INDEX alarm_open ON alarm (received_at) WHERE state <> 6 AND superseded = 0;

-- The same can happen to an alarm again, and is told again: `occasion` counts from 0.
CREATE TABLE delivery_again (
    number      INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL,
    alarm       BLOB    NOT NULL,
    is_test     INTEGER NOT NULL DEFAULT 0 CHECK (is_test IN (0, 1)),
    channel     TEXT    NOT NULL,
    recipient   BLOB    NOT NULL,
    event       INTEGER NOT NULL,
    occasion    INTEGER NOT NULL DEFAULT 0,
    content     BLOB    NOT NULL,
    dc09_number INTEGER NOT NULL DEFAULT 0,
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    outcome     TEXT    NOT NULL DEFAULT '',
    tried_at    INTEGER NOT NULL DEFAULT 0,
    reference   TEXT    NOT NULL DEFAULT '',
    proven_at   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, recipient, hash, event, occasion)
) STRICT;
INSERT INTO delivery_again (number, hash, alarm, is_test, channel, recipient, event, content, dc09_number, state, attempts,
                            due_at, leased_until, fence, outcome, tried_at, reference, proven_at)
SELECT number, hash, alarm, is_test, channel, recipient, event, content, dc09_number, state, attempts,
       due_at, leased_until, fence, outcome, tried_at, reference, proven_at
FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_again RENAME TO delivery;
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 0;
CREATE INDEX delivery_of_alarm ON delivery (hash, number);
CREATE INDEX delivery_of_channel ON delivery (channel, recipient, number);
CREATE INDEX delivery_proof ON delivery (channel, recipient, proven_at) WHERE state IN (1, 2);

-- Of a family member's device: it is shown, and says nothing of how the alarm stands here.
ALTER TABLE receipt ADD COLUMN by_family INTEGER NOT NULL DEFAULT 0 CHECK (by_family IN (0, 1));
