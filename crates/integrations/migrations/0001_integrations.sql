-- A tenant's connections to vendors. `config` is JSON without secrets; `credentials` and `inbound` (what proves vendors' calls) are sealed.
-- `account` is the vendor's name of the account, once it is known.
-- tenant
CREATE TABLE integrations (
    id               TEXT   NOT NULL PRIMARY KEY,
    tenant_id        TEXT   NOT NULL,
    connector        TEXT   NOT NULL,
    name             TEXT   NOT NULL,
    notes            TEXT,
    environment      TEXT   NOT NULL,
    enabled          BIGINT NOT NULL,
    config           TEXT   NOT NULL,
    credentials      BYTEA,
    credential_names TEXT   NOT NULL,
    oauth_token_id   TEXT,
    account          TEXT,
    inbound          BYTEA  NOT NULL,
    status           TEXT   NOT NULL,
    status_reason    TEXT,
    status_at        BIGINT NOT NULL,
    last_sync_at     BIGINT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);

CREATE INDEX integrations_tenant ON integrations (tenant_id, id);

CREATE INDEX integrations_connector ON integrations (tenant_id, connector, id);

CREATE INDEX integrations_account ON integrations (connector, account, id);

-- What an account at a vendor may still be asked for: shared by all runs and servers, which take parts of it in advance.
-- tenant
-- clustered
CREATE TABLE integration_budgets (
    tenant_id TEXT   NOT NULL,
    connector TEXT   NOT NULL,
    account   TEXT   NOT NULL,
    span      TEXT   NOT NULL,
    allowed   BIGINT NOT NULL,
    used      BIGINT NOT NULL,
    resets_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, connector, account, span)
);

-- How a vendor's object looked when somebody last said that it is well.
-- tenant
CREATE TABLE integration_schemas (
    tenant_id      TEXT   NOT NULL,
    integration_id TEXT   NOT NULL,
    object         TEXT   NOT NULL,
    content        TEXT   NOT NULL,
    taken_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, object)
);

-- The last calls of each integration: a bounded number.
-- tenant
CREATE TABLE integration_calls (
    tenant_id      TEXT   NOT NULL,
    integration_id TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    at             BIGINT NOT NULL,
    method         TEXT   NOT NULL,
    endpoint       TEXT   NOT NULL,
    status         BIGINT,
    ms             BIGINT NOT NULL,
    success        BIGINT NOT NULL,
    error          TEXT,
    actor          TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- What is counted of all of them, hour by hour.
-- tenant
-- clustered
CREATE TABLE integration_hours (
    tenant_id       TEXT   NOT NULL,
    integration_id  TEXT   NOT NULL,
    hour            BIGINT NOT NULL,
    calls           BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    limited         BIGINT NOT NULL,
    last_success_at BIGINT,
    last_failure_at BIGINT,
    PRIMARY KEY (tenant_id, integration_id, hour)
);

-- Connectors that a tenant described; each change is a version.
-- tenant
CREATE TABLE tenant_connectors (
    tenant_id  TEXT   NOT NULL,
    connector  TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    manifest   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, connector, version)
);

-- The same of the operator's, for every tenant.
CREATE TABLE operator_connectors (
    connector  TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    manifest   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (connector, version)
);
