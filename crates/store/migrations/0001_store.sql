-- Tables that PostgreSQL keeps in daily partitions (unused on SQLite).
CREATE TABLE partitioned_tables (
    name TEXT NOT NULL PRIMARY KEY
);

-- Data keys, wrapped by the master key.
CREATE TABLE data_keys (
    id         BIGINT NOT NULL PRIMARY KEY,
    wrapped    BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

-- Named secrets of the installation (such as the key pepper), sealed.
CREATE TABLE installation_secrets (
    name   TEXT  NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- tenant
CREATE TABLE idempotency_keys (
    owner       TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    tenant_id   TEXT   NOT NULL,
    fingerprint BYTEA  NOT NULL,
    kind        TEXT   NOT NULL,
    answer      BYTEA,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- tenant
CREATE TABLE audit_log (
    chain      TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    tenant_id  TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    request_id TEXT,
    ip         TEXT,
    hash       BYTEA  NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- tenant
CREATE TABLE audit_heads (
    chain     TEXT   NOT NULL PRIMARY KEY,
    tenant_id TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    hash      BYTEA  NOT NULL
);

-- Servers that are or were alive; an epoch is never used twice.
CREATE TABLE nodes (
    id           TEXT   NOT NULL PRIMARY KEY,
    epoch        BIGINT NOT NULL UNIQUE,
    started_at   BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    stopped_at   BIGINT
);

-- Counters that only grow, such as the numbers of integer-named records.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
