-- A tenant's own schema and limits. No row: the blueprint's schema with the usual limits.
-- tenant
CREATE TABLE graphql_schemas (
    tenant_id        TEXT   PRIMARY KEY,
    type_defs        TEXT   NOT NULL,
    depth_limit      BIGINT NOT NULL,
    complexity_limit BIGINT NOT NULL,
    introspection    BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);
