//! `sync_log`: what happened to which record, a row for each step.

use kernel::{RecordId, Result, SyncRunId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::Trouble;

/// What happened to one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncLogEntry)]
pub struct LogEntry {
    /// What: see [`LogAction`].
    pub action: LogAction,
    /// Our record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// The vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Our fields that are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Of a failure: a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What may happen to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncLogAction)]
pub enum LogAction {
    /// Made here, of the vendor's.
    CreatedHere,
    /// Made at the vendor, of ours.
    CreatedThere,
    /// Changed here.
    UpdatedHere,
    /// Changed at the vendor.
    UpdatedThere,
    /// Deleted here.
    DeletedHere,
    /// Deleted at the vendor.
    DeletedThere,
    /// Two that were there belong together from now on.
    Linked,
    /// Two go their own ways from now on.
    Unlinked,
    /// The vendor's record lives on in another.
    Merged,
    /// It was deleted on one side and had been changed on the other: it is made again.
    Resurrected,
    /// An edit was given up for the other side's, as the policy says.
    Overridden,
    /// Both sides changed a field.
    Conflict,
    /// A decision about a conflict was carried out.
    Resolved,
    /// It was left alone.
    Skipped,
    /// It failed; it is tried again.
    Failed,
}

impl LogEntry {
    pub(crate) fn new(action: LogAction, record_id: Option<RecordId>, remote_id: Option<&str>) -> Self {
        Self { action, record_id, remote_id: remote_id.map(str::to_owned), fields: Vec::new(), code: None, message: None }
    }

    pub(crate) fn fields(mut self, fields: Vec<String>) -> Self {
        self.fields = fields;
        self
    }

    pub(crate) fn because(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    pub(crate) fn failed(record_id: Option<RecordId>, remote_id: Option<&str>, trouble: &Trouble) -> Self {
        let entry = Self::new(LogAction::Failed, record_id, remote_id).because(trouble.message.clone());
        Self { code: Some(trouble.code.clone()), fields: trouble.field.iter().cloned().collect(), ..entry }
    }
}

/// Appends a step's entries under the run's next number.
pub(crate) fn append(tx: &mut Tx<'_>, tenant: TenantId, run: SyncRunId, seq: i64, entries: &[LogEntry]) -> Result<()> {
    let now = tx.now();
    let failed = entries.iter().filter(|entry| entry.action == LogAction::Failed).count() as u64;
    let text = serde_json::to_string(entries).map_err(kernel::Error::internal)?;
    tx.exec(
        "INSERT INTO sync_log (tenant_id, run_id, seq, at, failed, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[tenant.into(), run.into(), seq.into(), now.into(), failed.into(), text.into()],
    )
    .map(drop)
}

/// Forgets what was logged of a run.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: TenantId, run: SyncRunId) -> Result<()> {
    tx.exec("DELETE FROM sync_log WHERE tenant_id = ?1 AND run_id = ?2", &[tenant.into(), run.into()]).map(drop)
}

/// The next steps' entries, each with its place.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    run: SyncRunId,
    from: i64,
    only_failed: bool,
    limit: u32,
) -> Result<Vec<(i64, Timestamp, Vec<LogEntry>)>> {
    let sql =
        "SELECT seq, at, entries FROM sync_log WHERE tenant_id = ?1 AND run_id = ?2 AND seq >= ?3 AND failed >= ?4 ORDER BY seq LIMIT ?5";
    tx.query(sql, &[tenant.into(), run.into(), from.into(), only_failed.into(), limit.into()], |row| {
        let entries = serde_json::from_str(&row.get::<String>(2)?).map_err(kernel::Error::internal)?;
        Ok((row.get(0)?, row.get(1)?, entries))
    })
}
