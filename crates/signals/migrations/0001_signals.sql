-- What went wrong, counted by minute. The empty tenant is the installation: what belongs to no tenant.
-- tenant
-- clustered
CREATE TABLE signals (
    kind      TEXT   NOT NULL,
    minute    BIGINT NOT NULL,
    tenant_id TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    count     BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    detail    TEXT   NOT NULL,
    PRIMARY KEY (kind, minute, tenant_id, subject)
);

CREATE INDEX signals_minute ON signals (minute);

CREATE INDEX signals_tenant ON signals (tenant_id);
