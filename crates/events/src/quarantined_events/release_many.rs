//! `quarantined_events.release_many`: after a schema was mended, everything that waited for that, in steps. What waits is bounded, so one request does
//! it; a repetition finds what is left.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, EventId, EventType, Permission, Result, TenantScope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{QuarantinedEventView, Release, sql};
use crate::Events;
use crate::accept;

/// Publications in one transaction.
const STEP: u32 = 100;

/// Which publications are released, and how. What is absent does not matter.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReleaseMany {
    /// Only of this type.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    pub event_type: Option<EventType>,
    /// Only those that wait since this time or later.
    pub from: Option<Timestamp>,
    /// Only those that wait since before this time.
    pub to: Option<Timestamp>,
    /// Accept them although they still break their schema. Default: false, and those go on waiting.
    pub force: bool,
    /// Only count them.
    pub dry_run: bool,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedMany {
    /// Publications that were looked at.
    pub matched: u64,
    /// Those that are events now, or would be after a dry run.
    pub released: u64,
    /// Those that still break their schema, or name a type, version or client that there is no more. They go on waiting.
    pub kept: u64,
}

impl Events {
    /// Accepts publications that were kept apart, the oldest first; each as [`Events::release_quarantined`] does.
    ///
    /// Errors: 403 `insufficient_scope`.
    pub async fn release_many_quarantined(&self, caller: &Caller, input: ReleaseMany) -> Result<ReleasedMany> {
        let scope = caller.allow(Permission::EventsPublish)?;
        let (tenant, mut sum) = (scope.tenant(), ReleasedMany::default());
        let mut after: Option<(Timestamp, EventId)> = None;
        loop {
            let (asked, from) = (input.clone(), after.clone());
            let find = move |tx: &mut store::Tx<'_>| sql::oldest(tx, tenant, &asked, from.as_ref(), STEP);
            let page = self.store.read(scope.clone(), find).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.held_at, last.id.clone()));
            sum.matched += page.len() as u64;
            sum.released += self.release_step(&scope, page, &input).await?;
        }
        sum.kept = sum.matched - sum.released;
        self.store
            .answer(scope, move |tx| {
                if !input.dry_run {
                    tx.audit_with("quarantined_event.release_many", tenant, &json!({"released": sum.released, "force": input.force}))?;
                }
                Ok(sum)
            })
            .await
    }

    /// Accepts those of a page that can be; answers how many.
    async fn release_step(&self, scope: &TenantScope, page: Vec<QuarantinedEventView>, input: &ReleaseMany) -> Result<u64> {
        let tenant = scope.tenant();
        let features = self.features_for(tenant, page.iter().map(|held| &held.event_type)).await?;
        let how = Release { force: input.force };
        let judged = page.into_iter().filter_map(|held| {
            let (id, held_at) = (held.id.clone(), held.held_at);
            Some((id, held_at, self.judged_again(tenant, held, &features, how).ok()?))
        });
        let judged: Vec<_> = judged.collect();
        if input.dry_run || judged.is_empty() {
            return Ok(judged.len() as u64);
        }
        let intake = Arc::clone(&self.intake);
        // A page is a transaction of its own, and needs no idempotency slot: what is released is not there a second time.
        let write = move |tx: &mut store::Tx<'_>| {
            let mut ready = Vec::with_capacity(judged.len());
            for (id, held_at, item) in judged {
                // Somebody else may have released or discarded it since it was read.
                if accept::knows_client(tx, &intake, &item)? && sql::remove(tx, tenant, &id, Some(held_at))? {
                    ready.push(item);
                }
            }
            accept::group(tx, &intake, &ready).map(|answers| answers.len() as u64)
        };
        self.store.write(TenantScope::system("events", tenant), write).await
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    input: Option<web::Json<ReleaseMany>>,
) -> web::Result<web::Json<ReleasedMany>> {
    let input = input.map_or_else(ReleaseMany::default, |web::Json(input)| input);
    Ok(web::Json(events.release_many_quarantined(&caller, input).await?))
}
