-- Editions: the newest head of each, by its name, and the files of the newest ones, by the SHA-256 of their bytes.
CREATE TABLE edition (
    edition TEXT    NOT NULL PRIMARY KEY,
    head    BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE edition_file (
    hash  BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE edition_part (
    edition TEXT NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (edition, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX edition_part_of_file ON edition_part (hash);
