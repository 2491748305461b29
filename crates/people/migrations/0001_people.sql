-- What proves who a person is. The password as a PHC string (argon2id), the TOTP secret sealed.
CREATE TABLE sign_in_methods (
    user_id           TEXT   NOT NULL PRIMARY KEY,
    password_hash     TEXT,
    password_set_at   BIGINT,
    totp              BYTEA,
    totp_confirmed_at BIGINT,
    totp_last_step    BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);

-- Codes for whoever lost the device with the TOTP secret: keyed hashes, each good once.
CREATE TABLE recovery_codes (
    user_id TEXT   NOT NULL,
    hash    BYTEA  NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

-- Signed-in browsers. bound_tenant: the only tenant of a session that a host began, in the role that the host named.
CREATE TABLE sessions (
    id           TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL,
    token_hash   BYTEA  NOT NULL UNIQUE,
    bound_tenant TEXT,
    bound_role   TEXT,
    methods      TEXT   NOT NULL,
    proven_at    BIGINT NOT NULL,
    ip           TEXT,
    user_agent   TEXT,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX sessions_user ON sessions (user_id, id);

CREATE INDEX sessions_tenant ON sessions (bound_tenant) WHERE bound_tenant IS NOT NULL;

CREATE INDEX sessions_expiry ON sessions (expires_at);

-- People who have shown one proof and owe a second.
CREATE TABLE pending_sign_ins (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    methods    TEXT   NOT NULL,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX pending_sign_ins_expiry ON pending_sign_ins (expires_at);

-- Links that sign in, set a password or set the installation up: each good once.
CREATE TABLE one_time_links (
    token_hash   BYTEA  NOT NULL PRIMARY KEY,
    purpose      TEXT   NOT NULL,
    user_id      TEXT,
    email        TEXT,
    bound_tenant TEXT,
    bound_role   TEXT,
    next         TEXT,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX one_time_links_user ON one_time_links (user_id) WHERE user_id IS NOT NULL;

CREATE INDEX one_time_links_expiry ON one_time_links (expires_at);

-- tenant
CREATE TABLE invitations (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL,
    email       TEXT   NOT NULL,
    role        TEXT   NOT NULL,
    name        TEXT,
    token_hash  BYTEA  NOT NULL UNIQUE,
    invited_by  TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    sent_at     BIGINT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by TEXT
);

CREATE INDEX invitations_tenant ON invitations (tenant_id, id);

CREATE INDEX invitations_email ON invitations (email);

-- Failed attempts in a row, by a keyed hash of the address, whether somebody has it or not.
CREATE TABLE sign_in_failures (
    account  BYTEA  NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at  BIGINT NOT NULL
);

CREATE INDEX sign_in_failures_last ON sign_in_failures (last_at);
