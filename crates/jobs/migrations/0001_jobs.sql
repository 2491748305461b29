-- Jobs, those that wait, those under way and those that have ended. `state` is what readers see as status, but for pending: ready may be
-- leased; held waits for a place among its tenant's; waiting waits for its time. `lease` with `epoch` names the lease that is good, and
-- after the end the one that ended it. The lowest `rank` goes first.
-- tenant
CREATE TABLE jobs (
    tenant_id     TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    type          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    rank          BIGINT NOT NULL,
    priority      BIGINT NOT NULL,
    client_id     TEXT,
    input         TEXT   NOT NULL,
    result        TEXT,
    error         TEXT,
    progress      BIGINT NOT NULL,
    message       TEXT,
    attempts      BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    losses        BIGINT NOT NULL,
    epoch         BIGINT NOT NULL,
    lease         TEXT,
    lease_until   BIGINT,
    worker        TEXT,
    run_at        BIGINT NOT NULL,
    due_at        BIGINT,
    deadline_at   BIGINT,
    webhook_id    TEXT,
    webhook_url   TEXT,
    record_id     TEXT,
    schedule_id   TEXT,
    created_at    BIGINT NOT NULL,
    started_at    BIGINT,
    ended_at      BIGINT,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX jobs_ready ON jobs (type, rank, id) WHERE state = 'ready';
CREATE INDEX jobs_lane ON jobs (tenant_id, type, state, rank) WHERE state IN ('held', 'ready', 'processing');
CREATE INDEX jobs_leased ON jobs (lease_until, type) WHERE state = 'processing';
CREATE INDEX jobs_waiting ON jobs (due_at) WHERE state = 'waiting';
CREATE INDEX jobs_deadline ON jobs (deadline_at) WHERE deadline_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX jobs_unlucky ON jobs (tenant_id, state, id) WHERE state IN ('failed', 'cancelled');
CREATE INDEX jobs_ended ON jobs (tenant_id, ended_at) WHERE ended_at IS NOT NULL;

-- What is locked while places are counted: those of a tenant, or under no tenant those of a type.
-- tenant
-- clustered
CREATE TABLE job_lanes (
    tenant_id TEXT   NOT NULL,
    type      TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, type)
);

-- Where jobs of a client tell their end: a destination of the delivery engine for each address.
-- tenant
-- clustered
CREATE TABLE job_webhooks (
    tenant_id      TEXT   NOT NULL,
    client_id      TEXT   NOT NULL,
    address        TEXT   NOT NULL,
    destination_id TEXT   NOT NULL,
    used_at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, client_id, address)
);

CREATE INDEX job_webhooks_used ON job_webhooks (used_at);

-- What starts jobs again and again.
-- tenant
CREATE TABLE job_schedules (
    tenant_id   TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    client_id   TEXT,
    type        TEXT   NOT NULL,
    name        TEXT,
    cron        TEXT   NOT NULL,
    timezone    TEXT   NOT NULL,
    input       TEXT   NOT NULL,
    priority    BIGINT,
    enabled     BIGINT NOT NULL,
    next_at     BIGINT,
    last_at     BIGINT,
    last_job_id TEXT,
    last_error  TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX job_schedules_next ON job_schedules (next_at) WHERE next_at IS NOT NULL;
