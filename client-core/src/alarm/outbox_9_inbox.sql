-- The alarm outbox, version 9: what is written down while the vault is locked.

-- Seals to the true vault, which has the other half.
CREATE TABLE inbox_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    public BLOB NOT NULL
) STRICT;

CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
