-- Who works the ordered deliveries of a destination: one node at a time, whichever first had any and is alive.
ALTER TABLE destination_seqs ADD COLUMN ordered BIGINT NOT NULL DEFAULT 0;

ALTER TABLE destination_seqs ADD COLUMN owner TEXT;

ALTER TABLE destination_seqs ADD COLUMN epoch BIGINT;

UPDATE destination_seqs SET ordered = 1 WHERE destination_id IN (SELECT id FROM destinations WHERE policy LIKE '%"ordered":true%');

CREATE INDEX destination_seqs_owner ON destination_seqs (owner) WHERE owner IS NOT NULL;

-- A pending delivery has an ordering key if its destination is ordered. Finds what stands before it.
CREATE INDEX queue_keys ON queue (destination_id, ordering_key, owner, seq) WHERE ordering_key IS NOT NULL;
