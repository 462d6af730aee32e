-- The newest timers as the phone signed them, for the same person's other devices. Empty of a deposit from before: it is
-- shown to them once it is renewed.
ALTER TABLE deposit ADD COLUMN signed_timers BLOB NOT NULL DEFAULT x'';
