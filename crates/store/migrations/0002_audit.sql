ALTER TABLE audit_log ADD COLUMN user_agent TEXT;

CREATE INDEX audit_log_time ON audit_log (at, seq, id);

CREATE INDEX audit_log_tenant ON audit_log (tenant_id, at, seq, id);

CREATE INDEX audit_log_target ON audit_log (tenant_id, target, at, seq, id);

-- The number and the hash of the last row, sealed: who does not hold the master key cannot write another head.
ALTER TABLE audit_heads ADD COLUMN seal BYTEA;

-- What is known about all chains, sealed: `chains`, how many there are.
CREATE TABLE audit_roots (
    name   TEXT  NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);
