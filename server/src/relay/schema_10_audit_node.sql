-- Nodes of the tree over the audit's rows: the root over 2^level rows from number · 2^level on. Of levels from 6 on, made by
-- the sweep of rows that are there, and kept when those go.
CREATE TABLE audit_node (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;
