-- Addresses that vendors call. `secrets` is sealed; `settings` and `response` are JSON without secrets.
-- tenant
CREATE TABLE sources (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL,
    provider    TEXT   NOT NULL,
    name        TEXT,
    description TEXT,
    enabled     BIGINT NOT NULL,
    events      TEXT   NOT NULL,
    filter      TEXT,
    settings    TEXT   NOT NULL,
    response    TEXT,
    secrets     BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE INDEX sources_tenant ON sources (tenant_id, id);

-- Calls that could not be verified: few for each source, small, without what may be a secret.
-- tenant
CREATE TABLE quarantined_calls (
    tenant_id   TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    source_id   TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    reason      TEXT   NOT NULL,
    method      TEXT   NOT NULL,
    query       TEXT,
    headers     TEXT   NOT NULL,
    body        BYTEA  NOT NULL,
    body_bytes  BIGINT NOT NULL,
    remote      TEXT,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX quarantined_calls_source ON quarantined_calls (tenant_id, source_id, id);
