-- Ids and public keys are BLOBs of 32 bytes, times are unix seconds. A "key" is an id as BLOB, or
-- the TEXT of an address or of an external id.

CREATE TABLE events (
    event      INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
    pubkey     BLOB    NOT NULL CHECK (length(pubkey) = 32),
    created_at INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    address    TEXT,                        -- kind:pubkey:d when versions replace each other
    expires_at INTEGER,                     -- NIP-40
    superseded INTEGER NOT NULL DEFAULT 0,  -- 0 for exactly one event of each address
    deleted    INTEGER NOT NULL DEFAULT 0,  -- its author asked for it (NIP-09)
    json       TEXT    NOT NULL             -- last: the flags above are read without it
) STRICT;

CREATE INDEX events_by_time ON events (created_at);
CREATE INDEX events_by_kind ON events (kind, created_at);
CREATE INDEX events_by_author ON events (pubkey, kind, created_at);
CREATE INDEX events_by_address ON events (address, superseded) WHERE address IS NOT NULL;

-- Every single-letter tag, once for each event and value. The key is also the answer to "#x, newest
-- first", so there is no second copy of it in an index.
CREATE TABLE tags (
    name       TEXT    NOT NULL,
    value      ANY     NOT NULL,
    created_at INTEGER NOT NULL,
    event      INTEGER NOT NULL REFERENCES events,
    PRIMARY KEY (name, value, created_at, event)
) STRICT, WITHOUT ROWID;

-- What each event answers. Position 0 is its parent; a deletion has one more for each other target.
CREATE TABLE links (
    child     INTEGER NOT NULL REFERENCES events,
    position  INTEGER NOT NULL,
    relation  TEXT    NOT NULL,
    parent    ANY     NOT NULL,
    claimed   ANY,                          -- the root it names, NULL when that is the parent
    root      ANY     NOT NULL,             -- where its chain ends, as far as is known here
    versioned INTEGER NOT NULL,             -- the child has an address: it may close a cycle
    PRIMARY KEY (child, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX links_by_root ON links (root);
CREATE INDEX links_by_parent ON links (parent);
CREATE INDEX links_by_claim ON links (claimed) WHERE claimed IS NOT NULL;
CREATE INDEX links_of_versions ON links (root) WHERE versioned = 1;
CREATE INDEX links_of_deletions ON links (parent) WHERE relation = 'deletion';

CREATE TABLE relays (
    relay INTEGER PRIMARY KEY,
    url   TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE sightings (
    event   INTEGER NOT NULL REFERENCES events,
    relay   INTEGER NOT NULL REFERENCES relays,
    seen_at INTEGER NOT NULL,               -- the first time
    PRIMARY KEY (event, relay)
) STRICT, WITHOUT ROWID;

-- The outbox: a posting is a signed answer, its parts are events.
CREATE TABLE postings (
    posting    INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,     -- of its first part
    quorum     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE parts (
    posting INTEGER NOT NULL REFERENCES postings,
    part    INTEGER NOT NULL,               -- from 1
    event   INTEGER NOT NULL UNIQUE REFERENCES events,
    PRIMARY KEY (posting, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE destinations (
    posting  INTEGER NOT NULL REFERENCES postings,
    position INTEGER NOT NULL,
    relay    INTEGER NOT NULL REFERENCES relays,
    PRIMARY KEY (posting, position),
    UNIQUE (posting, relay)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    posting    INTEGER NOT NULL REFERENCES postings,
    part       INTEGER NOT NULL,
    relay      INTEGER NOT NULL REFERENCES relays,
    status     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (posting, part, relay),
    FOREIGN KEY (posting, part) REFERENCES parts
) STRICT, WITHOUT ROWID;
