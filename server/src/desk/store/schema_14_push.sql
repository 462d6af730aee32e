-- Browsers that officers had themselves woken by. What the address is, and whose, is sealed under this desk's key at rest.
CREATE TABLE push_subscription (
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    officer  BLOB    NOT NULL CHECK (length(officer) = 16),
    -- Tells one address from another without naming it.
    mark     BLOB    NOT NULL UNIQUE,
    sealed   BLOB    NOT NULL,
    added_at INTEGER NOT NULL,
    -- When the push service said that this browser takes none any more; 0 while it does.
    ended_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX push_subscription_of ON push_subscription (officer);
