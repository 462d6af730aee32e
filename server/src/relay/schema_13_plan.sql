-- An organisation's plan and its people's readiness, in clear: types see to it that nothing private is in them.
-- What an invite is for: 0 a phone, 1 a bridge, 2 an adviser.
ALTER TABLE invite ADD COLUMN role INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN adviser INTEGER NOT NULL DEFAULT 0;

-- Rises with every change of a plan; the line that was changed takes it. A line that was taken away and written again
-- thus never has a version that it had before.
CREATE TABLE plan (
    org     BLOB    NOT NULL PRIMARY KEY REFERENCES org (org),
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE plan_line (
    org        BLOB    NOT NULL REFERENCES org (org),
    line       BLOB    NOT NULL CHECK (length(line) = 16),
    version    INTEGER NOT NULL,
    bytes      BLOB    NOT NULL,
    changed_by BLOB    NOT NULL CHECK (length(changed_by) = 16),
    at         INTEGER NOT NULL,
    PRIMARY KEY (org, line)
) STRICT, WITHOUT ROWID;

-- One row an account, while its person agrees. The device that says so is the one on which they agreed.
CREATE TABLE readiness (
    account BLOB    NOT NULL PRIMARY KEY CHECK (length(account) = 16),
    org     BLOB    NOT NULL REFERENCES org (org),
    device  BLOB    NOT NULL CHECK (length(device) = 16),
    steps   BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX readiness_of_org ON readiness (org, account);
