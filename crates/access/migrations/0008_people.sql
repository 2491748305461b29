-- What proves who somebody is stands in tables of `people`; which of the operator's people somebody is, in a role.
ALTER TABLE users ADD COLUMN operator_role TEXT;

UPDATE users SET operator_role = 'admin' WHERE is_operator = 1;

ALTER TABLE users ADD COLUMN language TEXT;

ALTER TABLE users ADD COLUMN email_verified_at BIGINT;

ALTER TABLE users DROP COLUMN is_operator;

ALTER TABLE users DROP COLUMN password_hash;
