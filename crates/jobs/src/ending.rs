//! What follows when a job ends: its place is free, the record learns of it, and those who listen are told. All in the transaction of the end.

use std::sync::Arc;

use bytes::Bytes;
use dispatch::NewDelivery;
use events::{JOB_COMPLETED, JOB_FAILED};
use kernel::{Error, Event, EventType, JobId, Kind as Failed, Result, TenantId, TenantScope};
use records::RecordRef;
use serde_json::{Map, Value, json};
use store::Tx;

use crate::catalogue::Kind;
use crate::jobs::{JobError, Row, State, sql};
use crate::leases::Token;
use crate::{Jobs, lanes};

/// How a job ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Completed(Value),
    Failed(JobError),
}

impl Jobs {
    /// Ends a job whose lease is `epoch` and `lease`, and what follows from that. None: that lease is not, or not any more, good.
    ///
    /// Error: 422 `result_refused`, where the record does not take the result.
    pub(crate) fn end_leased(&self, tx: &mut Tx<'_>, scope: &TenantScope, id: JobId, lease: &Token, end: &End) -> Result<Option<Row>> {
        let (state, result, error, progress) = written(end)?;
        let now = tx.now();
        let sql = format!(
            "UPDATE jobs SET state = ?3, result = ?4, error = ?5, progress = CASE WHEN progress < ?6 THEN ?6 ELSE progress END, \
             failures = failures + ?7, ended_at = ?8, lease_until = NULL, due_at = NULL \
             WHERE tenant_id = ?1 AND id = ?2 AND state = 'processing' AND epoch = ?9 AND lease = ?10 AND type = ?11 RETURNING {}",
            sql::short()
        );
        let failures = i64::from(state == State::Failed);
        let params = [
            scope.tenant().into(),
            id.into(),
            state.as_str().into(),
            result.into(),
            error.into(),
            progress.into(),
            failures.into(),
            now.into(),
            lease.epoch.into(),
            lease.nonce.as_str().into(),
            lease.kind.as_str().into(),
        ];
        let Some(ended) = tx.query_opt(&sql, &params, |row| sql::read(row, false))? else { return Ok(None) };
        self.follow(tx, scope, &ended, end)?;
        Ok(Some(ended))
    }

    /// Fails a job that has not ended, whoever has it; false: it had.
    pub(crate) fn fail_open(&self, tx: &mut Tx<'_>, tenant: TenantId, id: JobId, error: JobError) -> Result<bool> {
        let now = tx.now();
        let text = serde_json::to_string(&error).map_err(Error::internal)?;
        let sql = format!(
            "UPDATE jobs SET state = 'failed', error = ?3, ended_at = ?4, lease = NULL, lease_until = NULL, due_at = NULL \
             WHERE tenant_id = ?1 AND id = ?2 AND ended_at IS NULL RETURNING {}",
            sql::short()
        );
        let ended = tx.query_opt(&sql, &[tenant.into(), id.into(), text.into(), now.into()], |row| sql::read(row, false))?;
        let Some(ended) = ended else { return Ok(false) };
        self.follow(tx, &Self::system(tenant), &ended, &End::Failed(error))?;
        Ok(true)
    }

    fn follow(&self, tx: &mut Tx<'_>, scope: &TenantScope, row: &Row, end: &End) -> Result<()> {
        let kind = self.catalogue.find(&row.kind).map(Arc::clone);
        if let Some(kind) = &kind {
            lanes::freed(tx, row.tenant, kind)?;
            self.tell_record(tx, scope, kind, row, end)?;
        }
        self.tell(tx, kind.as_deref(), row, end)?;
        ended(row);
        Ok(())
    }

    /// A cancellation has no event: whoever cancelled knows.
    pub(crate) fn follow_cancellation(&self, tx: &mut Tx<'_>, scope: &TenantScope, row: &Row) -> Result<()> {
        ended(row);
        let Some(kind) = self.catalogue.find(&row.kind).map(Arc::clone) else { return Ok(()) };
        lanes::freed(tx, row.tenant, &kind)?;
        if let Some(member) = kind.declared.record.as_ref().and_then(|link| link.status.clone()) {
            self.patch_record(tx, scope, &kind, row, Map::from_iter([(member, Value::from("cancelled"))])).or_else(forgive)?;
        }
        Ok(())
    }

    fn tell_record(&self, tx: &mut Tx<'_>, scope: &TenantScope, kind: &Kind, row: &Row, end: &End) -> Result<()> {
        let Some(link) = &kind.declared.record else { return Ok(()) };
        let mut patch = Map::new();
        let mut put = |member: &Option<String>, value: Value| {
            if let Some(member) = member {
                patch.insert(member.clone(), value);
            }
        };
        match end {
            End::Completed(result) => {
                put(&link.status, "completed".into());
                put(&link.result, result.clone());
                for (member, path) in &link.members {
                    let value = path.split('.').try_fold(result, |at, name| at.get(name));
                    put(&Some(member.clone()), value.cloned().unwrap_or(Value::Null));
                }
                self.patch_record(tx, scope, kind, row, patch).map_err(|error| refused(error, &link.resource))
            }
            End::Failed(error) => {
                put(&link.status, "failed".into());
                put(&link.error, json!({ "code": error.code, "message": error.message }));
                self.patch_record(tx, scope, kind, row, patch).or_else(forgive)
            }
        }
    }

