-- Attempts by destination and hour, counted in the transaction that logs them. `node`: each server has its own rows, so that none waits for
-- another. `h00` to `h23`: a histogram of durations; its bounds stand in rollups/histogram.rs.
-- tenant
-- daily hour
CREATE TABLE attempt_rollups (
    tenant_id       TEXT   NOT NULL,
    destination_id  TEXT   NOT NULL,
    hour            BIGINT NOT NULL,
    node            TEXT   NOT NULL,
    attempts        BIGINT NOT NULL,
    succeeded       BIGINT NOT NULL,
    duration_ms     BIGINT NOT NULL,
    slowest_ms      BIGINT NOT NULL,
    last_success_at BIGINT NOT NULL,
    last_failure_at BIGINT NOT NULL,
    h00             BIGINT NOT NULL,
    h01             BIGINT NOT NULL,
    h02             BIGINT NOT NULL,
    h03             BIGINT NOT NULL,
    h04             BIGINT NOT NULL,
    h05             BIGINT NOT NULL,
    h06             BIGINT NOT NULL,
    h07             BIGINT NOT NULL,
    h08             BIGINT NOT NULL,
    h09             BIGINT NOT NULL,
    h10             BIGINT NOT NULL,
    h11             BIGINT NOT NULL,
    h12             BIGINT NOT NULL,
    h13             BIGINT NOT NULL,
    h14             BIGINT NOT NULL,
    h15             BIGINT NOT NULL,
    h16             BIGINT NOT NULL,
    h17             BIGINT NOT NULL,
    h18             BIGINT NOT NULL,
    h19             BIGINT NOT NULL,
    h20             BIGINT NOT NULL,
    h21             BIGINT NOT NULL,
    h22             BIGINT NOT NULL,
    h23             BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, destination_id, hour, node)
);

CREATE INDEX attempt_rollups_hour ON attempt_rollups (tenant_id, hour);
