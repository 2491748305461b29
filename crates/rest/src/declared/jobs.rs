//! Endpoints that start a job, and those that show one.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use blueprint::Blueprint;
use blueprint::model::{self, JobType, Naming, Operation};
use http::{HeaderValue, StatusCode, header};
use jobs::{Job, Jobs, Started};
use kernel::{Error, JobId};
use serde_json::{Map, Value, json};
use web::{Access, Api, Auth, Endpoint, Result};

use super::reply::{Found, Reply};
use super::{Asked, Wrap, describe, job_batch, reply, unique};
use crate::document::Document;

/// What was accepted.
const ACCEPTED: u16 = 202;

/// One such route, as its handler sees it.
pub(super) struct Route {
    pub(super) jobs: Arc<Jobs>,
    /// The types that it starts (one) or shows (none: all).
    pub(super) kinds: Vec<String>,
    pub(super) scope: String,
    naming: Naming,
    reply: Reply,
    /// Where a job that it starts is shown, with `{}` for its id.
    pub(super) shown_at: String,
}

/// The declared endpoints of `blueprint` that start jobs or show them, as routes.
pub fn declared_jobs(jobs: &Arc<Jobs>, blueprint: &Blueprint) -> Api {
    let mut ids = HashSet::new();
    blueprint.endpoints.iter().filter(|endpoint| !endpoint.public).fold(Api::new(), |api, endpoint| {
        let route = || {
            Arc::new(Route {
                jobs: Arc::clone(jobs),
                kinds: endpoint.jobs.clone(),
                scope: endpoint.scope.clone(),
                naming: blueprint.style.naming,
                reply: reply(blueprint, endpoint),
                shown_at: shown_at(blueprint, endpoint),
            })
        };
        match endpoint.operation {
            Operation::Job => {
                let route = route();
                let described = described_start(blueprint, endpoint, &route, &mut ids);
                api.route(described, start, route)
            }
            Operation::JobBatch => {
                let route = route();
                let described = described_batch(blueprint, endpoint, &route, &mut ids);
                api.route(described, job_batch::start_many, route)
            }
            Operation::JobStatus => {
                let route = route();
                let described = described_status(blueprint, endpoint, &route, &mut ids);
                api.route(described, show, route)
            }
            _ => api,
        }
    })
}

/// The endpoint that shows jobs of this type alone, or of any, or the native one.
fn shown_at(blueprint: &Blueprint, endpoint: &model::Endpoint) -> String {
    let started = endpoint.jobs.first();
    let shows = |other: &&model::Endpoint| other.operation == Operation::JobStatus && !other.public;
    let own = blueprint.endpoints.iter().filter(shows).find(|other| started.is_some_and(|kind| other.jobs.contains(kind)));
    let any = || blueprint.endpoints.iter().filter(shows).find(|other| other.jobs.is_empty());
    let Some(found) = own.or_else(any) else { return "/api/v1/jobs/{}".to_owned() };
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    found.full_path(&blueprint.style).split('/').map(blank).collect::<Vec<_>>().join("/")
}

async fn start(State(route): State<Arc<Route>>, Auth(caller): Auth, asked: Asked, Document(body): Document) -> Result<Response> {
    let scope = caller.allow_scope(&route.scope)?;
    let kind = route.kinds.first().ok_or_else(|| Error::internal("an endpoint starts no job"))?;
    let started = route.jobs.start_declared(scope, caller.client(), kind, body).await?;
    let (at, now) = (route.shown_at.replacen("{}", &started.job.id.to_string(), 1), started.job.created_at);
    let mut response = route.reply.send(Found::One(route.accepted(started, &at)), &asked, now)?;
    if route.reply.status().is_none() {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    let at = HeaderValue::try_from(at).map_err(|_| Error::internal("a Location that no header can carry"))?;
    response.headers_mut().insert(header::LOCATION, at);
    Ok(response)
}

async fn show(State(route): State<Arc<Route>>, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    let scope = caller.allow_scope(&route.scope)?;
    // What cannot name a job names none.
    let id: JobId = asked.name(0).parse().map_err(|_| Error::not_found("job"))?;
    let kinds = Some(route.kinds.clone()).filter(|kinds| !kinds.is_empty());
    let job = route.jobs.find(scope, id, kinds).await?;
    let now = job.completed_at.or(job.started_at).unwrap_or(job.created_at);
    route.reply.send(Found::One(route.status(&job)), &asked, now)
}

impl Route {
    /// The product's envelope.
    pub(super) fn wrap(&self) -> Wrap {
        self.reply.wrap
    }

    /// What is told of a job that was started.
    pub(super) fn accepted(&self, started: Started, at: &str) -> Value {
        let Started { job, record } = started;
        let mut told = vec![
            ("jobId", json!(job.id)),
            ("type", json!(job.kind)),
            ("status", json!(job.status)),
            ("statusUrl", json!(at)),
            ("createdAt", json!(job.created_at)),
        ];
        told.extend(job.webhook_id.map(|id| ("webhookId", json!(id))));
        told.extend(job.webhook_secret.map(|secret| ("webhookSecret", json!(secret))));
        let mut told = self.spelled(told);
        told.extend(record.map(|(member, id)| (member, Value::from(id))));
        Value::Object(told)
    }

    fn status(&self, job: &Job) -> Value {
        Value::Object(self.spelled(vec![
            ("jobId", json!(job.id)),
            ("type", json!(job.kind)),
            ("status", json!(job.status)),
            ("progress", json!(job.progress)),
            ("message", json!(job.message)),
            ("result", json!(job.result)),
            ("error", json!(job.error)),
            ("attempts", json!(job.attempts)),
            ("createdAt", json!(job.created_at)),
            ("startedAt", json!(job.started_at)),
            ("completedAt", json!(job.completed_at)),
        ]))
    }

    fn spelled(&self, members: Vec<(&str, Value)>) -> Map<String, Value> {
        members.into_iter().map(|(name, value)| (spelled(self.naming, name), value)).collect()
    }
}

/// A member's name as the product spells names.
fn spelled(naming: Naming, name: &str) -> String {
    if naming == Naming::Camel {
        return name.to_owned();
    }
    name.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        out
    })
}

