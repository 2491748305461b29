-- The group in which an event was accepted: the transaction, as readers count them.
ALTER TABLE events ADD COLUMN seq BIGINT;

-- What readers follow: one row for each transaction that accepted events of a tenant (event_id ''), and one for each event that is
-- announced again (its id). first_at and last_at bound created_at of the group's events, so that they are found by their own key.
-- tenant
-- clustered
-- daily created_at
CREATE TABLE event_groups (
    tenant_id  TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    event_id   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    first_at   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    events     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, seq, event_id, created_at)
);

-- PostgreSQL counts groups by transaction ids. What is added to them, so that numbers never go back when the data moves to another cluster,
-- and the cluster that this was worked out for. One row; unused on SQLite.
CREATE TABLE event_clock (
    id      BIGINT NOT NULL PRIMARY KEY,
    value   BIGINT NOT NULL,
    cluster TEXT   NOT NULL
);

INSERT INTO event_clock (id, value, cluster) VALUES (1, 0, '');

-- How far each named reader has come: everything before the place was acknowledged. owner: the client, or '' for the tenant's host.
-- tenant
-- clustered
CREATE TABLE event_consumers (
    tenant_id  TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    place      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, owner, name)
);
