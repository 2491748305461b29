-- tenant
-- daily at
CREATE TABLE request_logs (
    id             TEXT   NOT NULL,
    tenant_id      TEXT   NOT NULL,
    client_id      TEXT,
    key_id         TEXT,
    at             BIGINT NOT NULL,
    method         TEXT   NOT NULL,
    endpoint       TEXT   NOT NULL,
    query          TEXT,
    status         BIGINT NOT NULL,
    duration_us    BIGINT NOT NULL,
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    ip             TEXT,
    user_agent     TEXT,
    error_code     TEXT
);

CREATE INDEX request_logs_by_tenant ON request_logs (tenant_id, at, id);
