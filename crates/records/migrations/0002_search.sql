-- Records whose text is to be searched and is not in the index yet: they are read one by one.
-- tenant
-- clustered
CREATE TABLE record_tail (
    tenant_id   TEXT   NOT NULL,
    resource    TEXT   NOT NULL,
    record_id   TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    kept        BIGINT NOT NULL,
    search_text TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, resource, record_id)
);

-- The places of records in the index, in the order of their creation.
-- tenant
-- clustered
CREATE TABLE record_places (
    tenant_id  TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    place      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    record_id  TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, resource, place)
);

CREATE UNIQUE INDEX record_places_record ON record_places (tenant_id, resource, created_at, record_id);

-- For each gram (one to three characters) the places whose text has it, a block of places in a row.
-- tenant
-- clustered
CREATE TABLE record_grams (
    tenant_id TEXT   NOT NULL,
    resource  TEXT   NOT NULL,
    gram      TEXT   NOT NULL,
    block     BIGINT NOT NULL,
    places    BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, resource, gram, block)
);

-- How far the index of a tenant's resource type goes. Its row is locked by whoever changes the index.
-- tenant
CREATE TABLE record_shelves (
    tenant_id    TEXT   NOT NULL,
    resource     TEXT   NOT NULL,
    next_place   BIGINT NOT NULL,
    last_created BIGINT NOT NULL,
    last_id      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, resource)
);
