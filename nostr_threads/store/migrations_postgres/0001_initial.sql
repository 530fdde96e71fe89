-- Ids and public keys are 32 bytes, times are unix seconds. A "key" is an id, or an address or an
-- external id as its UTF-8: see `store/keys.py`. Texts are compared by their bytes, which no update
-- of the system's locales can change.
--
-- What refers to events is declared nowhere: looking up each reference would cost more than storing
-- does, and events are only removed with all that refers to them.

CREATE TABLE nostr_threads (
    version integer NOT NULL                -- of this schema
);

COMMENT ON TABLE nostr_threads IS 'nostr-threads';

CREATE TABLE events (
    event      bigint   PRIMARY KEY,
    id         bytea    NOT NULL UNIQUE CHECK (length(id) = 32),
    pubkey     bytea    NOT NULL CHECK (length(pubkey) = 32),
    created_at bigint   NOT NULL,
    kind       integer  NOT NULL,
    address    bytea,                       -- a key, when versions replace each other
    expires_at bigint,                      -- NIP-40
    superseded smallint NOT NULL DEFAULT 0, -- 0 for exactly one event of each address
    deleted    smallint NOT NULL DEFAULT 0, -- its author asked for it (NIP-09), or to vanish
    json       text     COLLATE "C" NOT NULL
);

CREATE INDEX events_by_time ON events (created_at);
CREATE INDEX events_by_kind ON events (kind, created_at);
CREATE INDEX events_by_author ON events (pubkey, kind, created_at);
CREATE INDEX events_by_address ON events (address, superseded) WHERE address IS NOT NULL;

-- Every single-letter tag, once for each event and value. The key is also the answer to "#x, newest
-- first".
CREATE TABLE tags (
    name       text   COLLATE "C" NOT NULL,
    value      bytea  NOT NULL,
    created_at bigint NOT NULL,
    event      bigint NOT NULL,
    PRIMARY KEY (name, value, created_at, event)
);

-- What each event answers. Position 0 is its parent; a deletion has one more for each other target.
CREATE TABLE links (
    child     bigint   NOT NULL,
    position  integer  NOT NULL,
    relation  text     COLLATE "C" NOT NULL,
    parent    bytea    NOT NULL,
    claimed   bytea,                        -- the root it names, NULL when that is the parent
    root      bytea    NOT NULL,            -- where its chain ends, as far as is known here
    versioned smallint NOT NULL,            -- the child has an address: it may close a cycle
    PRIMARY KEY (child, position)
);

CREATE INDEX links_by_root ON links (root);
CREATE INDEX links_by_parent ON links (parent);
CREATE INDEX links_by_claim ON links (claimed) WHERE claimed IS NOT NULL;
CREATE INDEX links_of_versions ON links (root) WHERE versioned = 1;
CREATE INDEX links_of_deletions ON links (parent) WHERE relation = 'deletion';

-- Keys and values that are too long for an index stand in columns as their digests.
CREATE TABLE long_keys (
    digest bytea PRIMARY KEY,
    key    bytea NOT NULL
);

