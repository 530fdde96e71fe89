-- What is to be kept here whole, as `core.sources` writes it.
CREATE TABLE sources (
    source   INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,
    text     TEXT    NOT NULL,              -- JSON: what it is, from where, and how deep
    added_at INTEGER NOT NULL
) STRICT;

-- How the last run of a source ended at a relay.
CREATE TABLE syncs (
    source   INTEGER NOT NULL REFERENCES sources,
    relay    INTEGER NOT NULL REFERENCES relays,
    method   TEXT    NOT NULL,              -- negentropy, pages or crawl
    finish   TEXT    NOT NULL,              -- a `Finish`, or running
    reason   TEXT    NOT NULL,              -- in the relay's words, or ours
    ended_at INTEGER NOT NULL,
    events   INTEGER NOT NULL,              -- that came from there and were new here, over all runs
    PRIMARY KEY (source, relay)
) STRICT, WITHOUT ROWID;

-- The seconds of a source that were got from a relay, both ends included; none touch.
CREATE TABLE spans (
    source INTEGER NOT NULL REFERENCES sources,
    relay  INTEGER NOT NULL REFERENCES relays,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (source, relay, first)
) STRICT, WITHOUT ROWID;

-- The threads under an author's notes, by the key of their root.
CREATE TABLE branches (
    source     INTEGER NOT NULL REFERENCES sources,
    root       ANY     NOT NULL,
    fetched_at INTEGER NOT NULL,
    whole      INTEGER NOT NULL,            -- every relay gave everything
    events     INTEGER NOT NULL,            -- that it had then: more are a reason to look again
    PRIMARY KEY (source, root)
) STRICT, WITHOUT ROWID;

-- Up to which row the texts are in the index of `searching`, which is made when it is first used.
CREATE TABLE indexed (
    upto INTEGER NOT NULL
) STRICT;

INSERT INTO indexed (upto) VALUES (0);

-- What was removed for good, so that it does not come back.
CREATE TABLE purged (
    id        BLOB    PRIMARY KEY CHECK (length(id) = 32),
    purged_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
