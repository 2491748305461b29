//! Repairing many deliveries: durable runs that go on in bounded steps.
//!
//! * `recover`: what a webhook lost since some time is queued again.
//! * `missing`: events that match a webhook but never had a delivery for it (made before it existed, or while it was disabled) get one.
//! * `retry`: what was lost and matches a filter is queued again.
//!
//! A step is one transaction: it takes the run if nobody else did, does a bounded piece of work, notes how far it came. So a run survives
//! restarts, two nodes share the work, and nothing is done twice: a pair of event and webhook has at most one delivery, whatever runs meet.
//! A run adds to a destination only while little waits there, so that what is published meanwhile is not held up.

mod cancel;
mod create;
mod get;
mod list;
pub(crate) mod missing;
mod replay_event;
mod runner;
mod sql;
mod step;

use std::sync::Arc;

use dispatch::deliveries::{DeliveryFilter, Status};
use kernel::{ClientId, DestinationId, Permission, ReplayId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Access, Api, Endpoint};

use crate::Webhooks;

pub use create::{Missing, Recover, Started};
pub use replay_event::{ReplayEvent, Replayed};
pub(crate) use runner::start;
pub use sql::delete_old;
pub(crate) use sql::purge;

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What a webhook lost is queued again.
    Recover,
    /// What never had a delivery gets one.
    Missing,
    /// What matches a filter is queued again.
    Retry,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ReplayProgress)]
pub enum Progress {
    /// It goes on by itself.
    Running,
    /// It has come to its end.
    Done,
    /// It was stopped; what it had queued stays queued.
    Cancelled,
    /// It cannot go on; `error` says why.
    Failed,
}

/// What a run is about, and what begins one that queues again what was lost. What is null or absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplayQuery {
    /// For this webhook.
    pub webhook_id: Option<DestinationId>,
    /// For this client's webhooks.
    pub client_id: Option<ClientId>,
    /// `failed` (for a new run the default) or `skipped`.
    pub status: Option<Status>,
    /// Why they ended.
    pub reason: Option<String>,
    /// Of this type of event.
    pub event_type: Option<String>,
    /// With this last status of the receiver.
    pub code: Option<u16>,
    /// Made (a run for what is missing: the event accepted) at this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Only count. No run has it: only what begins one.
    #[serde(skip_serializing)]
    #[schema(write_only)]
    pub dry_run: bool,
}

impl ReplayQuery {
    /// The finished deliveries that it means.
    pub(crate) fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            status: self.status,
            lost: true,
            reason: self.reason.clone(),
            event_type: self.event_type.clone(),
            destination: self.webhook_id,
            client: self.client_id,
            from: self.from,
            to: self.to,
            code: self.code,
            ..DeliveryFilter::default()
        }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Its id.
    pub id: ReplayId,
    /// What it does.
    pub kind: Kind,
    /// What it is about.
    pub query: ReplayQuery,
    /// How far it is.
    pub status: Progress,
    /// How many deliveries it found to do when it began.
    pub total: u64,
    /// Whether `total` is all of them; false: there are at least so many.
    pub total_is_exact: bool,
    /// Deliveries that it has queued.
    pub done: u64,
    /// Those that it passed over: pending again already, or their webhook takes nothing.
    pub passed_over: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

const RUN: &str = "/api/v1/replays/{id}";

pub(crate) fn routes(webhooks: &Arc<Webhooks>) -> Api {
    let reading = |endpoint: Endpoint| endpoint.tag("Replays").needs(Access::Permission(Permission::WebhooksRead));
    let writing = |endpoint: Endpoint| endpoint.tag("Replays").needs(Access::Permission(Permission::WebhooksWrite));
    let on = || Arc::clone(webhooks);
    create::routes(webhooks)
        .route(
            reading(Endpoint::get("/api/v1/replays", "replays.list"))
                .summary("List runs, the newest first")
                .paged()
                .answers_page::<Replay>(),
            list::handle,
            on(),
        )
        .route(reading(Endpoint::get(RUN, "replays.get")).summary("Get a run and how far it is").answers::<Replay>(200), get::handle, on())
        .route(
            writing(Endpoint::post(format!("{RUN}/cancel"), "replays.cancel"))
                .summary("Stop a run; what it has queued stays queued")
                .answers::<Replay>(200),
            cancel::handle,
            on(),
        )
        .route(
            writing(Endpoint::post("/api/v1/events/{id}/replay", "events.replay"))
                .summary("Deliver an event again: to the webhooks that match it and had it, or to the one that is named")
                .body::<ReplayEvent>()
                .answers::<Replayed>(202),
            replay_event::handle,
            on(),
        )
}