CREATE TABLE relays (
    relay bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url   text   COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE sightings (
    event   bigint NOT NULL,
    relay   bigint NOT NULL,
    seen_at bigint NOT NULL,                -- the first time
    PRIMARY KEY (event, relay)
);

-- What a relay delivered of what was hoped for; older figures count less.
CREATE TABLE relay_records (
    relay  bigint PRIMARY KEY REFERENCES relays,
    hits   double precision NOT NULL,
    misses double precision NOT NULL
);

CREATE TABLE relay_documents (
    relay      bigint PRIMARY KEY REFERENCES relays,
    text       text   COLLATE "C" NOT NULL, -- JSON (NIP-11), empty when the relay has none
    fetched_at bigint NOT NULL
);

-- The outbox: a posting is a signed answer, its parts are events.
CREATE TABLE postings (
    posting    bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         bytea   NOT NULL UNIQUE,     -- of its first part
    quorum     integer NOT NULL,
    created_at bigint  NOT NULL,
    owner      text    COLLATE "C" NOT NULL DEFAULT '', -- whose right it is to send it
    held_until bigint  NOT NULL DEFAULT 0
);

CREATE TABLE parts (
    posting bigint  NOT NULL REFERENCES postings,
    part    integer NOT NULL,               -- from 1
    event   bigint  NOT NULL UNIQUE,
    PRIMARY KEY (posting, part)
);

CREATE TABLE destinations (
    posting  bigint   NOT NULL REFERENCES postings,
    position integer  NOT NULL,
    relay    bigint   NOT NULL REFERENCES relays,
    courtesy smallint NOT NULL DEFAULT 0,   -- it does not count for the quorum
    PRIMARY KEY (posting, position),
    UNIQUE (posting, relay)
);

CREATE TABLE deliveries (
    posting    bigint   NOT NULL,
    part       integer  NOT NULL,
    relay      bigint   NOT NULL REFERENCES relays,
    status     text     COLLATE "C" NOT NULL,
    reason     text     COLLATE "C" NOT NULL,
    updated_at bigint   NOT NULL,
    tries      integer  NOT NULL DEFAULT 0,
    retry_at   bigint   NOT NULL DEFAULT 0,
    arrived    smallint NOT NULL DEFAULT 0, -- the relay has it, had it or may have it
    PRIMARY KEY (posting, part, relay),
    FOREIGN KEY (posting, part) REFERENCES parts
);

CREATE INDEX deliveries_cancelled ON deliveries (posting, part) WHERE status = 'cancelled';

-- Up to when an author wants to be gone from everywhere (NIP-62): for events that come later, too.
CREATE TABLE vanished (
    pubkey bytea  PRIMARY KEY CHECK (length(pubkey) = 32),
    until  bigint NOT NULL
);

-- When relays were last asked for what somebody says of themselves: kinds 0, 62, 10000 and 10002.
CREATE TABLE people (
    pubkey   bytea  PRIMARY KEY CHECK (length(pubkey) = 32),
    asked_at bigint NOT NULL
);

-- What arrived and nobody has looked at.
CREATE TABLE arrivals (
    event bigint PRIMARY KEY
);

-- What is to be kept here whole, as `core.sources` writes it.
CREATE TABLE sources (
    source   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text   COLLATE "C" NOT NULL,
    text     text   COLLATE "C" NOT NULL,   -- JSON: what it is, from where, and how deep
    added_at bigint NOT NULL
);

-- A filter can be longer than what an index takes.
CREATE UNIQUE INDEX sources_by_name ON sources (md5(name));

-- How the last run of a source ended at a relay.
CREATE TABLE syncs (
    source   bigint NOT NULL REFERENCES sources,
    relay    bigint NOT NULL REFERENCES relays,
    method   text   COLLATE "C" NOT NULL,   -- negentropy, pages or crawl
    finish   text   COLLATE "C" NOT NULL,   -- a `Finish`, or running
    reason   text   COLLATE "C" NOT NULL,   -- in the relay's words, or ours
    ended_at bigint NOT NULL,
    events   bigint NOT NULL,               -- that came from there and were new here, over all runs
    PRIMARY KEY (source, relay)
);

-- The seconds of a source that were got from a relay, both ends included; none touch.
CREATE TABLE spans (
    source bigint NOT NULL REFERENCES sources,
    relay  bigint NOT NULL REFERENCES relays,
    first  bigint NOT NULL,
    last   bigint NOT NULL,
    PRIMARY KEY (source, relay, first)
);

-- The threads under an author's notes, by the key of their root.
CREATE TABLE branches (
    source     bigint   NOT NULL REFERENCES sources,
    root       bytea    NOT NULL,
    fetched_at bigint   NOT NULL,
    whole      smallint NOT NULL,           -- every relay gave everything
    events     bigint   NOT NULL,           -- that it had then: more are a reason to look again
    PRIMARY KEY (source, root)
);

-- What people wrote, as `tsvector` writes it, up to which row. Filled when it is first searched.
CREATE TABLE texts (
    event bigint   PRIMARY KEY,
    words tsvector NOT NULL
);

CREATE INDEX texts_by_word ON texts USING gin (words);

CREATE TABLE indexed (
    upto bigint NOT NULL
);

INSERT INTO indexed (upto) VALUES (0);

-- What was removed for good, so that it does not come back.
CREATE TABLE purged (
    id        bytea  PRIMARY KEY CHECK (length(id) = 32),
    purged_at bigint NOT NULL
);
