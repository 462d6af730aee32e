-- The alarm outbox, version 13: check-ins of the same person's other devices, settled from here, and settled there.

-- What the person called that device; empty until it is known.
ALTER TABLE order_author ADD COLUMN name TEXT NOT NULL DEFAULT '';
-- The other device whose check-in it is; empty for this one's own.
ALTER TABLE check_in ADD COLUMN owner BLOB NOT NULL DEFAULT x'';
-- The check-in of this device that takes its place: it is settled once that one is at the relay. Empty for none.
ALTER TABLE check_in ADD COLUMN replaced_by BLOB NOT NULL DEFAULT x'';
-- The other device that settled this one's; empty where nobody has.
ALTER TABLE check_in ADD COLUMN settled_by BLOB NOT NULL DEFAULT x'';
