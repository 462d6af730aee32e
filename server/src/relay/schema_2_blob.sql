-- Sealed chunks of blobs, and how full each circle is.

-- The bytes come last, so that what stands before them is read without them.
CREATE TABLE blob_chunk (
    circle BLOB    NOT NULL REFERENCES circle (circle),
    blob   BLOB    NOT NULL CHECK (length(blob) = 16),
    chunk  INTEGER NOT NULL CHECK (chunk BETWEEN 0 AND 799),
    leaf   BLOB    NOT NULL CHECK (length(leaf) = 32),
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (circle, blob, chunk)
) STRICT;

-- Bytes of a circle's entries and chunks. Kept by the database itself, so that no way of adding or clearing away forgets
-- it. Alarms, mail and the membership log are not counted: none of them is ever refused for lack of room.
CREATE TABLE circle_usage (
    circle BLOB    NOT NULL PRIMARY KEY REFERENCES circle (circle),
    bytes  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO circle_usage (circle, bytes) SELECT circle, sum(length(bytes)) FROM entry GROUP BY circle;

CREATE TRIGGER entry_comes AFTER INSERT ON entry BEGIN
    INSERT INTO circle_usage (circle, bytes) VALUES (new.circle, length(new.bytes))
    ON CONFLICT (circle) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER entry_goes AFTER DELETE ON entry BEGIN
    UPDATE circle_usage SET bytes = bytes - length(old.bytes) WHERE circle = old.circle;
END;
CREATE TRIGGER chunk_comes AFTER INSERT ON blob_chunk BEGIN
    INSERT INTO circle_usage (circle, bytes) VALUES (new.circle, length(new.bytes))
    ON CONFLICT (circle) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER chunk_goes AFTER DELETE ON blob_chunk BEGIN
    UPDATE circle_usage SET bytes = bytes - length(old.bytes) WHERE circle = old.circle;
END;
