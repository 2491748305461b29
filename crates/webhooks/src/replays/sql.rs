//! Every statement on `replays`.

use kernel::{Error, ReplayId, Result, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Subject, Tx, Value};

use super::{Progress, Replay};

const COLUMNS: &str =
    "id, kind, query, status, total, total_is_exact, done, passed_over, error, created_at, updated_at, finished_at, place, next_at";

/// A run as it stands in its row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) view: Replay,
    /// Where the next step begins.
    pub(super) place: Option<String>,
    pub(super) next_at: Timestamp,
}

fn read(row: &store::Row<'_>) -> Result<Row> {
    let view = Replay {
        id: row.get(0)?,
        kind: word(&row.get::<String>(1)?)?,
        query: serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?,
        status: word(&row.get::<String>(3)?)?,
        total: row.get(4)?,
        total_is_exact: row.get(5)?,
        done: row.get(6)?,
        passed_over: row.get(7)?,
        error: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        finished_at: row.get(11)?,
    };
    Ok(Row { view, place: row.get(12)?, next_at: row.get(13)? })
}

/// One of an enum's names.
fn word<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(Error::internal)
}

fn text(value: &impl Serialize) -> Result<String> {
    match serde_json::to_value(value).map_err(Error::internal)? {
        serde_json::Value::String(text) => Ok(text),
        other => Ok(other.to_string()),
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, tenant: TenantId, run: &Replay) -> Result<()> {
    tx.exec(
        "INSERT INTO replays (id, tenant_id, client_id, webhook_id, kind, query, status, total, total_is_exact, done, passed_over, next_at, \
         created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10, ?10, ?10)",
        &[
            run.id.into(),
            tenant.into(),
            run.query.client_id.into(),
            run.query.webhook_id.into(),
            text(&run.kind)?.into(),
            text(&run.query)?.into(),
            text(&run.status)?.into(),
            run.total.into(),
            run.total_is_exact.into(),
            run.created_at.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: ReplayId) -> Result<Row> {
    let sql = format!("SELECT {COLUMNS} FROM replays WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)?.ok_or_else(|| Error::not_found("replay"))
}

/// The newest first, after `before`.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, before: &str, limit: u32, offset: u64) -> Result<Vec<Replay>> {
    let sql = format!("SELECT {COLUMNS} FROM replays WHERE tenant_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?4");
    tx.query(&sql, &[tenant.into(), before.into(), limit.into(), offset.into()], |row| Ok(read(row)?.view))
}

/// How many of the tenant's runs go on.
pub(super) fn running(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM replays WHERE tenant_id = ?1 AND status = 'running'";
    tx.query_one(sql, &[tenant.into()], |row| row.get(0))
}

/// The run of any tenant that waits longest for its next step: whose it is, which, and since when.
pub(super) fn next(tx: &mut Tx<'_>) -> Result<Option<(TenantId, ReplayId, Timestamp)>> {
    let sql = "SELECT tenant_id, id, next_at FROM replays WHERE status = 'running' ORDER BY next_at LIMIT 1";
    tx.query_opt(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Takes a run for a step, unless another node did so since it was seen. The row stays locked until the step commits.
pub(super) fn take(tx: &mut Tx<'_>, tenant: TenantId, id: ReplayId, seen: Timestamp) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE replays SET updated_at = ?4 WHERE tenant_id = ?1 AND id = ?2 AND next_at = ?3 AND status = 'running'";
    Ok(tx.exec(sql, &[tenant.into(), id.into(), seen.into(), now.into()])? > 0)
}

/// Writes down what a step did.
pub(super) fn put(tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<()> {
    let now = tx.now();
    let finished_at = (row.view.status != Progress::Running).then_some(now);
    tx.exec(
        "UPDATE replays SET status = ?3, done = ?4, passed_over = ?5, place = ?6, error = ?7, next_at = ?8, updated_at = ?9, finished_at = ?10 \
         WHERE tenant_id = ?1 AND id = ?2",
        &[
            tenant.into(),
            row.view.id.into(),
            text(&row.view.status)?.into(),
            row.view.done.into(),
            row.view.passed_over.into(),
            row.place.clone().into(),
            row.view.error.clone().into(),
            row.next_at.into(),
            now.into(),
            finished_at.into(),
        ],
    )?;
    Ok(())
}

/// What goes when a tenant or a client goes.
pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
    match subject {
        Subject::Tenant => tx.exec("DELETE FROM replays WHERE tenant_id = ?1", &[tenant.into()])?,
        Subject::Client(client) => {
            let params: [Value; 2] = [tenant.into(), (*client).into()];
            tx.exec("DELETE FROM replays WHERE tenant_id = ?1 AND client_id = ?2", &params)?
        }
        Subject::Event(_) => 0,
    };
    Ok(())
}

/// Deletes some of a tenant's runs that ended before `before`; answers how many.
pub fn delete_old(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM replays WHERE tenant_id = ?1 AND id IN \
               (SELECT id FROM replays WHERE tenant_id = ?1 AND status <> 'running' AND finished_at < ?2 LIMIT ?3)";
    tx.exec(sql, &[tenant.into(), before.into(), limit.into()])
}
