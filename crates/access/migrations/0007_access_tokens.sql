-- Access tokens that `oauth` issued, as long as they live: stored as keys are, found by their key id. The tenant is the one whose data the
-- token opens; the client may be another tenant's, where a person of this one consented. A token of a person ends with the grant.
-- tenant
CREATE TABLE access_tokens (
    key_id     TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    user_id    TEXT,
    grant_id   TEXT,
    hash       BYTEA  NOT NULL,
    scope      TEXT   NOT NULL,
    resource   TEXT,
    jkt        TEXT,
    actor      TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX access_tokens_ending ON access_tokens (expires_at);

CREATE INDEX access_tokens_grant ON access_tokens (grant_id) WHERE grant_id IS NOT NULL;

-- A secret that was replaced and works on for a while.
ALTER TABLE clients ADD COLUMN previous_secret_hash BYTEA;

ALTER TABLE clients ADD COLUMN previous_secret_until BIGINT;
