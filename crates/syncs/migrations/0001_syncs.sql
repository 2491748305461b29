-- Synchronisations: what flows between a resource type and a vendor's object, and how far it is. `settings` is what the tenant wrote;
-- `cursor` and `deleted_cursor` are the vendor's; `epoch`, `runner` and `lease_until` say which runner is good: one at a time, over all nodes.
-- `watch_id` is what the vendor was asked to call us by.
-- tenant
CREATE TABLE sync_configs (
    tenant_id      TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    integration_id TEXT   NOT NULL,
    resource       TEXT   NOT NULL,
    object         TEXT   NOT NULL,
    enabled        BIGINT NOT NULL,
    pushes         BIGINT NOT NULL,
    realtime       BIGINT NOT NULL,
    settings       TEXT   NOT NULL,
    version        BIGINT NOT NULL,
    cursor         TEXT,
    deleted_cursor TEXT,
    epoch          BIGINT NOT NULL,
    runner         TEXT,
    lease_until    BIGINT NOT NULL,
    runs           BIGINT NOT NULL,
    next_at        BIGINT,
    full_at        BIGINT,
    last_run_id    TEXT,
    last_sync_at   BIGINT,
    last_status    TEXT,
    last_error     TEXT,
    watch_id       TEXT,
    watch_until    BIGINT,
    enabled_at     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX sync_configs_resource ON sync_configs (tenant_id, resource);
CREATE INDEX sync_configs_next ON sync_configs (next_at) WHERE next_at IS NOT NULL;

-- Our record and the vendor's that belong together, with the values of the mapped fields that both sides last agreed on, each in its own
-- side's words. `unlinked`: they were together and go their own ways. `seen` is the number of the last full run that met the vendor's record.
-- tenant
-- clustered
CREATE TABLE sync_links (
    tenant_id     TEXT   NOT NULL,
    sync_id       TEXT   NOT NULL,
    record_id     TEXT   NOT NULL,
    remote_id     TEXT   NOT NULL,
    agreed_local  TEXT   NOT NULL,
    agreed_remote TEXT   NOT NULL,
    remote_at     BIGINT,
    revision      BIGINT NOT NULL,
    writer        TEXT   NOT NULL,
    wrote_at      BIGINT,
    seen          BIGINT NOT NULL,
    unlinked      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, sync_id, record_id)
);

CREATE UNIQUE INDEX sync_links_remote ON sync_links (tenant_id, sync_id, remote_id);

-- The outbox: records that changed here and that the vendor may not know so yet. `version` counts changes, so that one that comes while a
-- record is sent is not forgotten.
-- tenant
-- clustered
CREATE TABLE sync_dirty (
    tenant_id TEXT   NOT NULL,
    sync_id   TEXT   NOT NULL,
    record_id TEXT   NOT NULL,
    version   BIGINT NOT NULL,
    since     BIGINT NOT NULL,
    due_at    BIGINT NOT NULL,
    attempts  BIGINT NOT NULL,
    gone      BIGINT NOT NULL,
    code      TEXT,
    message   TEXT,
    field     TEXT,
    PRIMARY KEY (tenant_id, sync_id, record_id)
);

CREATE INDEX sync_dirty_due ON sync_dirty (tenant_id, sync_id, due_at);

-- The vendor's records that are worth a look: by webhooks, feeds, complete scans, or because they could not be stored. `gone`: a look has
-- shown that it is no longer there, and what follows from that is still to be done.
-- tenant
-- clustered
CREATE TABLE sync_hints (
    tenant_id   TEXT   NOT NULL,
    sync_id     TEXT   NOT NULL,
    remote_id   TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    merged_into TEXT,
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    gone        BIGINT NOT NULL,
    code        TEXT,
    message     TEXT,
    field       TEXT,
    PRIMARY KEY (tenant_id, sync_id, remote_id)
);

CREATE INDEX sync_hints_due ON sync_hints (tenant_id, sync_id, gone, due_at);

-- Creations at the vendor, stored before they are asked for: whoever finds one looks at the vendor before asking again.
-- tenant
-- clustered
CREATE TABLE sync_intents (
    tenant_id TEXT   NOT NULL,
    sync_id   TEXT   NOT NULL,
    record_id TEXT   NOT NULL,
    key_value TEXT   NOT NULL,
    asked_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, sync_id, record_id)
);

-- Executions. `number` counts a sync's runs; `checkpoint` says where to go on.
-- tenant
CREATE TABLE sync_runs (
    tenant_id    TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    sync_id      TEXT   NOT NULL,
    number       BIGINT NOT NULL,
    mode         TEXT   NOT NULL,
    dry_run      BIGINT NOT NULL,
    trigger      TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    checkpoint   TEXT   NOT NULL,
    counters     TEXT   NOT NULL,
    approved     BIGINT NOT NULL,
    code         TEXT,
    message      TEXT,
    parked_until BIGINT,
    log_seq      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    started_at   BIGINT,
    ended_at     BIGINT,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX sync_runs_sync ON sync_runs (tenant_id, sync_id, id);
CREATE INDEX sync_runs_open ON sync_runs (state, tenant_id, sync_id) WHERE ended_at IS NULL;
CREATE INDEX sync_runs_ended ON sync_runs (tenant_id, ended_at) WHERE ended_at IS NOT NULL;

-- What happened to which record, a row for each step of a run: a JSON list of entries. `failed` counts those that failed.
-- tenant
-- clustered
CREATE TABLE sync_log (
    tenant_id TEXT   NOT NULL,
    run_id    TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    failed    BIGINT NOT NULL,
    entries   TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, run_id, seq)
);

-- Fields that both sides changed, each to something else, until somebody decides.
-- tenant
CREATE TABLE sync_conflicts (
    tenant_id    TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    sync_id      TEXT   NOT NULL,
    record_id    TEXT   NOT NULL,
    remote_id    TEXT   NOT NULL,
    field        TEXT   NOT NULL,
    remote_field TEXT   NOT NULL,
    local_value  TEXT   NOT NULL,
    remote_value TEXT   NOT NULL,
    agreed_value TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    decision     TEXT,
    value        TEXT,
    decided_by   TEXT,
    decided_at   BIGINT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX sync_conflicts_live ON sync_conflicts (tenant_id, sync_id, record_id) WHERE state IN ('open', 'decided');
CREATE INDEX sync_conflicts_state ON sync_conflicts (tenant_id, state, id);
