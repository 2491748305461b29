-- Leases are kept by `store` for every feature.
DROP TABLE access_leases;
