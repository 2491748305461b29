-- The request log. A row is a block: calls of one tenant that were written together, packed (src/blocks). `at` and `since`: its newest and its
-- oldest call. `subjects` and `kinds`: a bit for each client and key, and for each method, endpoint, status, error code and environment in it,
-- so that most blocks without what is looked for are passed over unread. `is_loose`: it is to be merged with others of its hour.
-- On SQLite a day's blocks stand in a table of their own, request_blocks_YYYYMMDD, which the writer makes (days.rs). The table request_logs
-- has what was logged before there were blocks; it is no longer read, and retention empties it.
-- tenant
-- daily at
CREATE TABLE request_blocks (
    id        TEXT   NOT NULL,
    tenant_id TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    since     BIGINT NOT NULL,
    calls     BIGINT NOT NULL,
    subjects  BIGINT NOT NULL,
    kinds     BIGINT NOT NULL,
    is_loose  BIGINT NOT NULL,
    packed    BYTEA  NOT NULL
);

CREATE INDEX request_blocks_by_tenant ON request_blocks (tenant_id, at, id);

CREATE INDEX request_blocks_loose ON request_blocks (at) WHERE is_loose = 1;
