//! Every statement on `graphql_schemas`.

use kernel::{Result, TenantId};
use store::Tx;

use super::Row;
use crate::documents::cost::Bounds;

pub(crate) fn find(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Option<Row>> {
    let sql = "SELECT type_defs, depth_limit, complexity_limit, introspection, updated_at FROM graphql_schemas WHERE tenant_id = ?1";
    tx.query_opt(sql, &[tenant.into()], |row| {
        let bounds = Bounds {
            depth: u32::try_from(row.get::<i64>(1)?).unwrap_or(super::DEFAULT_DEPTH),
            complexity: row.get::<u64>(2)?,
            introspection: row.get::<bool>(3)?,
        };
        Ok(Row { type_defs: row.get(0)?, bounds, updated_at: row.get(4)? })
    })
}

/// Type definitions of tenants after `after`, in their order.
pub(super) fn some_after(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<(String, String)>> {
    let sql = "SELECT tenant_id, type_defs FROM graphql_schemas WHERE tenant_id > ?1 ORDER BY tenant_id LIMIT ?2";
    tx.query(sql, &[after.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn put(tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<()> {
    tx.exec(
        "INSERT INTO graphql_schemas (tenant_id, type_defs, depth_limit, complexity_limit, introspection, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (tenant_id) DO UPDATE SET type_defs = excluded.type_defs, depth_limit = excluded.depth_limit, \
         complexity_limit = excluded.complexity_limit, introspection = excluded.introspection, updated_at = excluded.updated_at",
        &[
            tenant.into(),
            row.type_defs.as_str().into(),
            row.bounds.depth.into(),
            row.bounds.complexity.into(),
            row.bounds.introspection.into(),
            row.updated_at.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    tx.exec("DELETE FROM graphql_schemas WHERE tenant_id = ?1", &[tenant.into()])
}
