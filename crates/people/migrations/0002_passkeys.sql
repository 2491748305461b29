-- Passkeys: public keys (COSE) that people sign in with. is_synced: whether the device may copy it to others; regressed_at: when it was last
-- used with a counter that did not go on, which a copy of the key explains.
CREATE TABLE passkeys (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL,
    credential_id BYTEA  NOT NULL UNIQUE,
    public_key    BYTEA  NOT NULL,
    name          TEXT   NOT NULL,
    aaguid        TEXT   NOT NULL,
    transports    TEXT   NOT NULL,
    counter       BIGINT NOT NULL,
    is_synced     BIGINT NOT NULL,
    is_backed_up  BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT,
    regressed_at  BIGINT
);

CREATE INDEX passkeys_user ON passkeys (user_id, id);

-- What somebody began who comes back with an answer: of a passkey, or of another OpenID provider. Each is good once, for a few minutes, in the
-- browser that began it. account: the only one that may be signed in to (a keyed hash of its address), where one was named.
CREATE TABLE ceremonies (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    browser    BYTEA  NOT NULL,
    user_id    TEXT,
    account    BYTEA,
    next       TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX ceremonies_user ON ceremonies (user_id) WHERE user_id IS NOT NULL;

CREATE INDEX ceremonies_expiry ON ceremonies (expires_at);

-- Who a person is at another OpenID provider. The subject tells, for ever; the address is what was last shown, and decides nothing.
CREATE TABLE identities (
    issuer       TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    email        TEXT,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (issuer, subject),
    UNIQUE (user_id, issuer)
);

-- The invitation that is accepted once the second proof is shown too.
ALTER TABLE pending_sign_ins ADD COLUMN invitation BYTEA;
