//! A job begins to be: in the transaction of whatever asks for it.

use std::sync::Arc;

use kernel::{ClientId, Error, JobId, JobScheduleId, Kind as Failed, Result, TenantScope, Timestamp};
use records::RecordRef;
use serde_json::{Map, Value};
use store::Tx;

use crate::catalogue::Kind;
use crate::jobs::{Job, Row, State, sql};
use crate::webhooks::{self, Address};
use crate::{Jobs, PART, TOPIC, input, lanes};

/// What a point of priority is worth, in milliseconds of waiting.
const POINT_MS: i64 = 60_000;

/// A job that was started, for an endpoint that the blueprint declares.
#[derive(Clone, Debug)]
pub struct Started {
    /// It.
    pub job: Job,
    /// The member of the input that names its record, and the record's id.
    pub record: Option<(String, String)>,
}

/// A job on its way in. Its input has been checked.
pub(crate) struct Draft {
    pub(crate) kind: Arc<Kind>,
    pub(crate) client: Option<ClientId>,
    pub(crate) input: Map<String, Value>,
    pub(crate) priority: Option<i64>,
    pub(crate) run_at: Option<Timestamp>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) webhook: Option<Address>,
    pub(crate) schedule: Option<JobScheduleId>,
}

impl Jobs {
    /// Writes the job, the record that it works on where it makes one, and the destination of its webhook. Audited.
    ///
    /// Errors: 413 `job_too_large`; 409 `too_many_job_webhooks`; 422 where the record that the input names is not there; whatever `records` says to
    /// a new one.
    pub(crate) fn enqueue(&self, tx: &mut Tx<'_>, scope: &TenantScope, mut draft: Draft) -> Result<Job> {
        let (tenant, now, id) = (scope.tenant(), tx.now(), self.next_id());
        let record = self.begin_record(tx, scope, &draft.kind, id, &mut draft.input)?;
        let (webhook, secret) = match &draft.webhook {
            Some(address) => {
                let client = draft.client.ok_or_else(webhooks::client_required)?;
                let (destination, secret) = webhooks::destination(tx, tenant, client, address)?;
                (Some(destination), secret)
            }
            None => (None, None),
        };
        let declared = &draft.kind.declared;
        let run_at = draft.run_at.unwrap_or(now).max(now);
        let deadline = draft.deadline.or_else(|| declared.deadline_ms.map(|ms| run_at.plus(std::time::Duration::from_millis(ms))));
        let state = match declared.concurrency_per_tenant {
            _ if run_at > now => State::Waiting,
            Some(_) => State::Held,
            None => State::Ready,
        };
        let priority = draft.priority.unwrap_or(declared.priority);
        let row = Row {
            tenant,
            id,
            kind: declared.name.clone(),
            state,
            priority,
            client: draft.client,
            input: input::written(&draft.input)?,
            result: None,
            error: None,
            progress: 0,
            message: None,
            attempts: 0,
            failures: 0,
            losses: 0,
            epoch: 0,
            lease: None,
            run_at,
            due_at: Some(run_at).filter(|_| state == State::Waiting),
            deadline_at: deadline,
            webhook,
            webhook_url: draft.webhook.map(|address| address.url),
            record,
            schedule: draft.schedule,
            created_at: now,
            started_at: None,
            ended_at: None,
        };
        sql::insert(tx, &row, run_at.millis().saturating_sub(priority * POINT_MS))?;
        match state {
            State::Held => lanes::fill(tx, tenant, &draft.kind)?,
            State::Ready => tx.notify(TOPIC, &row.kind),
            _ => {}
        }
        tx.audit_with("job.create", id, &serde_json::json!({ "type": row.kind }))?;
        self.keeper.look_by(row.due_at.into_iter().chain(row.deadline_at).min());
        metrics::counter!("tradewind_jobs_started_total", "type" => row.kind.clone()).increment(1);
        Ok(Job { webhook_secret: secret, ..Job::of(row)? })
    }

    /// The record that the job works on: made of the input's members, or the one that the input names. It learns of the job either way.
    fn begin_record(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        kind: &Kind,
        job: JobId,
        input: &mut Map<String, Value>,
    ) -> Result<Option<String>> {
        let Some(link) = &kind.declared.record else { return Ok(None) };
        let told = [(&link.job, Value::from(job.to_string())), (&link.status, Value::from("pending"))];
        let told = told.into_iter().filter_map(|(member, value)| Some((member.clone()?, value)));
        if link.create {
            let resource = self.around.records.resource_type(&link.resource)?;
            let open = resource.resource().open_members();
            let mut document: Map<String, Value> =
                input.iter().filter(|(name, _)| open.contains(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
            document.extend(told);
            let record = self.around.records.create_in(tx, scope, &link.resource, document)?;
            let id = resource.id_text(&record);
            input.insert(link.id_member.clone(), Value::from(id.clone()));
            return Ok(Some(id));
        }
        let Some(named) = input.get(&link.id_member).and_then(text_of) else { return Ok(None) };
        let missing = || Error::field(format!("/input/{}", link.id_member), format!("names no {} of this tenant", link.resource));
        let reference: RecordRef = named.parse().map_err(|_| missing())?;
        let known = self.around.records.update_in(tx, scope, &link.resource, &reference, told.collect());
        let known = known.map_err(|error| if error.kind() == Failed::NotFound { missing() } else { error })?;
        Ok(Some(self.around.records.resource_type(&link.resource)?.id_text(&known)))
    }

    /// The system's own authority over a tenant.
    pub(crate) fn system(tenant: kernel::TenantId) -> TenantScope {
        TenantScope::system(PART, tenant)
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
