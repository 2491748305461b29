//! Every statement about destinations.

pub(super) const INSERT: &str = "INSERT INTO destinations (id, tenant_id, client_id, channel, config, policy, certificate_ends, state, created_at, updated_at) \
                                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8, 'enabled', ?7, ?7)";
pub(super) const INSERT_SEQ: &str =
    "INSERT INTO destination_seqs (destination_id, tenant_id, client_id, seq, ordered) VALUES (?1, ?2, ?3, 0, ?4)";
pub(super) const SELECT: &str = "SELECT id, tenant_id, client_id, channel, config, policy, state, state_reason, failing_since, created_at, updated_at \
                                 FROM destinations WHERE id = ?1";
pub(super) const UPDATE: &str =
    "UPDATE destinations SET config = ?3, policy = ?4, updated_at = ?5, certificate_ends = ?6 WHERE tenant_id = ?1 AND id = ?2";
pub(super) const ENDING: &str = "SELECT tenant_id, id, certificate_ends FROM destinations WHERE certificate_ends >= ?1 AND certificate_ends < ?2 \
                                 AND state <> 'disabled' ORDER BY certificate_ends, id LIMIT ?3";
pub(super) const SET_ORDERED: &str =
    "UPDATE destination_seqs SET ordered = ?3 WHERE tenant_id = ?1 AND destination_id = ?2 AND ordered <> ?3";
pub(super) const SET_STATE: &str =
    "UPDATE destinations SET state = ?3, state_reason = ?4, updated_at = ?5 WHERE tenant_id = ?1 AND id = ?2";
pub(super) const DISABLE: &str = "UPDATE destinations SET state = 'disabled', state_reason = ?3, updated_at = ?4 WHERE tenant_id = ?1 AND id = ?2 AND state <> 'disabled'";
pub(super) const FAILING: &str = "UPDATE destinations SET failing_since = COALESCE(failing_since, ?3) WHERE tenant_id = ?1 AND id = ?2";
pub(super) const NOT_FAILING: &str =
    "UPDATE destinations SET failing_since = NULL WHERE tenant_id = ?1 AND id = ?2 AND failing_since IS NOT NULL";
pub(super) const DELETE: &str = "DELETE FROM destinations WHERE tenant_id = ?1 AND id = ?2";
pub(super) const DELETE_SEQ: &str = "DELETE FROM destination_seqs WHERE tenant_id = ?1 AND destination_id = ?2";
