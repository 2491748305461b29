//! Every statement on `tenants`, and the removal of what a tenant owns here. Run by the operator or the system.

use kernel::{Error, IdRef, Result, TenantId};
use serde_json::Value as Json;
use store::{Row, Tx, Value};

use super::{Tenant, TenantStatus};
use crate::rules;

const COLUMNS: &str = "id, external_id, name, slug, status, metadata, settings, created_at, updated_at";

fn read(row: &Row<'_>) -> Result<Tenant> {
    let object = |value: Json| value.as_object().cloned().unwrap_or_default();
    Ok(Tenant {
        id: row.get(0)?,
        external_id: row.get(1)?,
        name: row.get(2)?,
        slug: row.get(3)?,
        status: TenantStatus::read(&row.get::<String>(4)?),
        metadata: object(row.get(5)?),
        settings: object(row.get(6)?),
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}

fn values(tenant: &Tenant) -> Vec<Value> {
    vec![
        tenant.id.into(),
        tenant.external_id.clone().into(),
        tenant.name.as_str().into(),
        tenant.slug.as_str().into(),
        tenant.status.as_str().into(),
        (&Json::Object(tenant.metadata.clone())).into(),
        (&Json::Object(tenant.settings.clone())).into(),
        rules::search_text(&[&tenant.name, &tenant.slug]).into(),
        tenant.updated_at.into(),
    ]
}

/// False: somebody else has its external id or its slug. Waits for one who takes them at this moment.
pub(super) fn insert(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<bool> {
    let mut values = values(tenant);
    values.push(tenant.created_at.into());
    let inserted = tx.exec(
        "INSERT INTO tenants (id, external_id, name, slug, status, metadata, settings, search_text, updated_at, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        &values,
    )?;
    Ok(inserted == 1)
}

pub(super) fn update(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    tx.exec(
        "UPDATE tenants SET external_id = ?2, name = ?3, slug = ?4, status = ?5, metadata = ?6, settings = ?7, search_text = ?8, \
         updated_at = ?9 WHERE id = ?1",
        &values(tenant),
    )?;
    Ok(())
}

pub(super) fn find(tx: &mut Tx<'_>, reference: &IdRef<TenantId>) -> Result<Option<Tenant>> {
    match reference {
        IdRef::Id(id) => tx.query_opt(&format!("SELECT {COLUMNS} FROM tenants WHERE id = ?1"), &[(*id).into()], read),
        IdRef::External(id) => tx.query_opt(&format!("SELECT {COLUMNS} FROM tenants WHERE external_id = ?1"), &[id.into()], read),
    }
}

pub(super) fn get(tx: &mut Tx<'_>, reference: &IdRef<TenantId>) -> Result<Tenant> {
    find(tx, reference)?.ok_or_else(|| Error::not_found("tenant"))
}

/// Locks a tenant's row until the transaction ends, so that nothing is made for a tenant that is being deleted. Error: 404.
pub(crate) fn hold(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    const HOLD: store::Dialect = store::Dialect {
        sqlite: "SELECT 1 FROM tenants WHERE id = ?1",
        postgres: "SELECT CAST(1 AS BIGINT) FROM tenants WHERE id = ?1 FOR KEY SHARE",
    };
    tx.query_opt(HOLD, &[tenant.into()], |_| Ok(()))?.ok_or_else(|| Error::not_found("tenant"))
}

/// [`get`], and on PostgreSQL nobody else changes the tenant, or makes a client in it, until the transaction ends.
pub(super) fn lock(tx: &mut Tx<'_>, reference: &IdRef<TenantId>) -> Result<Tenant> {
    const LOCK: store::Dialect = store::Dialect {
        sqlite: "SELECT 1 FROM tenants WHERE id = ?1",
        postgres: "SELECT CAST(1 AS BIGINT) FROM tenants WHERE id = ?1 FOR UPDATE",
    };
    let id = get(tx, reference)?.id;
    tx.query(LOCK, &[id.into()], |_| Ok(()))?;
    get(tx, &IdRef::Id(id))
}

pub(super) fn is_slug_taken(tx: &mut Tx<'_>, slug: &str, but: TenantId) -> Result<bool> {
    Ok(tx.query_opt("SELECT id FROM tenants WHERE slug = ?1 AND id <> ?2", &[slug.into(), but.into()], |_| Ok(()))?.is_some())
}

pub(super) fn is_external_id_taken(tx: &mut Tx<'_>, external: &str, but: TenantId) -> Result<bool> {
    Ok(tx.query_opt("SELECT id FROM tenants WHERE external_id = ?1 AND id <> ?2", &[external.into(), but.into()], |_| Ok(()))?.is_some())
}

const MATCHING: &str = "FROM tenants WHERE (CAST(?1 AS TEXT) IS NULL OR status = ?1) AND search_text LIKE ?2 ESCAPE '\\'";

/// Newest first.
pub(super) fn list(tx: &mut Tx<'_>, filter: &[Value; 2], before: &str, limit: u32, offset: u64) -> Result<Vec<Tenant>> {
    let [status, pattern] = filter.clone();
    let values = [status, pattern, before.into(), limit.into(), offset.into()];
    tx.query(&format!("SELECT {COLUMNS} {MATCHING} AND id < ?3 ORDER BY id DESC LIMIT ?4 OFFSET ?5"), &values, read)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &[Value; 2]) -> Result<u64> {
    tx.query_one(&format!("SELECT COUNT(*) {MATCHING}"), filter, |row| row.get(0))
}

/// Removes a tenant and all that it owns in this feature.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    for sql in [
        "DELETE FROM api_keys WHERE tenant_id = ?1",
        "DELETE FROM access_tokens WHERE tenant_id = ?1",
        "DELETE FROM clients WHERE tenant_id = ?1",
        "DELETE FROM memberships WHERE tenant_id = ?1",
        "DELETE FROM service_keys WHERE bound_tenant = ?1",
        "DELETE FROM tenants WHERE id = ?1",
    ] {
        tx.exec(sql, &[tenant.into()])?;
    }
    Ok(())
}

/// The id of the tenant that a reference names. Error: 404.
pub(crate) fn id_of(tx: &mut Tx<'_>, reference: &IdRef<TenantId>) -> Result<TenantId> {
    Ok(get(tx, reference)?.id)
}
