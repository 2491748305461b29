CREATE INDEX attempt_rollups_of_hour ON attempt_rollups (hour, tenant_id, destination_id);
