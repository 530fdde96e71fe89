-- Who answers by itself, by its key and its name, and how far it has read what is stored.
CREATE TABLE bots (
    bot      INTEGER PRIMARY KEY,
    pubkey   BLOB    NOT NULL CHECK (length(pubkey) = 32),
    name     TEXT    NOT NULL,
    began_at INTEGER NOT NULL,              -- what came before is none of its business
    heard_at INTEGER NOT NULL,              -- when it last listened
    upto     INTEGER NOT NULL,              -- the row of the last event that it has read
    marks    INTEGER,                       -- whether its profile is to say that it is one
    UNIQUE (pubkey, name)
) STRICT;

-- What was asked of it, and what became of that. The event may be purged, what became of it stays.
CREATE TABLE asks (
    ask         INTEGER PRIMARY KEY,
    bot         INTEGER NOT NULL REFERENCES bots,
    event       BLOB    NOT NULL CHECK (length(event) = 32),
    rule        TEXT    NOT NULL,           -- that answers alone, '' where the first that fits does
    author      BLOB    NOT NULL,
    root        ANY     NOT NULL,           -- the key of its thread
    state       TEXT    NOT NULL,
    guard       TEXT    NOT NULL DEFAULT '',
    why         TEXT    NOT NULL DEFAULT '',
    answerer    TEXT    NOT NULL DEFAULT '', -- the rule that has answered
    tries       INTEGER NOT NULL DEFAULT 0,
    due         INTEGER NOT NULL,
    owner       TEXT    NOT NULL DEFAULT '', -- who is answering it, and up to when
    held_until  INTEGER NOT NULL DEFAULT 0,
    pardoned    INTEGER NOT NULL DEFAULT 0, -- its age does not matter: its owner wants an answer
    posting     BLOB,                       -- the id of the first part of the answer
    asked_at    INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    answered_at INTEGER,                    -- when it was begun, then when it was signed: for budgets
    queued_at   INTEGER,                    -- when the answer was signed
    changed_at  INTEGER NOT NULL,
    UNIQUE (bot, event, rule)
) STRICT;

CREATE INDEX asks_open ON asks (bot, asked_at) WHERE state IN ('seen', 'answering');
CREATE INDEX asks_queued ON asks (bot) WHERE state = 'queued';
CREATE INDEX asks_answered ON asks (bot, answered_at) WHERE answered_at IS NOT NULL;
CREATE INDEX asks_of_event ON asks (event);
