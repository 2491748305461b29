-- What needs a look. The empty tenant is the installation: such alerts are the operator's. `standing`: whether the condition held when it was
-- last looked at, also of one that somebody resolved by hand, so that it does not open again at once. `untold`: the operator has not heard of
-- the last change.
-- tenant
CREATE TABLE alerts (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL,
    rule            TEXT   NOT NULL,
    subject         TEXT   NOT NULL,
    severity        TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    summary         TEXT   NOT NULL,
    value           DOUBLE PRECISION NOT NULL,
    worst           DOUBLE PRECISION NOT NULL,
    threshold       DOUBLE PRECISION NOT NULL,
    count           BIGINT NOT NULL,
    standing        BIGINT NOT NULL,
    untold          BIGINT NOT NULL,
    opened_at       BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    told_at         BIGINT NOT NULL,
    told_value      DOUBLE PRECISION NOT NULL,
    quiet_since     BIGINT,
    muted_until     BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    closed_at       BIGINT,
    closed_reason   TEXT,
    closed_by       TEXT
);

CREATE UNIQUE INDEX alerts_open ON alerts (tenant_id, rule, subject) WHERE closed_at IS NULL;

CREATE INDEX alerts_of_tenant ON alerts (tenant_id, id);

CREATE INDEX alerts_of_subject ON alerts (tenant_id, rule, subject, id);

CREATE INDEX alerts_standing ON alerts (rule, id) WHERE standing = 1;

CREATE INDEX alerts_untold ON alerts (id) WHERE untold = 1;

-- Rules that somebody set in place of what is usual. The empty tenant: the operator, for all tenants. What is null is as usual.
-- tenant
CREATE TABLE alert_rules (
    tenant_id  TEXT   NOT NULL,
    rule       TEXT   NOT NULL,
    enabled    BIGINT,
    severity   TEXT,
    threshold  DOUBLE PRECISION,
    minimum    BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, rule)
);

CREATE INDEX alert_rules_of_rule ON alert_rules (rule, threshold);

-- Which server looks at present.
CREATE TABLE alert_lease (
    name       TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
