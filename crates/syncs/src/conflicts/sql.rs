//! Statements on `sync_conflicts`.

use std::collections::HashMap;

use kernel::{ConflictId, Error, RecordId, Result, SyncConfigId, TenantId};
use serde_json::Value as Json;
use store::Tx;

use super::{Choice, Conflict, ConflictState};
use crate::ledger::{Of, among};

const COLUMNS: &str = "id, sync_id, record_id, remote_id, field, remote_field, local_value, remote_value, agreed_value, state, decision, value, \
                       decided_by, decided_at, created_at, updated_at";

fn read(row: &store::Row<'_>) -> Result<Conflict> {
    Ok(Conflict {
        id: row.get(0)?,
        sync_id: row.get(1)?,
        record_id: row.get(2)?,
        remote_id: row.get(3)?,
        field: row.get(4)?,
        remote_field: row.get(5)?,
        local_value: row.get(6)?,
        remote_value: row.get(7)?,
        agreed_value: row.get(8)?,
        status: ConflictState::parse(&row.get::<String>(9)?)?,
        decision: row.get::<Option<String>>(10)?.map(|text| Choice::parse(&text)).transpose()?,
        value: row.get(11)?,
        decided_by: row.get(12)?,
        decided_at: row.get(13)?,
        created_at: row.get(14)?,
        updated_at: row.get(15)?,
    })
}

/// Error: 404.
pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: ConflictId) -> Result<Conflict> {
    let sql = format!("SELECT {COLUMNS} FROM sync_conflicts WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)?.ok_or_else(|| Error::not_found("conflict"))
}

pub(super) struct Narrow {
    pub(super) sync: Option<SyncConfigId>,
    pub(super) record: Option<RecordId>,
    pub(super) state: Option<ConflictState>,
}

/// The newest first.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, narrow: &Narrow, before: &str, limit: u32, offset: u64) -> Result<Vec<Conflict>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sync_conflicts WHERE tenant_id = ?1 AND id < ?2 AND state = COALESCE(?3, state) \
         AND sync_id = COALESCE(?4, sync_id) AND record_id = COALESCE(?5, record_id) ORDER BY id DESC LIMIT ?6 OFFSET ?7"
    );
    let text = |value: Option<String>| store::Value::from(value);
    let params = [
        tenant.into(),
        before.into(),
        text(narrow.state.map(|state| state.text().to_owned())),
        text(narrow.sync.map(|id| id.to_string())),
        text(narrow.record.map(|id| id.to_string())),
        limit.into(),
        offset.into(),
    ];
    tx.query(&sql, &params, read)
}

/// Those of these records that wait for a decision or for what follows from it, by record and field.
pub(crate) fn live(
    tx: &mut Tx<'_>,
    of: Of,
    records: impl Iterator<Item = RecordId>,
) -> Result<HashMap<RecordId, HashMap<String, Conflict>>> {
    let head = format!(
        "SELECT {COLUMNS} FROM sync_conflicts WHERE tenant_id = ?1 AND sync_id = ?2 AND state IN ('open', 'decided') AND record_id IN"
    );
    let mut out: HashMap<RecordId, HashMap<String, Conflict>> = HashMap::new();
    for conflict in among(tx, of, &head, records.map(|id| id.to_string()), read)? {
        out.entry(conflict.record_id).or_default().insert(conflict.field.clone(), conflict);
    }
    Ok(out)
}

/// Whether a sync has any at all: mostly it has none, and nobody need look for them.
pub(crate) fn has_live(tx: &mut Tx<'_>, of: Of) -> Result<bool> {
    let sql = "SELECT 1 FROM sync_conflicts WHERE tenant_id = ?1 AND sync_id = ?2 AND state IN ('open', 'decided') LIMIT 1";
    Ok(tx.query_opt(sql, &[of.tenant.into(), of.sync.into()], |_| Ok(()))?.is_some())
}

/// A conflict as it is found.
pub(crate) struct Found<'a> {
    pub(crate) record: RecordId,
    pub(crate) remote: &'a str,
    pub(crate) field: &'a str,
    pub(crate) remote_field: &'a str,
    pub(crate) local_value: &'a Json,
    pub(crate) remote_value: &'a Json,
    pub(crate) agreed_value: &'a Json,
}

/// Stores a new one.
pub(crate) fn insert(tx: &mut Tx<'_>, of: Of, found: &Found<'_>) -> Result<()> {
    let (id, now) = (tx.ambient().id::<ConflictId>(), tx.now());
    tx.exec(
        "INSERT INTO sync_conflicts (tenant_id, id, sync_id, record_id, remote_id, field, remote_field, local_value, remote_value, agreed_value, \
         state, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open', ?11, ?11)",
        &[
            of.tenant.into(),
            id.into(),
            of.sync.into(),
            found.record.into(),
            found.remote.into(),
            found.field.into(),
            found.remote_field.into(),
            found.local_value.into(),
            found.remote_value.into(),
            found.agreed_value.into(),
            now.into(),
        ],
    )
    .map(drop)
}

/// Both sides' values are others now.
pub(crate) fn refresh(tx: &mut Tx<'_>, of: Of, id: ConflictId, local: &Json, remote: &Json) -> Result<()> {
    let now = tx.now();
    let sql = "UPDATE sync_conflicts SET local_value = ?3, remote_value = ?4, updated_at = ?5 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), id.into(), local.into(), remote.into(), now.into()]).map(drop)
}

/// It ended: by a decision (`resolved`), or by itself.
pub(crate) fn end(tx: &mut Tx<'_>, of: Of, id: ConflictId, resolved: bool) -> Result<()> {
    let now = tx.now();
    let state = if resolved { ConflictState::Resolved } else { ConflictState::Settled };
    let sql = "UPDATE sync_conflicts SET state = ?3, updated_at = ?4 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), id.into(), state.text().into(), now.into()]).map(drop)
}

/// All of a record's end by themselves: it is gone, or goes its own way.
pub(crate) fn end_of_record(tx: &mut Tx<'_>, of: Of, record: RecordId) -> Result<()> {
    let now = tx.now();
    let sql = "UPDATE sync_conflicts SET state = 'settled', updated_at = ?4 WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id = ?3 \
               AND state IN ('open', 'decided')";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), record.into(), now.into()]).map(drop)
}

/// Somebody decides about an open one, or changes a decision that was not carried out; false: it is over.
pub(super) fn decide(tx: &mut Tx<'_>, tenant: TenantId, id: ConflictId, choice: Choice, value: Option<&Json>) -> Result<bool> {
    let (now, who) = (tx.now(), tx.scope().actor().to_string());
    let sql = "UPDATE sync_conflicts SET state = 'decided', decision = ?3, value = ?4, decided_by = ?5, decided_at = ?6, updated_at = ?6 \
               WHERE tenant_id = ?1 AND id = ?2 AND state IN ('open', 'decided')";
    let value = value.map(ToString::to_string);
    Ok(tx.exec(sql, &[tenant.into(), id.into(), choice.text().into(), value.into(), who.into(), now.into()])? == 1)
}
