//! `quarantined_events.release`: a publication that was kept apart becomes an event, under its id, and is delivered as any other.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, EventId, Permission, Result, TenantId};
use serde::Deserialize;

use super::{QuarantinedEventView, sql};
use crate::accept::{self, Item};
use crate::catalogue::Question;
use crate::features::Features;
use crate::{Events, Published};

/// How a publication is released.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Release {
    /// Accept it although it still breaks the schema; the event then shows in what ways. Default: false.
    pub force: bool,
}

impl Events {
    /// Accepts a publication that was kept apart. It is checked against the schema as that is now; the event is accepted now and happened
    /// when it did. If an event of this id was accepted meanwhile, nothing is added and its answer is given.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 422 `validation_failed` while it breaks the schema and is not forced, `unknown_event_type` and
    /// `unknown_schema_version` when the blueprint does not declare them any more, `unknown_client`.
    pub async fn release_quarantined(&self, caller: &Caller, id: EventId, how: Release) -> Result<Published> {
        let scope = caller.allow(Permission::EventsPublish)?;
        let tenant = scope.tenant();
        let wanted = id.clone();
        let held = self.store.read(scope.clone(), move |tx| sql::find(tx, tenant, &wanted)).await?;
        let held = held.ok_or_else(|| Error::not_found("quarantined event"))?;
        let features = self.features_for(tenant, std::iter::once(&held.event_type)).await?;
        let held_at = held.held_at;
        let item = self.judged_again(tenant, held, &features, how)?;
        let intake = Arc::clone(&self.intake);
        self.store
            .answer(scope, move |tx| {
                // Somebody else may have released or discarded it since it was read, and another may wait under its id.
                if !sql::remove(tx, tenant, &id, Some(held_at))? {
                    return Err(Error::not_found("quarantined event"));
                }
                tx.audit("quarantined_event.release", &id)?;
                let answer = accept::group(tx, &intake, &[item])?.pop();
                answer.unwrap_or_else(|| Err(Error::internal("an event has no answer")))
            })
            .await
    }

    pub(super) fn judged_again(&self, tenant: TenantId, held: QuarantinedEventView, features: &Features, how: Release) -> Result<Item> {
        let question = Question { event_type: &held.event_type, version: held.schema_version, data: &held.data, at: "" };
        let mut verdict = self.catalogue.judge(question, features)?;
        if !verdict.faults.is_empty() && !how.force {
            let detail = "The event still breaks the schema of its type; see errors. Send {\"force\": true} to accept it all the same.";
            return Err(Error::invalid("validation_failed", detail).with_fields(verdict.faults));
        }
        verdict.hold = false;
        let event = held.into_event(tenant, self.ambient.now());
        Ok(Item::new(event, &self.ambient).judged(verdict, ""))
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
    how: Option<web::Json<Release>>,
) -> web::Result<web::Accepted<Published>> {
    let how = how.map_or_else(Release::default, |web::Json(how)| how);
    Ok(web::Accepted(events.release_quarantined(&caller, id, how).await?))
}