    /// A record that is gone meanwhile is no matter.
    pub(crate) fn patch_record(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        kind: &Kind,
        row: &Row,
        patch: Map<String, Value>,
    ) -> Result<()> {
        let (Some(link), Some(id)) = (&kind.declared.record, &row.record) else { return Ok(()) };
        let Ok(reference) = id.parse::<RecordRef>() else { return Ok(()) };
        match self.around.records.update_in(tx, scope, &link.resource, &reference, patch) {
            Err(error) if error.kind() == Failed::NotFound => Ok(()),
            other => other.map(drop),
        }
    }

    /// The event, and the webhook that the job asked for itself.
    fn tell(&self, tx: &mut Tx<'_>, kind: Option<&Kind>, row: &Row, end: &End) -> Result<()> {
        let declared = kind.map(|kind| &kind.declared);
        let (own, usual) = match end {
            End::Completed(_) => (declared.and_then(|kind| kind.completed.clone()), JOB_COMPLETED),
            End::Failed(_) => (declared.and_then(|kind| kind.failed.clone()), JOB_FAILED),
        };
        let data = data(kind, row, end)?;
        let usual: EventType = usual.parse().map_err(Error::internal)?;
        let event = event(tx, row, own.unwrap_or_else(|| usual.clone()), data);
        let mut told = event.clone();
        if self.around.events.emit(tx, vec![event])?.is_empty() {
            // The tenant does not have the type.
            told = Event { event_type: usual, ..told };
            self.around.events.emit(tx, vec![told.clone()])?;
        }
        let Some(destination) = row.webhook else { return Ok(()) };
        self.around.dispatch.enqueue(tx, &[NewDelivery::new(Arc::new(told), destination)])
    }
}

fn written(end: &End) -> Result<(State, Option<String>, Option<String>, i64)> {
    let text = |value: &Value| serde_json::to_string(value).map_err(Error::internal);
    Ok(match end {
        End::Completed(result) => (State::Completed, Some(text(result)?), None, 100),
        End::Failed(error) => (State::Failed, None, Some(serde_json::to_string(error).map_err(Error::internal)?), 0),
    })
}

fn event(tx: &Tx<'_>, row: &Row, event_type: EventType, data: Bytes) -> Event {
    let now = tx.now();
    Event {
        tenant: row.tenant,
        id: tx.ambient().event_id(),
        event_type,
        occurred_at: now,
        created_at: now,
        data,
        client: None,
        channels: Vec::new(),
        ordering_key: Some(row.id.to_string()),
        deliver_at: None,
        schema_version: None,
    }
}

fn data(kind: Option<&Kind>, row: &Row, end: &End) -> Result<Bytes> {
    let status = if matches!(end, End::Completed(_)) { "completed" } else { "failed" };
    let mut data = json!({
        "jobId": row.id, "type": row.kind, "status": status, "progress": row.progress, "attempts": row.attempts,
        "createdAt": row.created_at, "startedAt": row.started_at, "completedAt": row.ended_at,
    });
    if let (Some(link), Some(id)) = (kind.and_then(|kind| kind.declared.record.as_ref()), &row.record) {
        data[link.id_member.as_str()] = Value::from(id.clone());
    }
    match end {
        End::Completed(result) => data["result"] = result.clone(),
        End::Failed(error) => data["error"] = serde_json::to_value(error).map_err(Error::internal)?,
    }
    serde_json::to_vec(&data).map(Bytes::from).map_err(Error::internal)
}

fn refused(error: Error, resource: &str) -> Error {
    if error.kind() != Failed::Invalid {
        return error;
    }
    let faults: Vec<_> = error.fields().to_vec();
    let detail = format!(
        "The {resource} that this result belongs to does not take it; see errors. The job is still yours: complete it otherwise, or fail it."
    );
    Error::invalid("result_refused", detail).with_fields(faults)
}

/// What a record does not take is no reason that a job does not end.
pub(crate) fn forgive(error: Error) -> Result<()> {
    if error.kind() != Failed::Invalid {
        return Err(error);
    }
    tracing::warn!(?error, "a record did not take what became of its job");
    Ok(())
}

fn ended(row: &Row) {
    metrics::counter!("tradewind_jobs_ended_total", "type" => row.kind.clone(), "status" => row.state.as_str()).increment(1);
    if let (Some(begun), Some(ended)) = (row.started_at, row.ended_at) {
        metrics::histogram!("tradewind_job_seconds", "type" => row.kind.clone()).record(ended.since(begun));
    }
}
