//! `webhooks.recover`, `webhooks.replay_missing`, `deliveries.retry_all`: beginning a run, or only counting what it would do.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use dispatch::deliveries::{self, Status};
use events::Stretch;
use http::StatusCode;
use kernel::{Caller, DestinationId, Error, Permission, Result, TenantScope, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Access, Api, Endpoint};

use super::missing::look;
use super::{Kind, Progress, Replay, ReplayQuery, sql};
use crate::index::Listener;
use crate::{WebhookPath, Webhooks, subscriptions};

/// Counting goes no further.
const COUNT: u32 = 100_000;
/// Events looked at for counting: in one read, and in all.
const EVENTS: (u32, u32) = (1000, 20_000);
/// Most runs of a tenant at once.
const MAX_RUNNING: u64 = 20;

/// What is to be queued again for a webhook.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recover {
    /// Deliveries made at this time or later.
    pub since: Timestamp,
    /// Made before this time; by default now.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which events are to be looked through for what a webhook never had.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Missing {
    /// Accepted at this time or later.
    pub from: Timestamp,
    /// Accepted before this time; by default now.
    #[serde(default)]
    pub to: Option<Timestamp>,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

/// A run that began, or what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Started {
    /// It began.
    Run(Box<Replay>),
    /// It was only counted.
    #[serde(rename_all = "camelCase")]
    Counted {
        /// Always true.
        dry_run: bool,
        /// How many deliveries it would queue.
        total: u64,
        /// Whether these are all; false: there are at least so many.
        total_is_exact: bool,
    },
}

impl Webhooks {
    /// Queues again what a webhook lost since some time. Errors: 404, 409 `webhook_disabled`, 409 `too_many_replays`, 422.
    pub async fn recover(&self, caller: &Caller, path: WebhookPath, input: Recover) -> Result<Started> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let now = self.ambient.now();
        let until = input.until.unwrap_or(now).min(now);
        in_order(input.since, until, "/until")?;
        let row = self.open(&scope, path).await?;
        let query = ReplayQuery { webhook_id: Some(row.id), from: Some(input.since), to: Some(until), ..ReplayQuery::default() };
        self.begin(scope, Kind::Recover, query, input.dry_run).await
    }

    /// Makes deliveries for events that match a webhook but never had one. Errors: as for [`Webhooks::recover`].
    pub async fn replay_missing(&self, caller: &Caller, path: WebhookPath, input: Missing) -> Result<Started> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let now = self.ambient.now();
        let to = input.to.unwrap_or(now).min(now);
        in_order(input.from, to, "/to")?;
        let row = self.open(&scope, path).await?;
        let query = ReplayQuery { webhook_id: Some(row.id), from: Some(input.from), to: Some(to), ..ReplayQuery::default() };
        self.begin(scope, Kind::Missing, query, input.dry_run).await
    }

    /// Queues again what was lost and matches. Errors: 404 for another's webhook or client, 409 `too_many_replays`, 422.
    pub async fn retry_all(&self, caller: &Caller, input: ReplayQuery) -> Result<Started> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let now = self.ambient.now();
        let to = input.to.unwrap_or(now).min(now);
        if let Some(from) = input.from {
            in_order(from, to, "/to")?;
        }
        if input.status.is_some_and(|status| !matches!(status, Status::Failed | Status::Skipped)) {
            return Err(Error::field("/status", "must be failed or skipped"));
        }
        if input.reason.as_deref() == Some("delivered") {
            return Err(Error::field("/reason", "must be a reason of what was not delivered"));
        }
        let status = input.status.or(if input.reason.is_some() { None } else { Some(Status::Failed) });
        let only_count = input.dry_run;
        let query = ReplayQuery { status, to: Some(to), dry_run: false, ..input };
        self.check_names(&scope, &query).await?;
        self.begin(scope, Kind::Retry, query, only_count).await
    }

    async fn check_names(&self, scope: &TenantScope, query: &ReplayQuery) -> Result<()> {
        let (tenant, webhook, client) = (scope.tenant(), query.webhook_id, query.client_id);
        self.store
            .read(scope.clone(), move |tx| {
                if let Some(id) = webhook {
                    WebhookPath::from(id).find(tx, tenant)?;
                }
                if let Some(id) = client {
                    access::clients::resolve(tx, tenant, &kernel::IdRef::Id(id))?;
                }
                Ok(())
            })
            .await
    }

    /// The webhook, if it takes deliveries.
    async fn open(&self, scope: &TenantScope, path: WebhookPath) -> Result<subscriptions::Row> {
        let tenant = scope.tenant();
        let found = self.store.read(scope.clone(), move |tx| {
            let row = path.find(tx, tenant)?;
            let state = dispatch::destinations::get(tx, tenant, row.id)?.state;
            Ok((row, state))
        });
        let (row, state) = found.await?;
        if state == dispatch::State::Disabled {
            return Err(Error::conflict("webhook_disabled", "This webhook is disabled. Enable it first."));
        }
        Ok(row)
    }

    async fn begin(&self, scope: TenantScope, kind: Kind, query: ReplayQuery, dry_run: bool) -> Result<Started> {
        let (total, total_is_exact) = match kind {
            Kind::Missing => self.count_missing(&scope, &query).await?,
            Kind::Recover | Kind::Retry => {
                let (tenant, filter) = (scope.tenant(), query.filter());
                let total = self.store.read(scope.clone(), move |tx| deliveries::count_finished(tx, tenant, &filter, COUNT)).await?;
                (total, total < u64::from(COUNT))
            }
        };
        if dry_run {
            return Ok(Started::Counted { dry_run, total, total_is_exact });
        }
        let (tenant, run_now) = (scope.tenant(), Arc::clone(&self.run_now));
        self.store
            .answer(scope, move |tx| {
                if sql::running(tx, tenant)? >= MAX_RUNNING {
                    let detail = format!("A tenant has at most {MAX_RUNNING} runs at once. Wait for one, or cancel one.");
                    return Err(Error::conflict("too_many_replays", detail));
                }
                let now = tx.now();
                let run = Replay {
                    id: tx.ambient().id(),
                    kind,
                    query,
                    status: Progress::Running,
                    total,
                    total_is_exact,
                    done: 0,
                    passed_over: 0,
                    error: None,
                    created_at: now,
                    updated_at: now,
                    finished_at: None,
                };
                sql::insert(tx, tenant, &run)?;
                tx.audit("replay.create", run.id)?;
                tx.after_commit(move || run_now.notify_one());
                Ok(Started::Run(Box::new(run)))
            })
            .await
    }

    async fn count_missing(&self, scope: &TenantScope, query: &ReplayQuery) -> Result<(u64, bool)> {
        let (tenant, webhook) = (scope.tenant(), query.webhook_id);
        let (from, to) = (query.from.unwrap_or_default(), query.to.unwrap_or_default());
        let (mut after, mut total, mut looked) = (None, 0, 0);
        loop {
            let place = after.take();
            let found = self.store.read(scope.clone(), move |tx| {
                let row = webhook.map(|id| WebhookPath::from(id).find(tx, tenant)).transpose()?;
                let listener = Listener::of(&row.ok_or_else(|| Error::not_found("webhook"))?)?;
                look(tx, tenant, &listener, &Stretch { from, to, after: place, limit: EVENTS.0 })
            });
            let found = found.await?;
            total += found.missing.len() as u64;
            looked += EVENTS.0;
            match found.next {
                None => return Ok((total, true)),
                Some(_) if looked >= EVENTS.1 => return Ok((total, false)),
                next => after = next,
            }
        }
    }
}

