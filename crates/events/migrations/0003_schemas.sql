-- The version of the type's schema that the publisher chose; NULL: it named none.
ALTER TABLE events ADD COLUMN schema_version BIGINT;

-- In what ways data breaks the schema, as a JSON array; NULL: in none.
ALTER TABLE events ADD COLUMN warnings TEXT;

-- Publications that break their schema and wait for somebody's decision. They are no events yet: an id in here is not taken in event_ids.
-- tenant
CREATE TABLE quarantined_events (
    tenant_id      TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    held_at        BIGINT NOT NULL,
    size           BIGINT NOT NULL,
    event_type     TEXT   NOT NULL,
    schema_version BIGINT,
    occurred_at    BIGINT NOT NULL,
    client_id      TEXT,
    channels       TEXT,
    ordering_key   TEXT,
    deliver_at     BIGINT,
    problems       TEXT   NOT NULL,
    data           BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX quarantined_events_by_time ON quarantined_events (tenant_id, held_at, id);

-- How much of a tenant's is in there, so that its bound is exact on every node.
-- tenant
-- clustered
CREATE TABLE quarantine_fill (
    tenant_id TEXT   NOT NULL,
    events    BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);
