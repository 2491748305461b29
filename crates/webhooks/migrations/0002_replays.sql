-- Runs that repair many deliveries. A step of a run is one transaction that moves `place` on, so a run goes on where the last committed step
-- ended, on whichever node looks next. `next_at`: when to take the next step.
-- tenant
CREATE TABLE replays (
    id             TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL,
    client_id      TEXT,
    webhook_id     TEXT,
    kind           TEXT   NOT NULL,
    query          TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    total          BIGINT NOT NULL,
    total_is_exact BIGINT NOT NULL,
    done           BIGINT NOT NULL,
    passed_over    BIGINT NOT NULL,
    place          TEXT,
    error          TEXT,
    next_at        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    finished_at    BIGINT
);

CREATE INDEX replays_tenant ON replays (tenant_id, id);

CREATE INDEX replays_open ON replays (next_at) WHERE status = 'running';

-- Webhooks of which an operational event said that nothing arrives, and none yet that something does again.
-- tenant
-- clustered
CREATE TABLE failing_webhooks (
    webhook_id TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL,
    since      BIGINT NOT NULL
);

-- Events that a filter kept from a webhook: for the list of what a customer did not get.
CREATE INDEX events_filtered ON events (tenant_id, created_at, id) WHERE filtered IS NOT NULL;
