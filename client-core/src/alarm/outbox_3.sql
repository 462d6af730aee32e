-- The alarm outbox, version 3: orders that devices give about each other, so that they can be checked and carried out
-- with the vault locked.

-- The other owners of this device's dossier, as it last saw them with its vault open. Who is `active` may lock or wipe
-- this device; of one that is frozen only the order by which it froze itself is known.
CREATE TABLE order_author (
    device BLOB NOT NULL PRIMARY KEY,
    sig BLOB NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT, WITHOUT ROWID;

-- The number of the last order of each author that was taken. Kept of who is out too: it may come back.
CREATE TABLE order_taken (
    author BLOB NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest order by which another device froze itself, until the log has overtaken it.
CREATE TABLE freeze_heard (
    device BLOB NOT NULL PRIMARY KEY,
    document BLOB NOT NULL,
    heard_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The dossier; empty on a guest's device and before the first sync.
ALTER TABLE phone ADD COLUMN dossier BLOB NOT NULL DEFAULT x'';
-- The order by which this device freezes itself: it goes along with every note. Empty before the first sync.
ALTER TABLE phone ADD COLUMN freeze BLOB NOT NULL DEFAULT x'';
-- Ordered, and not carried out yet; a lock stays until the PIN is typed.
ALTER TABLE phone ADD COLUMN lock_due INTEGER NOT NULL DEFAULT 0 CHECK (lock_due IN (0, 1));
ALTER TABLE phone ADD COLUMN wipe_due INTEGER NOT NULL DEFAULT 0 CHECK (wipe_due IN (0, 1));
