//! What changes write for the search.

use kernel::{RecordId, Result, TenantId, Timestamp};
use store::Tx;

use super::Tidings;
use crate::records::Record;
use crate::resource_type::ResourceType;

/// Puts a record's text where searches look: after a creation (`before` none), and after a change of the text.
pub(crate) fn remember(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: &ResourceType,
    before: Option<&Record>,
    after: &Record,
    tidings: &Tidings,
) -> Result<()> {
    if kind.resource().search.is_empty() {
        return Ok(());
    }
    let text = super::text_of(kind, &after.document);
    let was = before.map(|before| super::text_of(kind, &before.document)).unwrap_or_default();
    if was == text {
        return Ok(());
    }
    put(tx, tenant, kind.name(), after, &text)?;
    let tidings = tidings.clone();
    tx.after_commit(move || tidings.note());
    Ok(())
}

/// The same without looking at what was before. Without a text there is nothing to be found.
pub(crate) fn put(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, record: &Record, text: &str) -> Result<()> {
    if text.is_empty() {
        let sql = "DELETE FROM record_tail WHERE tenant_id = ?1 AND resource = ?2 AND record_id = ?3";
        return tx.exec(sql, &[tenant.into(), resource.into(), record.id.into()]).map(drop);
    }
    tx.exec(
        "INSERT INTO record_tail (tenant_id, resource, record_id, created_at, kept, search_text) VALUES (?1, ?2, ?3, ?4, 0, ?5) \
         ON CONFLICT (tenant_id, resource, record_id) DO UPDATE SET search_text = excluded.search_text",
        &[tenant.into(), resource.into(), record.id.into(), record.created_at.into(), text.into()],
    )?;
    Ok(())
}

/// Puts the texts of new records where searches look.
pub(crate) fn remember_many(tx: &mut Tx<'_>, tenant: TenantId, kind: &ResourceType, made: &[&Record], tidings: &Tidings) -> Result<()> {
    if kind.resource().search.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<store::Value> = Vec::with_capacity(made.len() * 6);
    for record in made {
        let text = super::text_of(kind, &record.document);
        if !text.is_empty() {
            rows.extend([tenant.into(), kind.name().into(), record.id.into(), record.created_at.into(), text.into(), 0_i64.into()]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let into = "INSERT INTO record_tail (tenant_id, resource, record_id, created_at, search_text, kept) VALUES";
    tx.insert_rows(into, 6, &rows, "")?;
    let tidings = tidings.clone();
    tx.after_commit(move || tidings.note());
    Ok(())
}

/// Removes a record's rows. The grams of its place stay; they lead to nobody.
pub(crate) fn remove(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, id: RecordId, created: Timestamp) -> Result<()> {
    tx.exec(
        "DELETE FROM record_tail WHERE tenant_id = ?1 AND resource = ?2 AND record_id = ?3",
        &[tenant.into(), resource.into(), id.into()],
    )?;
    tx.exec(
        "DELETE FROM record_places WHERE tenant_id = ?1 AND resource = ?2 AND created_at = ?3 AND record_id = ?4",
        &[tenant.into(), resource.into(), created.into(), id.into()],
    )?;
    Ok(())
}

/// Rows of the index of a tenant that is gone, by their keys.
const PURGED: [&str; 4] = [
    "DELETE FROM record_tail WHERE tenant_id = ?1 AND (resource, record_id) IN \
     (SELECT resource, record_id FROM record_tail WHERE tenant_id = ?1 LIMIT ?2)",
    "DELETE FROM record_places WHERE tenant_id = ?1 AND (resource, place) IN \
     (SELECT resource, place FROM record_places WHERE tenant_id = ?1 LIMIT ?2)",
    "DELETE FROM record_grams WHERE tenant_id = ?1 AND (resource, gram, block) IN \
     (SELECT resource, gram, block FROM record_grams WHERE tenant_id = ?1 LIMIT ?2)",
    "DELETE FROM record_shelves WHERE tenant_id = ?1 AND resource IN (SELECT resource FROM record_shelves WHERE tenant_id = ?1 LIMIT ?2)",
];

/// Removes some rows of a tenant that is gone; answers how many.
pub(crate) fn purge_some(tx: &mut Tx<'_>, tenant: TenantId, limit: u32) -> Result<u64> {
    for sql in PURGED {
        let gone = tx.exec(sql, &[tenant.into(), limit.into()])?;
        if gone > 0 {
            return Ok(gone);
        }
    }
    Ok(0)
}
