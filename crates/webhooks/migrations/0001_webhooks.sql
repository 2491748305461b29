-- What a webhook listens to. Its id is its destination's; where and how it delivers stands there. `state` repeats the destination's state
-- for planning: it may be late, the destination's is the truth.
-- tenant
CREATE TABLE subscriptions (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant_id    TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    name         TEXT,
    description  TEXT,
    events       TEXT   NOT NULL,
    channels     TEXT   NOT NULL,
    filter       TEXT,
    retry_config TEXT,
    state        TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE INDEX subscriptions_client ON subscriptions (tenant_id, client_id, id);
