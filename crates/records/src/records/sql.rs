//! Every statement on table `records` but the list's, which are put together in `list/`.

use std::collections::HashMap;

use kernel::{RecordId, Result, TenantId, Timestamp};
use serde_json::Value as Json;
use store::{Dialect, Engine, Row, Statement, Tx, Value};

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
pub(crate) fn read(row: &Row<'_>) -> Result<Record> {
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

pub(crate) fn find(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, reference: &RecordRef) -> Result<Option<Record>> {
    let (sql, key) = match reference {
        RecordRef::Id(id) => (BY_ID, (*id).into()),
        RecordRef::Number(number) => (BY_NUMBER, (*number).into()),
        RecordRef::External(external) => (BY_EXTERNAL_ID, external.into()),
    };
    tx.query_opt(sql, &[tenant.into(), resource.into(), key], read)
}

/// So many ids are looked up in one statement.
const LOOKED_UP: usize = 64;
/// Most ids of one call.
pub(super) const MOST_IDS: usize = 1000;

/// Those of these records that are there.
pub(super) fn find_many(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, ids: &[RecordId]) -> Result<HashMap<RecordId, Record>> {
    found_by(tx, &by_ids(), tenant, resource, ids)
}

fn by_ids() -> String {
    let places: Vec<String> = (3..3 + LOOKED_UP).map(|n| format!("?{n}")).collect();
    format!(
        "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
         WHERE tenant_id = ?1 AND resource = ?2 AND id IN ({})",
        places.join(", ")
    )
}

fn found_by<'s, S>(tx: &mut Tx<'_>, sql: &'s S, tenant: TenantId, resource: &str, ids: &[RecordId]) -> Result<HashMap<RecordId, Record>>
where
    &'s S: Statement,
{
    let mut out = HashMap::with_capacity(ids.len().min(MOST_IDS));
    for chunk in ids[..ids.len().min(MOST_IDS)].chunks(LOOKED_UP) {
        // The last one again fills the list up: one statement for every length.
        let padding = std::iter::repeat_n(chunk[chunk.len() - 1], LOOKED_UP - chunk.len());
        let wanted = chunk.iter().copied().chain(padding).map(Value::from);
        let params: Vec<Value> = [tenant.into(), resource.into()].into_iter().chain(wanted).collect();
        out.extend(tx.query(sql, &params, read)?.into_iter().map(|record| (record.id, record)));
    }
    Ok(out)
}

/// A statement of many ids, as either engine locks what it reads.
struct Locking {
    sqlite: String,
    postgres: String,
}

impl Statement for &Locking {
    fn text(&self, engine: Engine) -> &str {
        match engine {
            Engine::Sqlite => &self.sqlite,
            Engine::Postgres => &self.postgres,
        }
    }
}

/// Those of these records that are there, each locked until the transaction ends, in the order of their ids, so that no two wait for each other.
pub(super) fn lock_many(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, ids: &[RecordId]) -> Result<HashMap<RecordId, Record>> {
    let plain = by_ids();
    let statement = Locking { postgres: format!("{plain} ORDER BY id FOR UPDATE"), sqlite: plain };
    found_by(tx, &statement, tenant, resource, ids)
}

/// The next of a tenant's records of a type, in the order of creation.
pub(super) fn page_after(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    resource: &str,
    after: Option<(Timestamp, RecordId)>,
    limit: u32,
) -> Result<Vec<Record>> {
    let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at.millis(), id.to_string()));
    tx.query(
        "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
         WHERE tenant_id = ?1 AND resource = ?2 AND (created_at, id) > (?3, ?4) ORDER BY created_at, id LIMIT ?5",
        &[tenant.into(), resource.into(), at.into(), id.into(), limit.into()],
        read,
    )
}

/// Records of a resource type over all tenants, in an order that a walk can go on from; for the system's own work. Tenant by tenant and in the
/// order of creation, so that each part costs what it reads, however many records there are.
pub(crate) fn rows_after(
    tx: &mut Tx<'_>,
    resource: &str,
    last: Option<(TenantId, RecordId)>,
    limit: u32,
) -> Result<Vec<(TenantId, Record)>> {
    rows_since(tx, resource, None, last, limit)
}

/// The same, of those only that were written at `since` or later.
pub(crate) fn rows_since(
    tx: &mut Tx<'_>,
    resource: &str,
    since: Option<Timestamp>,
    last: Option<(TenantId, RecordId)>,
    limit: u32,
) -> Result<Vec<(TenantId, Record)>> {
    let mut tenant = match last {
        Some((tenant, _)) => Some(tenant),
        None => next_tenant(tx, "")?,
    };
    let mut rows = Vec::new();
    while let Some(walked) = tenant {
        let from = last.filter(|(tenant, _)| *tenant == walked).map(|(_, id)| id);
        let left = limit - u32::try_from(rows.len()).unwrap_or(limit);
        rows.extend(of_tenant_after(tx, walked, resource, since, from, left)?.into_iter().map(|record| (walked, record)));
        if rows.len() >= limit as usize {
            break;
        }
        tenant = next_tenant(tx, &walked.to_string())?;
    }
    Ok(rows)
}

fn next_tenant(tx: &mut Tx<'_>, after: &str) -> Result<Option<TenantId>> {
    tx.query_one("SELECT MIN(tenant_id) FROM records WHERE tenant_id > ?1", &[after.into()], |row| row.get(0))
}

/// One that was deleted since it was walked past has no place any more: its tenant is walked again.
fn of_tenant_after(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    resource: &str,
    since: Option<Timestamp>,
    from: Option<RecordId>,
    limit: u32,
) -> Result<Vec<Record>> {
    let place = match from {
        Some(id) => {
            let sql = "SELECT created_at FROM records WHERE tenant_id = ?1 AND id = ?2";
            tx.query_opt(sql, &[tenant.into(), id.into()], |row| row.get::<i64>(0))?.map(|at| (at, id.to_string()))
        }
        None => None,
    };
    let (at, id) = place.unwrap_or((i64::MIN, String::new()));
    tx.query(
        "SELECT id, number, external_id, document, revision, created_at, updated_at FROM records \
         WHERE tenant_id = ?1 AND resource = ?2 AND (created_at, id) > (?3, ?4) AND updated_at >= ?5 ORDER BY created_at, id LIMIT ?6",
        &[tenant.into(), resource.into(), at.into(), id.into(), since.map_or(i64::MIN, Timestamp::millis).into(), limit.into()],
        read,
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

/// New records without external ids.
pub(super) fn insert_many(tx: &mut Tx<'_>, task: &Task, records: &[&Record]) -> Result<()> {
    let mut rows: Vec<Value> = Vec::with_capacity(records.len() * 9);
    for record in records {
        rows.extend([
            record.id.into(),
            task.tenant.into(),
            task.resource_type.name().into(),
            record.number.into(),
            text(record)?.into(),
            search::text_of(&task.resource_type, &record.document).into(),
            record.revision.into(),
            record.created_at.into(),
            record.updated_at.into(),
        ]);
    }
    let into = "INSERT INTO records (id, tenant_id, resource, number, document, search_text, revision, created_at, updated_at) VALUES";
    tx.insert_rows(into, 9, &rows, "").map(drop)
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