fn in_order(from: Timestamp, to: Timestamp, pointer: &str) -> Result<()> {
    if from < to { Ok(()) } else { Err(Error::field(pointer, "must be later than the beginning, which must be in the past")) }
}

fn answer(started: Started) -> Response {
    match &started {
        Started::Run(_) => web::Accepted(started).into_response(),
        Started::Counted { .. } => (StatusCode::OK, web::Json(started)).into_response(),
    }
}

pub(super) fn routes(webhooks: &Arc<Webhooks>) -> Api {
    let on = || Arc::clone(webhooks);
    let begin = |path: &str, id: &str| {
        let endpoint = Endpoint::post(path, id).tag("Replays").needs(Access::Permission(Permission::WebhooksWrite));
        endpoint.answers::<Started>(202)
    };
    let again = "Queue again what a webhook lost since some time";
    let never = "Deliver events that match a webhook but never had a delivery for it";
    Api::new()
        .route(
            begin("/api/v1/api-clients/{id}/webhooks/{webhookId}/recover", "clients.webhooks.recover").summary(again).body::<Recover>(),
            recover_nested,
            on(),
        )
        .route(begin("/api/v1/webhooks/{webhookId}/recover", "webhooks.recover").summary(again).body::<Recover>(), recover_flat, on())
        .route(
            begin("/api/v1/api-clients/{id}/webhooks/{webhookId}/replay-missing", "clients.webhooks.replay_missing")
                .summary(never)
                .body::<Missing>(),
            missing_nested,
            on(),
        )
        .route(
            begin("/api/v1/webhooks/{webhookId}/replay-missing", "webhooks.replay_missing").summary(never).body::<Missing>(),
            missing_flat,
            on(),
        )
        .route(
            begin("/api/v1/deliveries/retry", "deliveries.retry_all")
                .summary("Queue again what was lost and matches")
                .body::<ReplayQuery>(),
            retry,
            on(),
        )
}

async fn recover_nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    web::Json(input): web::Json<Recover>,
) -> web::Result<Response> {
    Ok(answer(webhooks.recover(&caller, WebhookPath::nested(&client, id)?, input).await?))
}

async fn recover_flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    web::Json(input): web::Json<Recover>,
) -> web::Result<Response> {
    Ok(answer(webhooks.recover(&caller, id.into(), input).await?))
}

async fn missing_nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    web::Json(input): web::Json<Missing>,
) -> web::Result<Response> {
    Ok(answer(webhooks.replay_missing(&caller, WebhookPath::nested(&client, id)?, input).await?))
}

async fn missing_flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    web::Json(input): web::Json<Missing>,
) -> web::Result<Response> {
    Ok(answer(webhooks.replay_missing(&caller, id.into(), input).await?))
}

async fn retry(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<ReplayQuery>,
) -> web::Result<Response> {
    Ok(answer(webhooks.retry_all(&caller, input).await?))
}
