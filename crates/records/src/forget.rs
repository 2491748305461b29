//! Forgetting: a subject's records, and all of a tenant that is gone. No events follow: they would say again what is to be forgotten.

use events::{Look, Looked};
use kernel::{Error, RecordId, Result, TenantId, Timestamp};
use serde_json::Value;
use store::Tx;

use crate::{fields, search};

/// Deletes a record with what finds it.
fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: RecordId) -> Result<()> {
    fields::remove(tx, tenant, id)?;
    tx.exec("DELETE FROM records WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()]).map(drop)
}

/// Looks through a tenant's records, of every resource type, and deletes a subject's.
pub fn forget(tx: &mut Tx<'_>, tenant: TenantId, look: &Look<'_>) -> Result<Looked> {
    let sql = "SELECT id, document, resource, created_at FROM records WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let read = |row: &store::Row<'_>| Ok((row.get::<RecordId>(0)?, row.get::<String>(1)?, row.get::<String>(2)?, row.get::<Timestamp>(3)?));
    let page = tx.query(sql, &[tenant.into(), look.after.into(), look.limit.into()], read)?;
    let mut looked = Looked { examined: page.len() as u64, found: 0, last: page.last().map(|(id, ..)| id.to_string()) };
    for (id, document, resource, created) in page {
        let document: Value = serde_json::from_str(&document).map_err(Error::internal)?;
        if (look.is_wanted)(&document) {
            looked.found += 1;
            if !look.dry_run {
                search::remove(tx, tenant, &resource, id, created)?;
                delete(tx, tenant, id)?;
            }
        }
    }
    Ok(looked)
}

/// Removes some of the records of a tenant that is gone, then of what finds them; answers how many rows. 0: nothing is left.
pub fn purge_some(tx: &mut Tx<'_>, tenant: TenantId, limit: u32) -> Result<u64> {
    let sql = "SELECT id FROM records WHERE tenant_id = ?1 LIMIT ?2";
    let ids: Vec<RecordId> = tx.query(sql, &[tenant.into(), limit.into()], |row| row.get(0))?;
    ids.iter().try_for_each(|id| delete(tx, tenant, *id))?;
    if ids.is_empty() { search::purge_some(tx, tenant, limit) } else { Ok(ids.len() as u64) }
}
