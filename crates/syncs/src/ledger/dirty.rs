//! Statements on `sync_dirty`, the outbox.

use kernel::{RecordId, Result, Timestamp};
use store::{Row, Tx};

use super::{Of, Trouble, change_among};

/// A record that the vendor may not know as it is.
#[derive(Clone, Debug)]
pub(crate) struct Dirty {
    pub(crate) record: RecordId,
    pub(crate) version: i64,
    pub(crate) attempts: i64,
}

/// Puts records into one sync's outbox; one that is there already stays as it is, and is due at once.
pub(crate) fn add(tx: &mut Tx<'_>, of: Of, records: &[RecordId]) -> Result<()> {
    let now = tx.now();
    let mut rows: Vec<store::Value> = Vec::with_capacity(records.len() * 8);
    for record in records {
        let zero = 0_i64;
        rows.extend([of.tenant.into(), of.sync.into(), (*record).into(), 1_i64.into(), now.into(), now.into(), zero.into(), zero.into()]);
    }
    let into = "INSERT INTO sync_dirty (tenant_id, sync_id, record_id, version, since, due_at, attempts, gone) VALUES";
    tx.insert_rows(into, 8, &rows, "ON CONFLICT (tenant_id, sync_id, record_id) DO UPDATE SET due_at = excluded.due_at").map(drop)
}

/// Those whose time has come, the longest waiting first.
pub(crate) fn due(tx: &mut Tx<'_>, of: Of, with_gone: bool, limit: u32) -> Result<Vec<Dirty>> {
    let now = tx.now();
    let sql = "SELECT record_id, version, attempts FROM sync_dirty WHERE tenant_id = ?1 AND sync_id = ?2 AND due_at <= ?3 AND gone <= ?4 \
               ORDER BY due_at, record_id LIMIT ?5";
    let read = |row: &Row<'_>| Ok(Dirty { record: row.get(0)?, version: row.get(1)?, attempts: row.get(2)? });
    tx.query(sql, &[of.tenant.into(), of.sync.into(), now.into(), with_gone.into(), limit.into()], read)
}

/// They are done, unless they have changed since.
pub(crate) fn done(tx: &mut Tx<'_>, of: Of, items: &[(RecordId, i64)]) -> Result<()> {
    let sql = "DELETE FROM sync_dirty WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id = ?3 AND version = ?4";
    items
        .iter()
        .try_for_each(|(record, version)| tx.exec(sql, &[of.tenant.into(), of.sync.into(), (*record).into(), (*version).into()]).map(drop))
}

/// It failed and is tried again later; one that has changed since is due by its change.
pub(crate) fn failed(tx: &mut Tx<'_>, of: Of, item: &Dirty, trouble: &Trouble) -> Result<()> {
    let due = tx.now().plus(trouble.wait(item.attempts));
    tx.exec(
        "UPDATE sync_dirty SET due_at = ?5, attempts = attempts + 1, code = ?6, message = ?7, field = ?8 \
         WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id = ?3 AND version = ?4",
        &[
            of.tenant.into(),
            of.sync.into(),
            item.record.into(),
            item.version.into(),
            due.into(),
            trouble.code.as_str().into(),
            trouble.message.as_str().into(),
            trouble.field.clone().into(),
        ],
    )
    .map(drop)
}

/// Why it waits, where nothing says so yet.
pub(crate) fn explain(tx: &mut Tx<'_>, of: Of, record: RecordId, trouble: &Trouble) -> Result<()> {
    let sql = "UPDATE sync_dirty SET code = ?4, message = ?5 WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id = ?3 AND code IS NULL";
    let (code, message) = (trouble.code.as_str(), trouble.message.as_str());
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), record.into(), code.into(), message.into()]).map(drop)
}

/// It waits without having failed.
pub(crate) fn put_off(tx: &mut Tx<'_>, of: Of, item: &Dirty, until: Timestamp) -> Result<()> {
    let sql = "UPDATE sync_dirty SET due_at = ?5 WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id = ?3 AND version = ?4";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), item.record.into(), item.version.into(), until.into()]).map(drop)
}

/// How many records are gone here and perhaps not at the vendor.
pub(crate) fn count_gone(tx: &mut Tx<'_>, of: Of) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM sync_dirty d WHERE d.tenant_id = ?1 AND d.sync_id = ?2 AND d.gone = 1 AND EXISTS (SELECT 1 FROM sync_links l \
               WHERE l.tenant_id = d.tenant_id AND l.sync_id = d.sync_id AND l.record_id = d.record_id AND l.unlinked = 0)";
    tx.query_one(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))
}

/// Their records, for people; some.
pub(crate) fn gone(tx: &mut Tx<'_>, of: Of, limit: u32) -> Result<Vec<(RecordId, Option<String>)>> {
    let sql = "SELECT d.record_id, l.remote_id FROM sync_dirty d LEFT JOIN sync_links l ON l.tenant_id = d.tenant_id AND l.sync_id = d.sync_id \
               AND l.record_id = d.record_id WHERE d.tenant_id = ?1 AND d.sync_id = ?2 AND d.gone = 1 ORDER BY d.record_id LIMIT ?3";
    tx.query(sql, &[of.tenant.into(), of.sync.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Forgets those that are gone; answers them.
pub(crate) fn drop_gone(tx: &mut Tx<'_>, of: Of) -> Result<Vec<RecordId>> {
    let sql = "DELETE FROM sync_dirty WHERE tenant_id = ?1 AND sync_id = ?2 AND gone = 1 RETURNING record_id";
    tx.query(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))
}

/// Forgets these, whatever their version.
pub(crate) fn forget(tx: &mut Tx<'_>, of: Of, records: impl Iterator<Item = RecordId>) -> Result<u64> {
    let head = "DELETE FROM sync_dirty WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id IN";
    change_among(tx, of, head, &[], records.map(|id| id.to_string()))
}

/// Makes them due now: all that failed, or these.
pub(crate) fn retry(tx: &mut Tx<'_>, of: Of, only: Option<&[RecordId]>) -> Result<u64> {
    let now = tx.now();
    match only {
        None => tx.exec(
            "UPDATE sync_dirty SET due_at = ?3 WHERE tenant_id = ?1 AND sync_id = ?2 AND code IS NOT NULL",
            &[of.tenant.into(), of.sync.into(), now.into()],
        ),
        Some(records) => {
            let head = "UPDATE sync_dirty SET due_at = ?3 WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id IN";
            change_among(tx, of, head, &[now.into()], records.iter().map(ToString::to_string))
        }
    }
}
