-- Who may do what in a circle, as its log amounts to; kept in the transaction of each record. Before this, every member
-- was an owner of a dossier and none ever left.

-- 0 dossier, 1 family, 2 case.
ALTER TABLE circle ADD COLUMN kind INTEGER NOT NULL DEFAULT 0 CHECK (kind IN (0, 1, 2));
-- Entries up to this cursor are gone: a checkpoint that covers them lies behind it.
ALTER TABLE circle ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;

-- 0 proposed, 1 in the circle, 2 out: frozen, leaving or gone.
ALTER TABLE member ADD COLUMN state INTEGER NOT NULL DEFAULT 1 CHECK (state IN (0, 1, 2));
ALTER TABLE member ADD COLUMN writes INTEGER NOT NULL DEFAULT 1 CHECK (writes IN (0, 1));
ALTER TABLE member ADD COLUMN owner INTEGER NOT NULL DEFAULT 1 CHECK (owner IN (0, 1));
-- The highest cursor from which it asked for entries, so that it keeps all before, and when it was last seen to ask.
ALTER TABLE member ADD COLUMN acknowledged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX member_out ON member (device) WHERE state = 2;
-- When members asked was not kept: as if all had just now, so that none is left behind.
UPDATE member SET seen_at = max(
    coalesce((SELECT max(at) FROM idempotency), 0),
    coalesce((SELECT max(at) FROM mail), 0),
    coalesce((SELECT max(at) FROM log_record), 0)
);

-- A guest is in circles of the account that brought it in, and stands for nobody's account.
ALTER TABLE device ADD COLUMN guest INTEGER NOT NULL DEFAULT 0 CHECK (guest IN (0, 1));
-- It came by the recovery code: it is given its account's sealed entries before it is in a log.
ALTER TABLE device ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0 CHECK (recovered IN (0, 1));

-- The end of each writer's chain, which outlasts its entries; and how far a checkpoint of it has come: the parts there
-- are (0 when none is under way), those that are here, and the cursor that its author had acknowledged at the first.
CREATE TABLE writer (
    circle  BLOB    NOT NULL REFERENCES circle (circle),
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    parts   INTEGER NOT NULL DEFAULT 0,
    here    INTEGER NOT NULL DEFAULT 0,
    covers  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (circle, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO writer (circle, slot, counter, hash)
    SELECT e.circle, e.slot, e.counter, e.hash FROM entry e
    WHERE e.counter = (SELECT max(l.counter) FROM entry l WHERE l.circle = e.circle AND l.slot = e.slot);

-- The newest whole checkpoint of each owner: the counter of its last part, and the cursor up to which it covers all.
CREATE TABLE checkpoint (
    circle  BLOB    NOT NULL REFERENCES circle (circle),
    slot    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    covers  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (circle, slot)
) STRICT, WITHOUT ROWID;

-- An account's root, sealed under its recovery code; and the hashes of those that another has replaced, which do not
-- come back.
CREATE TABLE sealed_root (
    account BLOB    NOT NULL PRIMARY KEY CHECK (length(account) = 16),
    name    BLOB    NOT NULL UNIQUE CHECK (length(name) = 32),
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    bytes   BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE TABLE replaced_root (
    account BLOB    NOT NULL CHECK (length(account) = 16),
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;
