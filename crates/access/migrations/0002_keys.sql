-- The first key of those that came of each other by rotation: they are counted and limited as one.
ALTER TABLE api_keys ADD COLUMN lineage_id TEXT NOT NULL DEFAULT '';

UPDATE api_keys SET lineage_id = id;

ALTER TABLE api_keys ADD COLUMN rotated_from TEXT;

ALTER TABLE api_keys ADD COLUMN rotated_to TEXT;

-- How long a key of this line lives, where it was made with a number of days.
ALTER TABLE api_keys ADD COLUMN lifetime_days BIGINT;

ALTER TABLE api_keys ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';

-- Keyed hash of the token's SHA-256, by which a leak that is reported as a hash is found. Keys made before have none.
ALTER TABLE api_keys ADD COLUMN fingerprint TEXT;

ALTER TABLE api_keys ADD COLUMN leaked_at BIGINT;

-- A successor that nobody asked for (after a leak) waits here, sealed, until it is fetched once.
ALTER TABLE api_keys ADD COLUMN waiting BYTEA;

-- A replaced key that is still used lives on, at most so long.
ALTER TABLE api_keys ADD COLUMN extend_until BIGINT;

-- How many of the warnings before its end were given (expiry_told), when a due rotation was last told of, and when to look again.
ALTER TABLE api_keys ADD COLUMN expiry_told BIGINT NOT NULL DEFAULT 0;

ALTER TABLE api_keys ADD COLUMN rotation_told BIGINT;

ALTER TABLE api_keys ADD COLUMN remind_at BIGINT;

UPDATE api_keys SET remind_at = 0 WHERE status = 'active' AND (expires_at IS NOT NULL OR rotation_frequency_days IS NOT NULL);

CREATE UNIQUE INDEX api_keys_fingerprint ON api_keys (fingerprint) WHERE fingerprint IS NOT NULL;

CREATE INDEX api_keys_remind ON api_keys (remind_at) WHERE remind_at IS NOT NULL;

CREATE INDEX api_keys_lineage ON api_keys (tenant_id, lineage_id);

-- Which server does the work of all: looking for keys that someone must be told of.
CREATE TABLE access_leases (
    name       TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
