-- What declared metrics look at: for each metric a row of a record that counts, and one for each item of a list that is counted. label1 to
-- label6 are the values that records are told apart by, number1 to number8 whole numbers of a fixed scale; the declaration says which members.
-- tenant
-- clustered
CREATE TABLE record_points (
    tenant_id TEXT   NOT NULL,
    metric    TEXT   NOT NULL,
    facet     TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    record_id TEXT   NOT NULL,
    item      BIGINT NOT NULL,
    value     TEXT,
    label1    TEXT,
    label2    TEXT,
    label3    TEXT,
    label4    TEXT,
    label5    TEXT,
    label6    TEXT,
    number1   BIGINT,
    number2   BIGINT,
    number3   BIGINT,
    number4   BIGINT,
    number5   BIGINT,
    number6   BIGINT,
    number7   BIGINT,
    number8   BIGINT,
    PRIMARY KEY (tenant_id, metric, facet, subject, at, record_id, item)
);

CREATE INDEX record_points_record ON record_points (record_id);

-- Which declaration the rows of a metric were made for; another one makes them anew at start.
CREATE TABLE metric_declarations (
    metric      TEXT NOT NULL PRIMARY KEY,
    declaration TEXT NOT NULL
);
