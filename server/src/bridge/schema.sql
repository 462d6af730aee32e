-- What a bridge keeps: alarms it made of buttons' messages, until the relay has them and for repeats after that.
CREATE TABLE outgoing (
    number      INTEGER PRIMARY KEY,
    -- Of the button's message: all that stays the same when it repeats itself.
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    alarm       BLOB    NOT NULL,
    document    BLOB    NOT NULL,
    made_at     INTEGER NOT NULL,
    -- The relay's receipt `stored`, checked; empty while it has not come.
    receipt     BLOB    NOT NULL DEFAULT x'',
    stored_at   INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX outgoing_repeat ON outgoing (fingerprint, number);
CREATE INDEX outgoing_due ON outgoing (due_at) WHERE stored_at = 0;

-- Desks that this bridge has told whose it is, with the keys they had then.
CREATE TABLE enrolled (
    desk     BLOB    NOT NULL,
    kem_hash BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (desk, kem_hash)
) STRICT;
