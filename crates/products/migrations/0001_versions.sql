-- Blueprints that were applied; the one with the highest number is in force. `text` is the file, sealed. `restores`: the version whose text
-- this is; `undoes`: the version that it took the place of in one step back.
CREATE TABLE blueprint_versions (
    number     BIGINT NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    text       BYTEA  NOT NULL,
    how        TEXT   NOT NULL,
    applied_by TEXT   NOT NULL,
    applied_at BIGINT NOT NULL,
    note       TEXT,
    restores   BIGINT,
    undoes     BIGINT
);
