-- Whose right it is to send a posting, and up to when. A sender that died leaves its name.
ALTER TABLE postings ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE postings ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0;

-- Whether it goes there without counting for the quorum.
ALTER TABLE destinations ADD COLUMN courtesy INTEGER NOT NULL DEFAULT 0;

ALTER TABLE deliveries ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0;
-- Whether the relay has it, had it or may have it, whatever was learned since.
ALTER TABLE deliveries ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;

UPDATE deliveries SET arrived = 1
    WHERE status IN ('accepted', 'duplicate', 'stored', 'lost', 'no-answer');

CREATE INDEX deliveries_cancelled ON deliveries (posting, part) WHERE status = 'cancelled';
