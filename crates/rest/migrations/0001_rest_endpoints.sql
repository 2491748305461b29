-- REST endpoints that tenants declare at run time. `shape` is the path without a slash in front and without its placeholder's name; `definition` is JSON.
-- tenant
CREATE TABLE rest_endpoints (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL,
    method     TEXT   NOT NULL,
    shape      TEXT   NOT NULL,
    definition TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX rest_endpoints_shape ON rest_endpoints (tenant_id, method, shape);
