-- Where a run is beside the events: `phase` says in what, `reached_id` how far.
ALTER TABLE expunges ADD COLUMN phase TEXT NOT NULL DEFAULT 'events';

ALTER TABLE expunges ADD COLUMN with_records BIGINT NOT NULL DEFAULT 0;

ALTER TABLE expunges ADD COLUMN held BIGINT NOT NULL DEFAULT 0;

ALTER TABLE expunges ADD COLUMN calls BIGINT NOT NULL DEFAULT 0;

ALTER TABLE expunges ADD COLUMN records BIGINT NOT NULL DEFAULT 0;

-- Tenants, and clients (`client_id`), that are gone and of which something is left. `place`: the last finished delivery that was looked at in this
-- pass.
-- tenant
CREATE TABLE purges (
    tenant_id TEXT   NOT NULL,
    client_id TEXT   NOT NULL,
    asked_at  BIGINT NOT NULL,
    pass      BIGINT NOT NULL,
    place     TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
);
