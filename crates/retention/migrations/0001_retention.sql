-- Which server lets go of old data at present.
CREATE TABLE retention_lease (
    name       TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- How far something has been done, so that it is not done again at every look. The empty tenant is the installation.
-- tenant
CREATE TABLE retention_marks (
    tenant_id TEXT   NOT NULL,
    what      TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, what)
);

-- Runs that erase what events say. `selector` says which; it is sealed, and gone with the end of the run.
-- tenant
CREATE TABLE expunges (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    dry_run     BIGINT NOT NULL,
    selector    BYTEA,
    state       TEXT   NOT NULL,
    reached_at  BIGINT NOT NULL,
    reached_id  TEXT   NOT NULL,
    until_at    BIGINT NOT NULL,
    examined    BIGINT NOT NULL,
    matched     BIGINT NOT NULL,
    deliveries  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX expunges_running ON expunges (state, id);
