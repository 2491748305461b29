-- The isolation boundaries. The operator's own table: it has no tenant above it.
CREATE TABLE tenants (
    id          TEXT   NOT NULL PRIMARY KEY,
    external_id TEXT   UNIQUE,
    name        TEXT   NOT NULL,
    slug        TEXT   NOT NULL UNIQUE,
    status      TEXT   NOT NULL,
    metadata    TEXT   NOT NULL,
    settings    TEXT   NOT NULL,
    search_text TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

-- People who sign in.
CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    email         TEXT   NOT NULL UNIQUE,
    name          TEXT   NOT NULL,
    status        TEXT   NOT NULL,
    is_operator   BIGINT NOT NULL,
    password_hash TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

-- tenant
CREATE TABLE memberships (
    tenant_id  TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

CREATE INDEX memberships_user ON memberships (user_id);

-- tenant
CREATE TABLE clients (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL,
    external_id     TEXT,
    name            TEXT   NOT NULL,
    description     TEXT,
    redirect_uris   TEXT   NOT NULL,
    website         TEXT,
    logo_url        TEXT,
    contact_email   TEXT,
    status          TEXT   NOT NULL,
    rate_limit_tier TEXT,
    webhook_url     TEXT,
    scopes          TEXT,
    metadata        TEXT   NOT NULL,
    allowed_origins TEXT   NOT NULL,
    dual_auth       BIGINT NOT NULL,
    confidential    BIGINT NOT NULL,
    secret_hash     BYTEA,
    search_text     TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (tenant_id, external_id)
);

CREATE INDEX clients_tenant ON clients (tenant_id, id);

-- tenant
CREATE TABLE api_keys (
    id                      TEXT   NOT NULL PRIMARY KEY,
    tenant_id               TEXT   NOT NULL,
    client_id               TEXT   NOT NULL,
    key_id                  TEXT   NOT NULL UNIQUE,
    shown_id                TEXT   NOT NULL,
    mask                    TEXT   NOT NULL,
    hash                    BYTEA  NOT NULL,
    secret_hash             BYTEA,
    name                    TEXT   NOT NULL,
    status                  TEXT   NOT NULL,
    scopes                  TEXT,
    environment             TEXT   NOT NULL,
    expires_at              BIGINT,
    last_used_at            BIGINT,
    request_count           BIGINT NOT NULL,
    allowed_ips             TEXT   NOT NULL,
    allowed_endpoints       TEXT   NOT NULL,
    rate_limit_override     TEXT,
    rotation_frequency_days BIGINT,
    notes                   TEXT,
    created_at              BIGINT NOT NULL,
    updated_at              BIGINT NOT NULL
);

CREATE INDEX api_keys_client ON api_keys (tenant_id, client_id, id);

-- The operator's keys for host backends. bound_tenant is the only tenant that a key may act for; none means any.
CREATE TABLE service_keys (
    id           TEXT   NOT NULL PRIMARY KEY,
    key_id       TEXT   NOT NULL UNIQUE,
    mask         TEXT   NOT NULL,
    hash         BYTEA  NOT NULL,
    name         TEXT   NOT NULL,
    bound_tenant TEXT,
    permissions  TEXT,
    status       TEXT   NOT NULL,
    expires_at   BIGINT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE INDEX service_keys_tenant ON service_keys (bound_tenant);

-- Limits that the operator set in place of the blueprint's. A null limit does not bind.
CREATE TABLE tier_overrides (
    tier       TEXT   NOT NULL PRIMARY KEY,
    per_minute BIGINT,
    per_hour   BIGINT,
    per_day    BIGINT,
    burst      BIGINT,
    updated_at BIGINT NOT NULL
);
