-- The alarm outbox, version 5: the ids of probes that are forgotten, since their receipts can come late.
CREATE TABLE past_probe (
    seq INTEGER PRIMARY KEY,
    alarm BLOB NOT NULL UNIQUE
) STRICT;
