-- An alarm that came by text message: `document` is then what the relay handed over, and `form` 0.
ALTER TABLE alarm ADD COLUMN by_text INTEGER NOT NULL DEFAULT 0 CHECK (by_text IN (0, 1));
-- Of a row that is another form of the one that is shown under its id: that one's hash. Empty for others.
ALTER TABLE alarm ADD COLUMN joined BLOB NOT NULL DEFAULT x'';
CREATE INDEX alarm_joined ON alarm (joined) WHERE joined <> x'';
