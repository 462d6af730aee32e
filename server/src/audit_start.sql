-- Where the audit's chain starts: the last row that was cut off. One row, or none while the chain is whole.
CREATE TABLE audit_start (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
