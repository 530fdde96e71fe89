-- How whole each thread was found when it was fetched last, by the key of its root.
CREATE TABLE fetches (
    root       ANY     NOT NULL PRIMARY KEY,
    text       TEXT    NOT NULL,            -- JSON, as `core.fetched` writes it
    fetched_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
