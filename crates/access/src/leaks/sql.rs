//! Finding the key that a reported token is. Across tenants: whose it is, is what we want to learn.

use kernel::{KeyId, Result, ServiceKeyId, TenantId};
use serde_json::Value;
use store::Tx;

/// By the whole token's keyed hash: also keys that have no fingerprint yet.
pub(super) fn by_token(tx: &mut Tx<'_>, key_id: &str, hash: &[u8]) -> Result<Option<(TenantId, KeyId)>> {
    let sql = "SELECT tenant_id, id FROM api_keys WHERE key_id = ?1 AND hash = ?2";
    tx.query_opt(sql, &[key_id.into(), hash.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn service_key(tx: &mut Tx<'_>, key_id: &str, hash: &[u8]) -> Result<Option<ServiceKeyId>> {
    let sql = "SELECT id FROM service_keys WHERE key_id = ?1 AND hash = ?2";
    tx.query_opt(sql, &[key_id.into(), hash.into()], |row| row.get(0))
}

/// A tenant's settings.
pub(super) fn settings(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Value> {
    tx.query_one("SELECT settings FROM tenants WHERE id = ?1", &[tenant.into()], |row| row.get(0))
}
