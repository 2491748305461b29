-- Where deliveries go. `config` is sealed JSON under the context `destinations.config:<id>`.
-- tenant
CREATE TABLE destinations (
    id            TEXT   NOT NULL PRIMARY KEY,
    tenant_id     TEXT   NOT NULL,
    client_id     TEXT   NOT NULL,
    channel       TEXT   NOT NULL,
    config        BYTEA  NOT NULL,
    policy        TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    state_reason  TEXT,
    failing_since BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

CREATE INDEX destinations_client ON destinations (tenant_id, client_id);

-- The last sequence number given out per destination. Apart from `destinations`, since every publication writes it.
-- tenant
-- clustered
CREATE TABLE destination_seqs (
    destination_id TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL,
    client_id      TEXT   NOT NULL,
    seq            BIGINT NOT NULL
);

-- Pending deliveries. `first_count` and `first_at` say where the present run through the retry schedule began.
-- tenant
-- clustered
CREATE TABLE queue (
    tenant_id        TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    destination_id   TEXT   NOT NULL,
    client_id        TEXT   NOT NULL,
    event_id         TEXT   NOT NULL,
    event_type       TEXT   NOT NULL,
    event_created_at BIGINT NOT NULL,
    ordering_key     TEXT,
    channels         TEXT,
    seq              BIGINT NOT NULL,
    deliver_at       BIGINT,
    due_at           BIGINT NOT NULL,
    attempt_count    BIGINT NOT NULL,
    first_count      BIGINT NOT NULL,
    first_at         BIGINT NOT NULL,
    last_status_code BIGINT,
    last_error       TEXT,
    owner            TEXT   NOT NULL,
    epoch            BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX queue_work ON queue (owner, destination_id, due_at, seq);

-- Finished deliveries.
-- tenant
-- daily created_at
CREATE TABLE deliveries (
    tenant_id        TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    destination_id   TEXT   NOT NULL,
    client_id        TEXT   NOT NULL,
    event_id         TEXT   NOT NULL,
    event_type       TEXT   NOT NULL,
    event_created_at BIGINT NOT NULL,
    ordering_key     TEXT,
    channels         TEXT,
    seq              BIGINT NOT NULL,
    deliver_at       BIGINT,
    due_at           BIGINT NOT NULL,
    attempt_count    BIGINT NOT NULL,
    last_status_code BIGINT,
    last_error       TEXT,
    created_at       BIGINT NOT NULL,
    status           TEXT   NOT NULL,
    reason           TEXT   NOT NULL,
    finished_at      BIGINT NOT NULL,
    response_body    TEXT,
    PRIMARY KEY (tenant_id, id, created_at)
);

CREATE INDEX deliveries_destination ON deliveries (tenant_id, destination_id, id);

-- Attempts whose outcome is committed and whose log row may not be: one row per group of outcomes, gone once the log has them.
CREATE TABLE attempt_journal (
    node     TEXT   NOT NULL,
    number   BIGINT NOT NULL,
    attempts TEXT   NOT NULL,
    PRIMARY KEY (node, number)
);
