-- Limits of a client's own, and what may be used up in a month.
ALTER TABLE clients ADD COLUMN rate_limit_override TEXT;

ALTER TABLE clients ADD COLUMN monthly_quota TEXT;

ALTER TABLE api_keys ADD COLUMN monthly_quota TEXT;

ALTER TABLE tier_overrides ADD COLUMN monthly_quota TEXT;

ALTER TABLE tier_overrides ADD COLUMN environments TEXT;

-- Which origins any client allows is asked whenever a client changes; few clients allow one.
CREATE INDEX clients_with_origins ON clients (id) WHERE allowed_origins <> '[]';
