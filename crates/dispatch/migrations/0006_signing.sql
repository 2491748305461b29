-- Ed25519 keys that sign a tenant's deliveries (`v1a`). `seed` is sealed under the context `signing_keys.seed:<kid>`. The newest has no end;
-- those before it sign, and are published, until theirs.
-- tenant
CREATE TABLE signing_keys (
    tenant_id  TEXT   NOT NULL,
    kid        TEXT   NOT NULL,
    public_key TEXT   NOT NULL,
    seed       BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (tenant_id, kid)
);

-- Which secret or key receivers say that they verified with.
-- tenant
-- clustered
CREATE TABLE signature_acceptances (
    destination_id   TEXT   NOT NULL,
    kid              TEXT   NOT NULL,
    tenant_id        TEXT   NOT NULL,
    accepted         BIGINT NOT NULL,
    last_accepted_at BIGINT NOT NULL,
    PRIMARY KEY (destination_id, kid)
);
