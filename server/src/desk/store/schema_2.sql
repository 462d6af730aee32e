-- Orders by which a device on which a duress PIN was used freezes itself, on their way to the relay. `sending` as for
-- receipts.
CREATE TABLE outgoing_order (
    number   INTEGER PRIMARY KEY,
    hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    document BLOB    NOT NULL,
    sending  INTEGER NOT NULL CHECK (sending IN (1, 2, 3)),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX outgoing_order_due ON outgoing_order (due_at) WHERE sending = 1;
