-- What goes to the relay beside buttons' alarms: 0 an alarm, 1 an update of one, 2 a text message. Of an alarm the key of
-- its content, so that an update can follow; else empty.
ALTER TABLE outgoing ADD COLUMN errand INTEGER NOT NULL DEFAULT 0 CHECK (errand IN (0, 1, 2));
ALTER TABLE outgoing ADD COLUMN content_key BLOB NOT NULL DEFAULT x'';
-- Of a text message: the relay said no to it. Anybody can send one that is no alarm of anybody's, and such make room first.
ALTER TABLE outgoing ADD COLUMN refused INTEGER NOT NULL DEFAULT 0 CHECK (refused IN (0, 1));
CREATE INDEX outgoing_of_alarm ON outgoing (alarm, errand);

-- What is known of each button in bridge.toml. Times in milliseconds since 1970, 0 for never.
CREATE TABLE button (
    account      TEXT    NOT NULL PRIMARY KEY,
    heard_at     INTEGER NOT NULL DEFAULT 0,
    tested_at    INTEGER NOT NULL DEFAULT 0,
    pressed_at   INTEGER NOT NULL DEFAULT 0,
    -- The last alarm that it raised; empty before the first.
    alarm        BLOB    NOT NULL DEFAULT x'',
    -- How long it may be silent, 0 for ever; and when that is over.
    supervise_ms INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX button_due ON button (due_at) WHERE supervise_ms > 0;

-- What is wrong with a button, from when it was noticed until it is over. `kind` is 0 silent, 1 battery low, 2 a line that
-- the panel says is down. `alarm` is the one by which the desk was told.
CREATE TABLE trouble (
    account TEXT    NOT NULL REFERENCES button (account),
    kind    INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
    since   INTEGER NOT NULL,
    alarm   BLOB    NOT NULL CHECK (length(alarm) = 16),
    PRIMARY KEY (account, kind)
) STRICT, WITHOUT ROWID;

-- How often something was not taken, and when last, by the reason.
CREATE TABLE refused (
    code    TEXT    NOT NULL PRIMARY KEY,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
