-- What this desk warns of: once each, and when it is over. `what` is a word, `about` which one (a channel, another desk, a
-- worker), never a person.
CREATE TABLE warning (
    number  INTEGER PRIMARY KEY,
    what    TEXT    NOT NULL,
    about   TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    -- When it was told over the channels; 0 before.
    told_at INTEGER NOT NULL DEFAULT 0,
    -- When it was over; 0 while it is not.
    over_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX warning_open ON warning (what, about) WHERE over_at = 0;
