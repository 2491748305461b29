-- When the certificate by which we present ourselves to a destination ends; null where there is none.
ALTER TABLE destinations ADD COLUMN certificate_ends BIGINT;

CREATE INDEX destinations_endings ON destinations (certificate_ends) WHERE certificate_ends IS NOT NULL;

CREATE INDEX signing_keys_endings ON signing_keys (expires_at) WHERE expires_at IS NOT NULL;
