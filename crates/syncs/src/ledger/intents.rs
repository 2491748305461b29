//! Statements on `sync_intents`.

use std::collections::HashMap;

use kernel::{RecordId, Result, Timestamp};
use serde_json::Value as Json;
use store::{Tx, Value};

use super::{Of, among, change_among};

/// A creation that was or will be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Intent {
    pub(crate) record: RecordId,
    /// The key's value that was sent, in the vendor's words.
    pub(crate) key: Json,
    pub(crate) asked_at: Timestamp,
}

/// Stores intents, before anything is asked for.
pub(crate) fn put(tx: &mut Tx<'_>, of: Of, intents: &[(RecordId, Json)]) -> Result<()> {
    let now = tx.now();
    let mut rows: Vec<Value> = Vec::with_capacity(intents.len() * 5);
    for (record, key) in intents {
        rows.extend([of.tenant.into(), of.sync.into(), (*record).into(), key.into(), now.into()]);
    }
    let into = "INSERT INTO sync_intents (tenant_id, sync_id, record_id, key_value, asked_at) VALUES";
    let again = "ON CONFLICT (tenant_id, sync_id, record_id) DO UPDATE SET key_value = excluded.key_value, asked_at = excluded.asked_at";
    tx.insert_rows(into, 5, &rows, again).map(drop)
}

fn read(row: &store::Row<'_>) -> Result<Intent> {
    Ok(Intent { record: row.get(0)?, key: row.get(1)?, asked_at: row.get(2)? })
}

/// Those of these records.
pub(crate) fn of_records(tx: &mut Tx<'_>, of: Of, records: impl Iterator<Item = RecordId>) -> Result<HashMap<RecordId, Intent>> {
    let head = "SELECT record_id, key_value, asked_at FROM sync_intents WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id IN";
    let found = among(tx, of, head, records.map(|id| id.to_string()), read)?;
    Ok(found.into_iter().map(|intent| (intent.record, intent)).collect())
}

/// All of a sync: as few as one step's creations, but for what a crash left.
pub(crate) fn all(tx: &mut Tx<'_>, of: Of) -> Result<Vec<Intent>> {
    let sql =
        "SELECT record_id, key_value, asked_at FROM sync_intents WHERE tenant_id = ?1 AND sync_id = ?2 ORDER BY record_id LIMIT 10000";
    tx.query(sql, &[of.tenant.into(), of.sync.into()], read)
}

/// Records whose creation was asked for, of which nobody knows how it ended, and that wait to be looked up; with that time, the earliest first.
pub(crate) fn held(tx: &mut Tx<'_>, of: Of) -> Result<Vec<(RecordId, Timestamp)>> {
    let now = tx.now();
    let sql = "SELECT i.record_id, d.due_at FROM sync_intents i CROSS JOIN sync_dirty d WHERE i.tenant_id = ?1 AND i.sync_id = ?2 \
               AND d.tenant_id = ?1 AND d.sync_id = ?2 AND d.record_id = i.record_id AND d.due_at > ?3 ORDER BY d.due_at, i.record_id LIMIT 10000";
    tx.query(sql, &[of.tenant.into(), of.sync.into(), now.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// They are known to have ended.
pub(crate) fn done(tx: &mut Tx<'_>, of: Of, records: impl Iterator<Item = RecordId>) -> Result<()> {
    let head = "DELETE FROM sync_intents WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id IN";
    change_among(tx, of, head, &[], records.map(|id| id.to_string())).map(drop)
}
