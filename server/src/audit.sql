-- The audit's chain. Ids, times and results only.
CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY,
    prev    BLOB    NOT NULL CHECK (length(prev) = 32),
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    result  TEXT    NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
