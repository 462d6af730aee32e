-- Nobody but family has seen it: then the next rung is called for good, and family's word ends that climb no more.
ALTER TABLE follow_up ADD COLUMN by_family INTEGER NOT NULL DEFAULT 0 CHECK (by_family IN (0, 1));
