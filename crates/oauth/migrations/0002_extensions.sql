-- Requests of devices that a person answers elsewhere (RFC 8628): nobody's rows until somebody answers. `user_hash` finds one by the code that the
-- person types; `granted_tenant` is the one whose data was allowed.
CREATE TABLE oauth_devices (
    key_id           TEXT   NOT NULL PRIMARY KEY,
    client_id        TEXT   NOT NULL,
    hash             BYTEA  NOT NULL,
    user_hash        BYTEA  NOT NULL UNIQUE,
    scope            TEXT   NOT NULL,
    resource         TEXT,
    status           TEXT   NOT NULL,
    granted_tenant   TEXT,
    user_id          TEXT,
    grant_id         TEXT,
    granted          TEXT,
    authenticated_at BIGINT,
    methods          TEXT,
    interval_ms      BIGINT NOT NULL,
    polled_at        BIGINT,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);

CREATE INDEX oauth_devices_ending ON oauth_devices (expires_at);

-- Assertions and proofs that were used (RFC 7523, RFC 9449), as long as they would be accepted: the same on every node.
-- clustered
CREATE TABLE oauth_used_tokens (
    name       BYTEA  NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth_used_tokens_ending ON oauth_used_tokens (expires_at);
