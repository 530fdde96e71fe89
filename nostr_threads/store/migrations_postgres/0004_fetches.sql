-- How whole each thread was found when it was fetched last, by the key of its root.
CREATE TABLE fetches (
    root       bytea  PRIMARY KEY,
    text       text   COLLATE "C" NOT NULL, -- JSON, as `core.fetched` writes it
    fetched_at bigint NOT NULL
);
