-- One row per try of a delivery.
-- tenant
-- daily started_at
CREATE TABLE attempts (
    delivery_id      TEXT   NOT NULL,
    number           BIGINT NOT NULL,
    started_at       BIGINT NOT NULL,
    id               TEXT   NOT NULL,
    tenant_id        TEXT   NOT NULL,
    destination_id   TEXT   NOT NULL,
    event_id         TEXT   NOT NULL,
    duration_ms      BIGINT NOT NULL,
    status_code      BIGINT,
    error_kind       TEXT,
    error            TEXT,
    request_headers  TEXT,
    response_headers TEXT,
    response_body    TEXT,
    PRIMARY KEY (delivery_id, number, started_at)
);
