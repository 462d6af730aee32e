-- The alarm outbox, version 4: countdowns and withdrawals.

-- Until when the countdown that its owner asked for keeps an alarm from being sent; 0 without one.
ALTER TABLE alarm ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0;
-- It was withdrawn while it was held: it is never sent.
ALTER TABLE alarm ADD COLUMN unsent INTEGER NOT NULL DEFAULT 0 CHECK (unsent IN (0, 1));
-- When it was last withdrawn, and the note that says so.
ALTER TABLE alarm ADD COLUMN withdrawn_at INTEGER;
ALTER TABLE alarm ADD COLUMN withdrawal BLOB;
