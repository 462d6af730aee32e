-- Other desks, as the relay last said of them: `since` is when it last heard one that is silent, null of one it hears.
CREATE TABLE other_desk (
    desk  BLOB    NOT NULL PRIMARY KEY CHECK (length(desk) = 16),
    since INTEGER,
    at    INTEGER NOT NULL
) STRICT;
