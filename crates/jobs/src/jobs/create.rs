//! `jobs.create`: and what an endpoint of the blueprint starts.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, FieldError, IdRef, Result, TenantScope};
use serde_json::{Map, Value};

use super::Job;
use crate::enqueue::Draft;
use crate::input::{ClientRef, NewJob};
use crate::{Jobs, Started, authority};

impl Jobs {
    /// Queues a job.
    ///
    /// Errors: 403 `insufficient_scope`; 404 for another's tenant or client; 409 `too_many_job_webhooks`; 413 `job_too_large`; 422 `unknown_job_type`,
    /// `validation_failed`, `url_refused`, `client_required`.
    pub async fn create(self: &Arc<Self>, caller: &Caller, new: NewJob) -> Result<Job> {
        let kind = self.catalogue.get(&new.kind)?;
        authority::start(caller, kind)?;
        let acting = caller.acting_for(new.tenant_id)?;
        if acting.tenant() != caller.tenant()
            && let Some(tenant) = acting.tenant()
            && !self.store.read(crate::scope(), move |tx| access::tenants::exists(tx, tenant)).await?
        {
            return Err(Error::not_found("tenant"));
        }
        let scope = acting.tenant_scope()?;
        self.queue(scope, acting.client(), new, "/input").await.map(|started| started.job)
    }

    /// Starts a job of type `kind` from the body of an endpoint that the blueprint declares: the body is the input, but for `webhookUrl` and
    /// `webhookSecret` (or as `style.naming` spells them), unless the input has such members itself. The endpoint's scope has been asked for.
    ///
    /// Errors: as [`Jobs::create`].
    pub async fn start_declared(
        self: &Arc<Self>,
        scope: TenantScope,
        client: Option<ClientId>,
        kind: &str,
        body: Map<String, Value>,
    ) -> Result<Started> {
        let kind = self.catalogue.get(kind)?;
        let own = kind.declared.input.get("properties").and_then(Value::as_object);
        let mut input = body;
        let mut take = |camel: &str, snake: &str| -> Result<Option<String>> {
            let name = if self.blueprint.style.naming == blueprint::model::Naming::Snake { snake } else { camel };
            if own.is_some_and(|members| members.contains_key(name)) {
                return Ok(None);
            }
            match input.shift_remove(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(_) => Err(Error::field(format!("/{name}"), "must be a text")),
            }
        };
        let webhook_url = take("webhookUrl", "webhook_url")?;
        let webhook_secret = take("webhookSecret", "webhook_secret")?;
        let new = NewJob { kind: kind.name().to_owned(), input, webhook_url, webhook_secret, ..NewJob::default() };
        self.queue(scope, client, new, "").await
    }

    async fn queue(self: &Arc<Self>, scope: TenantScope, client: Option<ClientId>, new: NewJob, at: &'static str) -> Result<Started> {
        let kind = Arc::clone(self.catalogue.get(&new.kind)?);
        new.check(self.ambient.now())?;
        let mut input = new.input;
        defaults(&kind.declared.input, &mut input);
        let value = Value::Object(input);
        kind.check_input(&value, at)?;
        let Value::Object(input) = value else { return Err(Error::internal("an object is an object")) };
        crate::input::written(&input)?;
        let webhook = match new.webhook_url {
            Some(url) => Some(self.address(&kind, url, new.webhook_secret.as_deref()).await?),
            None => None,
        };
        let member = kind.declared.record.as_ref().map(|link| link.id_member.clone());
        let (priority, run_at, deadline) = (new.priority, new.run_at, new.deadline);
        let (jobs, authority, named) = (Arc::clone(self), scope.clone(), new.client_id);
        let made = self.store.answer(scope, move |tx| {
            let client = match (client, named) {
                (Some(own), Some(ClientRef(named))) if named != IdRef::Id(own) => return Err(Error::not_found("API client")),
                (Some(own), _) => Some(own),
                (None, Some(ClientRef(named))) => Some(access::clients::resolve(tx, authority.tenant(), &named)?),
                (None, None) => None,
            };
            jobs.enqueue(tx, &authority, Draft { kind, client, input, priority, run_at, deadline, webhook, schedule: None })
        });
        let job = made.await.map_err(|error| moved(error, at))?;
        let record = member.zip(job.record_id.clone());
        Ok(Started { job, record })
    }
}

/// Faults of the input stand where the input stood.
fn moved(error: Error, at: &str) -> Error {
    if at == "/input" || error.fields().is_empty() {
        return error;
    }
    let fields: Vec<FieldError> = error
        .fields()
        .iter()
        .map(|field| FieldError {
            pointer: field.pointer.strip_prefix("/input").unwrap_or(&field.pointer).to_owned(),
            detail: field.detail.clone(),
        })
        .collect();
    error.with_fields(fields)
}

/// Default values of top-level members are filled in, as for records.
pub(crate) fn defaults(schema: &Value, input: &mut Map<String, Value>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(default) = property.get("default").filter(|_| !input.contains_key(name)) {
            input.insert(name.clone(), default.clone());
        }
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Json(new): web::Json<NewJob>,
) -> web::Result<axum::response::Response> {
    let body = jobs.create(&caller, new).await?;
    Ok(accepted(format!("/api/v1/jobs/{}", body.id), body))
}

/// 202 with the place at which the job can be followed.
fn accepted(location: String, body: Job) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let mut response = web::Accepted(body).into_response();
    if let Ok(location) = http::HeaderValue::try_from(location) {
        response.headers_mut().insert(http::header::LOCATION, location);
    }
    response
}
