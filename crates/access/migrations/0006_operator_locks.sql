-- What the operator switched off, only the operator switches on again: 1 where that was so.
ALTER TABLE api_keys ADD COLUMN disabled_by_operator BIGINT NOT NULL DEFAULT 0;

ALTER TABLE clients ADD COLUMN suspended_by_operator BIGINT NOT NULL DEFAULT 0;
