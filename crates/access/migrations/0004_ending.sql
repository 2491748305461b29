CREATE INDEX api_keys_ending ON api_keys (expires_at) WHERE expires_at IS NOT NULL;
