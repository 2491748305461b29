-- How a client may use OAuth, where it says so; what is null is as usual. The client itself (name, redirect addresses, secret, scopes) is in
-- `clients`.
-- tenant
CREATE TABLE oauth_clients (
    client_id                  TEXT   NOT NULL PRIMARY KEY,
    tenant_id                  TEXT   NOT NULL,
    grant_types                TEXT,
    token_endpoint_auth_method TEXT,
    token_format               TEXT,
    audience                   TEXT,
    require_dpop               BIGINT NOT NULL,
    require_par                BIGINT NOT NULL,
    jwks                       TEXT,
    jwks_uri                   TEXT,
    access_token_seconds       BIGINT,
    refresh_token_seconds      BIGINT,
    registration               TEXT,
    registration_hash          BYTEA,
    created_at                 BIGINT NOT NULL,
    updated_at                 BIGINT NOT NULL
);

CREATE INDEX oauth_clients_tenant ON oauth_clients (tenant_id, client_id);

-- Authorization requests that wait for a person, or were pushed: nobody's rows yet, since no tenant is chosen. `person` is the first one who
-- looked at it: nobody else may answer it.
CREATE TABLE oauth_requests (
    key_id     TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    hash       BYTEA  NOT NULL,
    is_pushed  BIGINT NOT NULL,
    parameters TEXT   NOT NULL,
    person     TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth_requests_ending ON oauth_requests (expires_at);

-- Authorization codes. The tenant is the one whose data was granted. A code that was redeemed stays until it would have ended, so that a second
-- redemption is seen and ends what came of the first.
-- tenant
CREATE TABLE oauth_codes (
    key_id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL,
    client_id      TEXT   NOT NULL,
    user_id        TEXT   NOT NULL,
    grant_id       TEXT   NOT NULL,
    hash           BYTEA  NOT NULL,
    scope          TEXT   NOT NULL,
    redirect_uri   TEXT   NOT NULL,
    code_challenge TEXT   NOT NULL,
    resource       TEXT,
    jkt            TEXT,
    nonce          TEXT,
    authenticated_at BIGINT NOT NULL,
    methods        TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    redeemed_at    BIGINT
);

CREATE INDEX oauth_codes_ending ON oauth_codes (expires_at);

-- What people remembered to allow: which scopes of a tenant an application may have.
-- tenant
CREATE TABLE oauth_consents (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant_id, user_id, client_id)
);

CREATE INDEX oauth_consents_user ON oauth_consents (user_id, id);

CREATE INDEX oauth_consents_client ON oauth_consents (client_id);

-- What came of an authorization: a family of tokens that ends as a whole. `key_id` finds it by any of its refresh tokens, `hash` is that of
-- the one that is good now.
-- tenant
CREATE TABLE oauth_grants (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant_id    TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    key_id       TEXT   NOT NULL UNIQUE,
    hash         BYTEA,
    scope        TEXT   NOT NULL,
    resource     TEXT,
    jkt          TEXT,
    nonce        TEXT,
    authenticated_at BIGINT NOT NULL,
    methods      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    used_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    reason       TEXT
);

CREATE INDEX oauth_grants_user ON oauth_grants (tenant_id, user_id, client_id);

CREATE INDEX oauth_grants_client ON oauth_grants (client_id);

CREATE INDEX oauth_grants_ending ON oauth_grants (expires_at);

-- Refresh tokens that were used up, as long as their grant: shown again, they end it.
-- clustered
CREATE TABLE oauth_spent_tokens (
    grant_id TEXT   NOT NULL,
    hash     BYTEA  NOT NULL,
    spent_at BIGINT NOT NULL,
    PRIMARY KEY (grant_id, hash)
);