fn access(endpoint: &model::Endpoint) -> Access {
    if endpoint.scope.is_empty() { Access::AnyCredential } else { Access::Scope(endpoint.scope.clone()) }
}

fn described_start(blueprint: &Blueprint, endpoint: &model::Endpoint, route: &Route, ids: &mut HashSet<String>) -> Endpoint {
    let name = endpoint.jobs.first().map_or("job", String::as_str);
    let id = unique(format!("{name}.start"), ids);
    let plain = schema(route.naming, false, None);
    let described = describe::begin(blueprint, endpoint, access(endpoint), &endpoint.scope, id).tag("Jobs");
    let described = described.body_schema(body(blueprint.job(name), route.naming));
    describe::answering(described, &route.reply, ACCEPTED, &plain, route.reply.wrap.one_schema(plain.clone()))
}

fn described_batch(blueprint: &Blueprint, endpoint: &model::Endpoint, route: &Route, ids: &mut HashSet<String>) -> Endpoint {
    let name = endpoint.jobs.first().map_or("job", String::as_str);
    let id = unique(format!("{name}.start_many"), ids);
    let described = describe::begin(blueprint, endpoint, access(endpoint), &endpoint.scope, id).tag("Jobs");
    let input = body(blueprint.job(name), route.naming);
    let answer = job_batch::answer(&schema(route.naming, false, None));
    described.body_limit(crate::bulk::BATCH_BODY).body_schema(job_batch::body(&input)).answers_schema(200, answer)
}

fn described_status(blueprint: &Blueprint, endpoint: &model::Endpoint, route: &Route, ids: &mut HashSet<String>) -> Endpoint {
    let (name, result) = match endpoint.jobs.as_slice() {
        [one] => (one.clone(), blueprint.job(one).and_then(|kind| kind.result.clone())),
        _ => ("job".to_owned(), None),
    };
    let id = unique(format!("{name}.status"), ids);
    let plain = schema(route.naming, true, result);
    let described = describe::begin(blueprint, endpoint, access(endpoint), &endpoint.scope, id).tag("Jobs");
    describe::answering(described, &route.reply, 200, &plain, route.reply.wrap.one_schema(plain.clone()))
}

/// The job's input, and where its end is told.
fn body(kind: Option<&JobType>, naming: Naming) -> Value {
    let mut schema = kind.map_or_else(|| json!({"type": "object"}), |kind| kind.input.clone());
    let members = schema.as_object_mut().map(|schema| schema.entry("properties").or_insert_with(|| json!({})));
    if let Some(members) = members.and_then(Value::as_object_mut) {
        let url = json!({"type": "string", "format": "uri", "description": "Where the end of this job is told, signed like any webhook"});
        let secret =
            json!({"type": "string", "description": "Signs there: whsec_…; by default one is made, and is in the first answer only"});
        members.entry(spelled(naming, "webhookUrl")).or_insert(url);
        members.entry(spelled(naming, "webhookSecret")).or_insert(secret);
    }
    schema
}

fn schema(naming: Naming, shown: bool, result: Option<Value>) -> Value {
    let (text, time) = (json!({"type": "string"}), json!({"type": "string", "format": "date-time"}));
    let maybe_time = json!({"type": ["string", "null"], "format": "date-time"});
    let status = json!({"type": "string", "enum": ["pending", "processing", "completed", "failed", "cancelled"]});
    let mut members = vec![("jobId", text.clone()), ("type", text.clone()), ("status", status)];
    if shown {
        let result = result.map_or_else(|| json!({}), |result| json!({"anyOf": [{"type": "null"}, result]}));
        let error = json!({"type": ["object", "null"], "properties": {"code": text.clone(), "message": text}});
        members.extend([
            ("progress", json!({"type": "integer", "minimum": 0, "maximum": 100})),
            ("message", json!({"type": ["string", "null"]})),
            ("result", result),
            ("error", error),
            ("attempts", json!({"type": "integer"})),
            ("createdAt", time),
            ("startedAt", maybe_time.clone()),
            ("completedAt", maybe_time),
        ]);
    } else {
        members.extend([("statusUrl", text), ("createdAt", time)]);
    }
    let required: Vec<String> = members.iter().map(|(name, _)| spelled(naming, name)).collect();
    let properties: Map<String, Value> = members.into_iter().map(|(name, schema)| (spelled(naming, name), schema)).collect();
    json!({"type": "object", "required": required, "properties": properties})
}
