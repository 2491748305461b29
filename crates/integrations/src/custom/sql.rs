//! Every statement on `tenant_connectors` and `operator_connectors`.

use kernel::{Result, TenantId, Timestamp};
use store::Tx;

use super::MAX_VERSIONS;

/// A version of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) connector: String,
    pub(crate) version: u64,
    pub(crate) manifest: String,
    pub(crate) created_at: Timestamp,
}

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row { connector: row.get(0)?, version: row.get(1)?, manifest: row.get(2)?, created_at: row.get(3)? })
}

/// The version that holds: the tenant's, or with no tenant the operator's.
pub(crate) fn latest(tx: &mut Tx<'_>, tenant: Option<TenantId>, connector: &str) -> Result<Option<Row>> {
    match tenant {
        Some(tenant) => tx.query_opt(
            "SELECT connector, version, manifest, created_at FROM tenant_connectors WHERE tenant_id = ?1 AND connector = ?2 \
             ORDER BY version DESC LIMIT 1",
            &[tenant.into(), connector.into()],
            read,
        ),
        None => tx.query_opt(
            "SELECT connector, version, manifest, created_at FROM operator_connectors WHERE connector = ?1 ORDER BY version DESC LIMIT 1",
            &[connector.into()],
            read,
        ),
    }
}

/// The versions that hold, by slug.
pub(crate) fn all(tx: &mut Tx<'_>, tenant: Option<TenantId>) -> Result<Vec<Row>> {
    match tenant {
        Some(tenant) => tx.query(
            "SELECT a.connector, a.version, a.manifest, a.created_at FROM tenant_connectors a WHERE a.tenant_id = ?1 AND a.version = \
             (SELECT MAX(b.version) FROM tenant_connectors b WHERE b.tenant_id = ?1 AND b.connector = a.connector) ORDER BY a.connector",
            &[tenant.into()],
            read,
        ),
        None => tx.query(
            "SELECT a.connector, a.version, a.manifest, a.created_at FROM operator_connectors a WHERE a.version = \
             (SELECT MAX(b.version) FROM operator_connectors b WHERE b.connector = a.connector) ORDER BY a.connector",
            &[],
            read,
        ),
    }
}

pub(crate) fn count(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    let sql = "SELECT COUNT(DISTINCT connector) FROM tenant_connectors WHERE tenant_id = ?1";
    tx.query_one(sql, &[tenant.into()], |row| row.get(0))
}

/// Adds a version; the oldest ones go.
pub(crate) fn insert(tx: &mut Tx<'_>, tenant: Option<TenantId>, row: &Row) -> Result<()> {
    let oldest = i64::try_from(row.version.saturating_sub(MAX_VERSIONS)).unwrap_or(0);
    match tenant {
        Some(tenant) => {
            tx.exec(
                "INSERT INTO tenant_connectors (tenant_id, connector, version, manifest, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[tenant.into(), (&row.connector).into(), row.version.into(), (&row.manifest).into(), row.created_at.into()],
            )?;
            let sql = "DELETE FROM tenant_connectors WHERE tenant_id = ?1 AND connector = ?2 AND version <= ?3";
            tx.exec(sql, &[tenant.into(), (&row.connector).into(), oldest.into()])?;
        }
        None => {
            tx.exec(
                "INSERT INTO operator_connectors (connector, version, manifest, created_at) VALUES (?1, ?2, ?3, ?4)",
                &[(&row.connector).into(), row.version.into(), (&row.manifest).into(), row.created_at.into()],
            )?;
            let sql = "DELETE FROM operator_connectors WHERE connector = ?1 AND version <= ?2";
            tx.exec(sql, &[(&row.connector).into(), oldest.into()])?;
        }
    }
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, tenant: Option<TenantId>, connector: &str) -> Result<u64> {
    match tenant {
        Some(tenant) => {
            tx.exec("DELETE FROM tenant_connectors WHERE tenant_id = ?1 AND connector = ?2", &[tenant.into(), connector.into()])
        }
        None => tx.exec("DELETE FROM operator_connectors WHERE connector = ?1", &[connector.into()]),
    }
}
