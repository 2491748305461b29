-- What clients and keys have used of their monthly quotas. period_start: the refill that began the period.
-- tenant
-- clustered
CREATE TABLE quota_uses (
    tenant_id    TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    period_start BIGINT NOT NULL,
    used         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, subject, period_start)
);

CREATE INDEX quota_uses_start ON quota_uses (period_start);
