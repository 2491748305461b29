//! The keys that came of each other by rotation, which count as one.

use kernel::{ClientId, Error, KeyId, Result, TenantId};
use store::Tx;

/// A key's client, and all keys of its line: the key itself, those it came from and those that came of it. Error: 404.
pub fn line(tx: &mut Tx<'_>, tenant: TenantId, key: KeyId) -> Result<(ClientId, Vec<KeyId>)> {
    let found =
        tx.query_opt("SELECT client_id, lineage_id FROM api_keys WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), key.into()], |row| {
            Ok((row.get::<ClientId>(0)?, row.get::<String>(1)?))
        })?;
    let (client, lineage) = found.ok_or_else(|| Error::not_found("key"))?;
    let sql = "SELECT id FROM api_keys WHERE tenant_id = ?1 AND lineage_id = ?2 ORDER BY id";
    Ok((client, tx.query(sql, &[tenant.into(), lineage.into()], |row| row.get(0))?))
}
