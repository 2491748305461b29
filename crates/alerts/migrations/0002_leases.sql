-- Leases are kept by `store` for every feature.
DROP TABLE alert_lease;
