-- tenant
CREATE TABLE records (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL,
    resource    TEXT   NOT NULL,
    number      BIGINT,
    external_id TEXT,
    document    TEXT   NOT NULL,
    search_text TEXT   NOT NULL,
    revision    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE INDEX records_newest ON records (tenant_id, resource, created_at DESC, id DESC);

CREATE UNIQUE INDEX records_external ON records (tenant_id, resource, external_id);

CREATE UNIQUE INDEX records_number ON records (resource, number);

-- The members that lists are filtered and sorted by, in a form that compares as text.
-- tenant
CREATE TABLE record_fields (
    tenant_id  TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    field      TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    record_id  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (record_id, field)
);

CREATE INDEX record_fields_value ON record_fields (tenant_id, resource, field, value, created_at, record_id);

-- Who holds a value of a unique member.
-- tenant
CREATE TABLE record_uniques (
    tenant_id TEXT NOT NULL,
    resource  TEXT NOT NULL,
    field     TEXT NOT NULL,
    value     TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, resource, field, value)
);

CREATE INDEX record_uniques_record ON record_uniques (record_id);

-- Which members of a resource type the tables above were filled for; another declaration fills them anew at start.
CREATE TABLE record_indexes (
    resource TEXT NOT NULL PRIMARY KEY,
    members  TEXT NOT NULL
);
