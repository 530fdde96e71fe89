-- Up to when an author wants to be gone from everywhere (NIP-62): for events that come later, too.
CREATE TABLE vanished (
    pubkey BLOB    PRIMARY KEY CHECK (length(pubkey) = 32),
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO vanished (pubkey, until)
    SELECT e.pubkey, max(e.created_at) FROM events e, json_each(e.json, '$.tags') AS tag
    WHERE e.kind = 62
    AND json_extract(tag.value, '$[0]') = 'relay' AND json_extract(tag.value, '$[1]') = 'ALL_RELAYS'
    GROUP BY e.pubkey;

UPDATE events SET deleted = 1
    FROM vanished v WHERE v.pubkey = events.pubkey AND created_at <= v.until AND kind <> 62;

-- A request to vanish cannot be deleted.
UPDATE events SET deleted = 0 WHERE kind = 62;

-- When relays were last asked for what somebody says of themselves: kinds 0, 62, 10000 and 10002.
CREATE TABLE people (
    pubkey   BLOB    PRIMARY KEY CHECK (length(pubkey) = 32),
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a relay delivered of what was hoped for; older figures count less.
CREATE TABLE relay_records (
    relay  INTEGER PRIMARY KEY REFERENCES relays,
    hits   REAL    NOT NULL,
    misses REAL    NOT NULL
) STRICT;

CREATE TABLE relay_documents (
    relay      INTEGER PRIMARY KEY REFERENCES relays,
    text       TEXT    NOT NULL,            -- JSON (NIP-11), empty when the relay has none
    fetched_at INTEGER NOT NULL
) STRICT;

-- What arrived and nobody has looked at. What came before there were looks counts as looked at.
CREATE TABLE arrivals (
    event INTEGER PRIMARY KEY REFERENCES events
) STRICT;
