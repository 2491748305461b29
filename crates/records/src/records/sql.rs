//! Every statement on table `records` but the list's, which is put together in `list.rs`.

use kernel::{RecordId, Result, TenantId};
use serde_json::Value as Json;
use store::{Dialect, Row, Tx};

use super::{Record, RecordRef};
use crate::{Task, search};

const BY_ID: &str = "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
                     WHERE tenant_id = ?1 AND resource = ?2 AND id = ?3";
const BY_NUMBER: &str = "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
                         WHERE tenant_id = ?1 AND resource = ?2 AND number = ?3";
const BY_EXTERNAL_ID: &str = "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
                              WHERE tenant_id = ?1 AND resource = ?2 AND external_id = ?3";
/// SQLite has one writer; on PostgreSQL a change must see what the change before it left.
const LOCKED_BY_ID: Dialect = Dialect {
    sqlite: BY_ID,
    postgres: "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
               WHERE tenant_id = ?1 AND resource = ?2 AND id = ?3 FOR UPDATE",
};

/// Reads the seven columns of the statements above.
pub(super) fn read(row: &Row<'_>) -> Result<Record> {
    let Json::Object(document) = row.get::<Json>(3)? else {
        return Err(kernel::Error::internal("a stored document is not an object"));
    };
    Ok(Record {
        id: row.get(0)?,
        number: row.get(1)?,
        external_id: row.get(2)?,
        document,
        revision: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

pub(super) fn find(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, reference: &RecordRef) -> Result<Option<Record>> {
    let (sql, key) = match reference {
        RecordRef::Id(id) => (BY_ID, (*id).into()),
        RecordRef::Number(number) => (BY_NUMBER, (*number).into()),
        RecordRef::External(external) => (BY_EXTERNAL_ID, external.into()),
    };
    tx.query_opt(sql, &[tenant.into(), resource.into(), key], read)
}

/// Records of a resource type over all tenants, in an order that a walk can go on from; for the system's own work.
pub(crate) fn rows_after(
    tx: &mut Tx<'_>,
    resource: &str,
    last: Option<(TenantId, RecordId)>,
    limit: u32,
) -> Result<Vec<(TenantId, Record)>> {
    let (tenant, id) = last.map_or_else(Default::default, |(tenant, id)| (tenant.to_string(), id.to_string()));
    tx.query(
        "SELECT id, number, external_id, document, revision, created_at, updated_at, tenant_id FROM records \
         WHERE resource = ?1 AND (tenant_id, id) > (?2, ?3) ORDER BY tenant_id, id LIMIT ?4",
        &[resource.into(), tenant.into(), id.into(), limit.into()],
        |row| Ok((row.get(7)?, read(row)?)),
    )
}

pub(super) fn lock(tx: &mut Tx<'_>, task: &Task, id: RecordId) -> Result<Option<Record>> {
    tx.query_opt(LOCKED_BY_ID, &[task.tenant.into(), task.resource_type.name().into(), id.into()], read)
}

/// The next number of a resource type, over all tenants.
pub(super) fn next_number(tx: &mut Tx<'_>, resource: &str) -> Result<i64> {
    tx.query_one(
        "INSERT INTO counters (name, value) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
        &[format!("records.{resource}").into()],
        |row| row.get(0),
    )
}

/// False: the external id is taken.
pub(super) fn insert(tx: &mut Tx<'_>, task: &Task, record: &Record) -> Result<bool> {
    let inserted = tx.exec(
        "INSERT INTO records (id, tenant_id, resource, number, external_id, document, search_text, revision, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant_id, resource, external_id) DO NOTHING",
        &[
            record.id.into(),
            task.tenant.into(),
            task.resource_type.name().into(),
            record.number.into(),
            record.external_id.clone().into(),
            text(record)?.into(),
            search::text_of(&task.resource_type, &record.document).into(),
            record.revision.into(),
            record.created_at.into(),
            record.updated_at.into(),
        ],
    )?;
    Ok(inserted == 1)
}

pub(super) fn update(tx: &mut Tx<'_>, task: &Task, record: &Record) -> Result<()> {
    tx.exec(
        "UPDATE records SET document = ?3, search_text = ?4, revision = ?5, updated_at = ?6 WHERE tenant_id = ?1 AND id = ?2",
        &[
            task.tenant.into(),
            record.id.into(),
            text(record)?.into(),
            search::text_of(&task.resource_type, &record.document).into(),
            record.revision.into(),
            record.updated_at.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, task: &Task, id: RecordId) -> Result<()> {
    tx.exec("DELETE FROM records WHERE tenant_id = ?1 AND id = ?2", &[task.tenant.into(), id.into()])?;
    Ok(())
}

fn text(record: &Record) -> Result<String> {
    serde_json::to_string(&record.document).map_err(kernel::Error::internal)
}
