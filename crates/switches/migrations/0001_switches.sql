-- What an operator has switched for the whole installation. `value` is JSON.
CREATE TABLE switches (
    name       TEXT   NOT NULL PRIMARY KEY,
    value      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

-- What each server made of a call to reload. `number` is the call's.
CREATE TABLE reload_answers (
    number      BIGINT NOT NULL,
    node_id     TEXT   NOT NULL,
    outcome     TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (number, node_id)
);
