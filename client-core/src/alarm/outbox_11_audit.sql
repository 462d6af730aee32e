-- The alarm outbox, version 11: heads of the relay's audit, so that a history that is written anew shows.
CREATE TABLE audit_head (
    seq INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    -- As signed by the relay.
    document BLOB NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;

-- A head that does not go on from the newest of then, both as signed: together they prove it.
CREATE TABLE audit_rewritten (
    seq INTEGER PRIMARY KEY,
    older BLOB NOT NULL,
    newer BLOB NOT NULL UNIQUE,
    found_at INTEGER NOT NULL
) STRICT;

-- When the relay was last asked for one.
ALTER TABLE phone ADD COLUMN audit_asked_at INTEGER NOT NULL DEFAULT 0;
