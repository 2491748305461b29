-- What is known of a call besides. On SQLite a day's calls stand in a table of their own, request_logs_YYYYMMDD, which the writer makes
-- (days.rs); this one is empty there but for what an older version wrote.
ALTER TABLE request_logs ADD COLUMN actor TEXT;

ALTER TABLE request_logs ADD COLUMN environment TEXT;

ALTER TABLE request_logs ADD COLUMN tags TEXT;

ALTER TABLE request_logs ADD COLUMN units BIGINT NOT NULL DEFAULT 1;

CREATE INDEX request_logs_by_key ON request_logs (tenant_id, key_id, at, id);

CREATE INDEX request_logs_errors ON request_logs (tenant_id, status, at, id) WHERE status >= 400;

CREATE INDEX request_logs_by_client ON request_logs (tenant_id, client_id, at, id);

-- Calls counted by hour. `subject`: empty for all of the tenant's, a client's or a key's id. `kind`: t for all of the subject's calls
-- (`part` is empty), e by endpoint and method, s by status and error code, c by the client or key below the subject. `node`: each server has
-- its own rows, so that none waits for another. `h00` to `h23`: durations in the buckets of kernel::histogram::Microseconds.
-- tenant
-- clustered
-- daily at
CREATE TABLE usage_hours (
    tenant_id      TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    at             BIGINT NOT NULL,
    part           TEXT   NOT NULL,
    node           TEXT   NOT NULL,
    requests       BIGINT NOT NULL,
    succeeded      BIGINT NOT NULL,
    units          BIGINT NOT NULL,
    duration_us    BIGINT NOT NULL,
    slowest_us     BIGINT NOT NULL,
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    h00            BIGINT NOT NULL,
    h01            BIGINT NOT NULL,
    h02            BIGINT NOT NULL,
    h03            BIGINT NOT NULL,
    h04            BIGINT NOT NULL,
    h05            BIGINT NOT NULL,
    h06            BIGINT NOT NULL,
    h07            BIGINT NOT NULL,
    h08            BIGINT NOT NULL,
    h09            BIGINT NOT NULL,
    h10            BIGINT NOT NULL,
    h11            BIGINT NOT NULL,
    h12            BIGINT NOT NULL,
    h13            BIGINT NOT NULL,
    h14            BIGINT NOT NULL,
    h15            BIGINT NOT NULL,
    h16            BIGINT NOT NULL,
    h17            BIGINT NOT NULL,
    h18            BIGINT NOT NULL,
    h19            BIGINT NOT NULL,
    h20            BIGINT NOT NULL,
    h21            BIGINT NOT NULL,
    h22            BIGINT NOT NULL,
    h23            BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, subject, kind, at, part, node)
);

CREATE INDEX usage_hours_at ON usage_hours (at);

-- The same by day.
-- tenant
-- clustered
CREATE TABLE usage_days (
    tenant_id      TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    at             BIGINT NOT NULL,
    part           TEXT   NOT NULL,
    node           TEXT   NOT NULL,
    requests       BIGINT NOT NULL,
    succeeded      BIGINT NOT NULL,
    units          BIGINT NOT NULL,
    duration_us    BIGINT NOT NULL,
    slowest_us     BIGINT NOT NULL,
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    h00            BIGINT NOT NULL,
    h01            BIGINT NOT NULL,
    h02            BIGINT NOT NULL,
    h03            BIGINT NOT NULL,
    h04            BIGINT NOT NULL,
    h05            BIGINT NOT NULL,
    h06            BIGINT NOT NULL,
    h07            BIGINT NOT NULL,
    h08            BIGINT NOT NULL,
    h09            BIGINT NOT NULL,
    h10            BIGINT NOT NULL,
    h11            BIGINT NOT NULL,
    h12            BIGINT NOT NULL,
    h13            BIGINT NOT NULL,
    h14            BIGINT NOT NULL,
    h15            BIGINT NOT NULL,
    h16            BIGINT NOT NULL,
    h17            BIGINT NOT NULL,
    h18            BIGINT NOT NULL,
    h19            BIGINT NOT NULL,
    h20            BIGINT NOT NULL,
    h21            BIGINT NOT NULL,
    h22            BIGINT NOT NULL,
    h23            BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, subject, kind, at, part, node)
);

CREATE INDEX usage_days_at ON usage_days (at);

-- What is billed, by hour. `is_open`: something came that no line tells yet.
-- tenant
-- clustered
CREATE TABLE usage_meters (
    tenant_id      TEXT   NOT NULL,
    hour           BIGINT NOT NULL,
    client_id      TEXT   NOT NULL,
    key_id         TEXT   NOT NULL,
    method         TEXT   NOT NULL,
    endpoint       TEXT   NOT NULL,
    node           TEXT   NOT NULL,
    requests       BIGINT NOT NULL,
    succeeded      BIGINT NOT NULL,
    units          BIGINT NOT NULL,
    request_bytes  BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    is_open        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, hour, client_id, key_id, method, endpoint, node)
);

CREATE INDEX usage_meters_hour ON usage_meters (hour);

CREATE INDEX usage_meters_open ON usage_meters (hour) WHERE is_open = 1;

-- The last group that each server wrote: one that comes again, since its answer was lost, is known.
CREATE TABLE usage_writers (
    node       TEXT   NOT NULL PRIMARY KEY,
    last_group BIGINT NOT NULL,
    at         BIGINT NOT NULL
);
