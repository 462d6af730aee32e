-- Deliveries with one set of states for every channel, a recipient each, and tests beside alarms. `state` is 0 queued, 1
-- handed over (a machine on the way will pass it on), 2 delivered (the machine it is meant for has it), 3 failed. A
-- machine's answer, never a person's.
CREATE TABLE delivery_2 (
    number      INTEGER PRIMARY KEY,
    -- The alarm's document; of a test, random bytes of its own.
    hash        BLOB    NOT NULL,
    alarm       BLOB    NOT NULL,
    is_test     INTEGER NOT NULL DEFAULT 0 CHECK (is_test IN (0, 1)),
    channel     TEXT    NOT NULL,
    -- Tells a channel's recipients apart without naming them: bytes made with this desk's key; empty where there is one.
    recipient   BLOB    NOT NULL,
    event       INTEGER NOT NULL,
    -- What is sent and to whom, made once and sealed under this desk's key at rest: the same on every try.
    content     BLOB    NOT NULL,
    dc09_number INTEGER NOT NULL DEFAULT 0,
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    -- Who works on it: the lease runs out by itself, and only the newest fence may write a result.
    leased_until INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    -- What the last try or a later report came to, as JSON; empty before the first.
    outcome     TEXT    NOT NULL DEFAULT '',
    tried_at    INTEGER NOT NULL DEFAULT 0,
    -- Under which name a gateway reports on it; empty where none does.
    reference   TEXT    NOT NULL DEFAULT '',
    -- When it last became handed over or delivered; 0 before.
    proven_at   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, recipient, hash, event)
) STRICT;

INSERT INTO delivery_2 (number, hash, alarm, channel, recipient, event, content, dc09_number, state, attempts, due_at,
                        leased_until, fence, outcome, tried_at, proven_at)
SELECT number, hash, alarm, channel, x'', event, content, dc09_number,
       CASE state WHEN 0 THEN 0 WHEN 1 THEN 2 ELSE 3 END, attempts, due_at, leased_until, fence,
       CASE state WHEN 3 THEN '{"outcome":"failed","why":{"code":"alarm-closed"}}' ELSE outcome END,
       tried_at, CASE state WHEN 1 THEN tried_at ELSE 0 END
FROM delivery;

DROP TABLE delivery;
ALTER TABLE delivery_2 RENAME TO delivery;
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 0;
CREATE INDEX delivery_of_alarm ON delivery (hash, number);
CREATE INDEX delivery_of_channel ON delivery (channel, recipient, number);
CREATE INDEX delivery_proof ON delivery (channel, recipient, proven_at) WHERE state IN (1, 2);
