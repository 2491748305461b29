-- What has not arrived. Partial, so that what was delivered costs nothing.
CREATE INDEX deliveries_undelivered ON deliveries (tenant_id, id) WHERE status <> 'delivered';

CREATE INDEX deliveries_destination_undelivered ON deliveries (tenant_id, destination_id, id) WHERE status <> 'delivered';

CREATE INDEX deliveries_event ON deliveries (tenant_id, event_id);

-- Deliveries that a replay made, long after their event: at most one for each event and destination. The queue has no index on events (it
-- would cost every delivery twice), so these are how a pending one is found; others are found by the time in their ids.
-- tenant
-- clustered
CREATE TABLE replayed (
    tenant_id      TEXT   NOT NULL,
    event_id       TEXT   NOT NULL,
    destination_id TEXT   NOT NULL,
    client_id      TEXT   NOT NULL,
    delivery_id    TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, event_id, destination_id)
);
