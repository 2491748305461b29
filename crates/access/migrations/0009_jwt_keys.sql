-- The keys that sign tokens of ours (RFC 7517): the operator's, the same on every node. A key is published from the moment it is made, signs
-- from active_at on, and the next one takes over from it; retires_at: published no longer.
CREATE TABLE jwt_keys (
    number     BIGINT NOT NULL PRIMARY KEY,
    kid        TEXT   NOT NULL,
    algorithm  TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    active_at  BIGINT NOT NULL,
    retires_at BIGINT
);
