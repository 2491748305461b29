-- The operator's apps at vendors: one for each provider. `sealed` is the client secret; `settings` holds none. The operator's own table.
CREATE TABLE oauth_apps (
    provider   TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    settings   TEXT   NOT NULL,
    scopes     TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Tokens that we hold at vendors. `sealed` has the tokens, the client secret of the tenant's own app, and what is kept and not to be seen.
-- `generation` grows with every renewal; `claim_*` says who renews now, until when; `minted` are the times of the last renewals, where a
-- vendor counts them; `due_at` is when the keeper has to look again.
-- tenant
CREATE TABLE oauth_tokens (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL,
    provider        TEXT   NOT NULL,
    user_id         TEXT,
    account         TEXT,
    status          TEXT   NOT NULL,
    reason          TEXT,
    client_id       TEXT,
    own_app         BIGINT NOT NULL,
    settings        TEXT   NOT NULL,
    sealed          BYTEA  NOT NULL,
    is_renewable    BIGINT NOT NULL,
    scopes          TEXT   NOT NULL,
    asked           TEXT   NOT NULL,
    metadata        TEXT   NOT NULL,
    base_url        TEXT,
    generation      BIGINT NOT NULL,
    expires_at      BIGINT,
    refreshed_at    BIGINT NOT NULL,
    due_at          BIGINT,
    claim_epoch     BIGINT NOT NULL,
    claim_until     BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    minted          TEXT   NOT NULL,
    revocation      TEXT,
    last_used_at    BIGINT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE INDEX oauth_tokens_tenant ON oauth_tokens (tenant_id, id);
CREATE INDEX oauth_tokens_of ON oauth_tokens (tenant_id, provider, user_id);
CREATE INDEX oauth_tokens_account ON oauth_tokens (provider, account);
CREATE INDEX oauth_tokens_due ON oauth_tokens (due_at);

-- Who used a token, hour by hour.
-- tenant
CREATE TABLE oauth_token_uses (
    tenant_id TEXT   NOT NULL,
    token_id  TEXT   NOT NULL,
    hour      BIGINT NOT NULL,
    used_by   TEXT   NOT NULL,
    uses      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, token_id, hour, used_by)
);

CREATE INDEX oauth_token_uses_hour ON oauth_token_uses (hour);

-- Connections that were begun. `state_hash` is of what the vendor's callback brings back; `browser_hash` of the cookie of the browser that began
-- it, where one did. `sealed` has the verifier and the client secret of the tenant's own app.
-- tenant
CREATE TABLE oauth_connections (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant_id    TEXT   NOT NULL,
    provider     TEXT   NOT NULL,
    user_id      TEXT,
    started_by   TEXT   NOT NULL,
    state_hash   BYTEA  NOT NULL,
    browser_hash BYTEA,
    sealed       BYTEA  NOT NULL,
    client_id    TEXT   NOT NULL,
    own_app      BIGINT NOT NULL,
    settings     TEXT   NOT NULL,
    asked        TEXT   NOT NULL,
    redirect_uri TEXT   NOT NULL,
    return_to    TEXT,
    token_id     TEXT,
    status       TEXT   NOT NULL,
    error        TEXT,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT
);

CREATE UNIQUE INDEX oauth_connections_state ON oauth_connections (state_hash);
CREATE INDEX oauth_connections_tenant ON oauth_connections (tenant_id, id);
CREATE INDEX oauth_connections_created ON oauth_connections (created_at);
