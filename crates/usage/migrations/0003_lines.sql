-- What was told to be billed, in the order in which it was told. A line never changes. `kind`: count for the first of its hour and meter,
-- correction for what came later.
-- tenant
CREATE TABLE usage_lines (
    sequence       BIGINT NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    hour           BIGINT NOT NULL,
    client_id      TEXT   NOT NULL,
    key_id         TEXT   NOT NULL,
    method         TEXT   NOT NULL,
    endpoint       TEXT   NOT NULL,
    requests       BIGINT NOT NULL,
    succeeded      BIGINT NOT NULL,
    units          BIGINT NOT NULL,
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    created_at     BIGINT NOT NULL
);

CREATE INDEX usage_lines_tenant ON usage_lines (tenant_id, sequence);

CREATE INDEX usage_lines_meter ON usage_lines (tenant_id, hour, client_id, key_id, method, endpoint);

CREATE INDEX usage_lines_hour ON usage_lines (hour);

-- The number of the last line. Its row is locked while lines are added, so that numbers commit in their order.
CREATE TABLE usage_sequence (
    id    BIGINT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
