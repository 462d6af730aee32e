-- The alarm outbox, version 2: notes that wait for the relay. Every one has the same size.
CREATE TABLE note (
    seq INTEGER PRIMARY KEY,
    note BLOB NOT NULL UNIQUE,
    document BLOB NOT NULL,
    -- How often the relay refused it: those that it takes go first.
    refused INTEGER NOT NULL DEFAULT 0
) STRICT;
