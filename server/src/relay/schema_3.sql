-- Orders that were handed in: each once, and not too many of one device about another.
CREATE TABLE device_order (
    hash   BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    author BLOB    NOT NULL CHECK (length(author) = 16),
    device BLOB    NOT NULL CHECK (length(device) = 16),
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX device_order_by ON device_order (author, device, at);
CREATE INDEX device_order_age ON device_order (at);
