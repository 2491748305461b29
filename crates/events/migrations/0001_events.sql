-- What happened. The key begins with the time so that it serves lists; a single event is found by way of event_ids.
-- tenant
-- daily created_at
CREATE TABLE events (
    tenant_id    TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    event_type   TEXT   NOT NULL,
    occurred_at  BIGINT NOT NULL,
    client_id    TEXT,
    channels     TEXT,
    ordering_key TEXT,
    deliver_at   BIGINT,
    data         BYTEA  NOT NULL,
    deliveries   BIGINT NOT NULL,
    filtered     TEXT,
    PRIMARY KEY (tenant_id, created_at, id)
);

-- Makes ids unique per tenant over all days; claim tells the publication that won from later ones with the same id.
-- tenant
-- clustered
CREATE TABLE event_ids (
    tenant_id  TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    claim      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
