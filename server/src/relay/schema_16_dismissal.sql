-- Whom an organisation's root dismissed, by invite: one that was not used yet counts too, and in whatever order the two
-- documents come. `device.adviser` is 1 for an adviser, and 2 for one that was dismissed.
CREATE TABLE dismissal (
    org    BLOB    NOT NULL REFERENCES org (org),
    invite BLOB    NOT NULL CHECK (length(invite) = 16),
    at     INTEGER NOT NULL,
    PRIMARY KEY (org, invite)
) STRICT, WITHOUT ROWID;
