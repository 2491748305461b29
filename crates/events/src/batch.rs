//! `events.publish_batch`: many events in one transaction, each checked alone.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, TenantScope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::accept::{self, Item};
use crate::features::Features;
use crate::{Events, Publish, Published};

/// Most events in a batch.
const MAX_EVENTS: usize = 1000;

/// Many events.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishBatch {
    /// 1 to 1000 events. `tenantId` must be the same in all that name one.
    #[schema(value_type = Vec<Publish>)]
    pub events: Vec<Box<RawValue>>,
}

/// What became of them, in order.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BatchAnswer {
    /// One entry an event.
    pub data: Vec<BatchEntry>,
}

/// What became of one event.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum BatchEntry {
    /// It was accepted.
    Published(Published),
    /// It was refused; the others are not concerned.
    Refused {
        /// A problem (RFC 9457), its pointers beginning at the whole request: `/events/3/data/leadId`.
        #[schema(value_type = Object)]
        error: Value,
    },
}

impl BatchEntry {
    fn refused(error: &Error) -> Self {
        Self::Refused { error: web::problem_value(error, None) }
    }
}

impl Events {
    /// Accepts those events of a batch that are good, all in one transaction; answers for each, in order, after the commit.
    ///
    /// Errors: 422 for a batch that is empty or has more than 1000 events; 403 `insufficient_scope`; 404 for another's tenant.
    pub async fn publish_batch(&self, caller: &Caller, input: PublishBatch) -> Result<BatchAnswer> {
        if input.events.is_empty() || input.events.len() > MAX_EVENTS {
            return Err(Error::field("/events", format!("must have 1 to {MAX_EVENTS} items, has {}", input.events.len())));
        }
        let inputs: Vec<Result<Publish>> = input.events.iter().enumerate().map(|(n, raw)| self.read(raw, n)).collect();
        // The request's own tenant, or the one that the events name; each is then held against it.
        let named = inputs.iter().find_map(|input| input.as_ref().ok()?.tenant_id).filter(|_| caller.tenant().is_none());
        let scope = self.acting_for(caller, named).await?.allow(Permission::EventsPublish)?;
        let must_name = caller.tenant().is_none();
        let types = inputs.iter().filter_map(|input| input.as_ref().ok()).map(|input| &input.event_type);
        let features = self.features_for(scope.tenant(), types).await?;
        let checked = inputs.into_iter().enumerate().map(|(n, input)| self.one(&scope, must_name, &features, input?, n)).collect();
        let intake = Arc::clone(&self.intake);
        self.store.answer(scope, move |tx| accept_good(tx, &intake, checked)).await
    }

    fn read(&self, raw: &RawValue, n: usize) -> Result<Publish> {
        let mut input = read(raw, n)?;
        self.catalogue.rename(&mut input.event_type);
        Ok(input)
    }

    fn one(&self, scope: &TenantScope, must_name: bool, features: &Features, input: Publish, n: usize) -> Result<Item> {
        let fits = input.tenant_id.map_or(!must_name, |tenant| tenant == scope.tenant());
        if !fits {
            let detail = "must be the same in every event of a batch, or be named once, by Tradewind-Tenant";
            return Err(Error::field(format!("/events/{n}/tenantId"), detail));
        }
        self.checked(scope.tenant(), input, features, &format!("/events/{n}"))
    }
}

fn accept_good(tx: &mut store::Tx<'_>, intake: &crate::Intake, checked: Vec<Result<Item>>) -> Result<BatchAnswer> {
    let good: Vec<Item> = checked.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
    let mut answers = accept::group(tx, intake, &good)?.into_iter();
    let entry = |item: Result<Item>| {
        let answer = item.and_then(|_| answers.next().unwrap_or_else(|| Err(Error::internal("an event has no answer"))));
        answer.map_or_else(|error| BatchEntry::refused(&error), BatchEntry::Published)
    };
    Ok(BatchAnswer { data: checked.into_iter().map(entry).collect() })
}

/// One event of a batch. What is wrong with it is said as the request's own reader would, with a pointer from the top.
fn read(raw: &RawValue, n: usize) -> Result<Publish> {
    let mut parser = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let mut pointer = format!("/events/{n}");
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                serde_path_to_error::Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
                _ => {}
            }
        }
        let text = error.into_inner().to_string();
        // serde_json ends its texts with a position, which the pointer makes superfluous.
        let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
        Error::field(pointer, detail)
    })
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<PublishBatch>,
) -> web::Result<web::Accepted<BatchAnswer>> {
    Ok(web::Accepted(events.publish_batch(&caller, input).await?))
}
