-- When each person last tested the whole way, by this desk's clock.
CREATE TABLE tested (
    account BLOB    NOT NULL PRIMARY KEY CHECK (length(account) = 16),
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
