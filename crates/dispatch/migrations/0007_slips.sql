-- Pending deliveries of one publication that went straight into memory and are expected to end at once: one row for all of them, in place of
-- a row in the queue for each. What does not end soon is moved into the queue. `deliveries` is JSON (queue/slips.rs).
-- tenant
-- clustered
CREATE TABLE slips (
    node       TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    tenant_id  TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    deliveries TEXT   NOT NULL,
    PRIMARY KEY (node, number)
);
