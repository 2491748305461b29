-- Leases are kept by `store` for every feature.
DROP TABLE retention_lease;
