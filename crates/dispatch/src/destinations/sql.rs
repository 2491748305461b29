//! Every statement about destinations.

pub(super) const INSERT: &str = "INSERT INTO destinations (id, tenant_id, client_id, channel, config, policy, state, created_at, updated_at) \
                                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'enabled', ?7, ?7)";
pub(super) const INSERT_SEQ: &str = "INSERT INTO destination_seqs (destination_id, tenant_id, client_id, seq) VALUES (?1, ?2, ?3, 0)";
pub(super) const SELECT: &str = "SELECT id, tenant_id, client_id, channel, config, policy, state, state_reason, failing_since, created_at, updated_at \
                                 FROM destinations WHERE id = ?1";
pub(super) const UPDATE: &str = "UPDATE destinations SET config = ?3, policy = ?4, updated_at = ?5 WHERE tenant_id = ?1 AND id = ?2";
pub(super) const SET_STATE: &str =
    "UPDATE destinations SET state = ?3, state_reason = ?4, updated_at = ?5 WHERE tenant_id = ?1 AND id = ?2";
pub(super) const FAILING: &str = "UPDATE destinations SET failing_since = COALESCE(failing_since, ?3) WHERE tenant_id = ?1 AND id = ?2";
pub(super) const NOT_FAILING: &str =
    "UPDATE destinations SET failing_since = NULL WHERE tenant_id = ?1 AND id = ?2 AND failing_since IS NOT NULL";
pub(super) const DELETE: &str = "DELETE FROM destinations WHERE tenant_id = ?1 AND id = ?2";
pub(super) const DELETE_SEQ: &str = "DELETE FROM destination_seqs WHERE tenant_id = ?1 AND destination_id = ?2";
