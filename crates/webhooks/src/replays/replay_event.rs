//! `events.replay`: one event again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::State;
use dispatch::deliveries::{self, Delivery, DeliveryFilter};
use dispatch::{NewDelivery, destinations};
use kernel::{Caller, DestinationId, Error, Event, EventId, PageRequest, Permission, Result, TenantId};
use serde::{Deserialize, Serialize};
use store::Tx;

use crate::{WebhookPath, Webhooks};

/// Most deliveries of one event that are looked at: more than a tenant has webhooks.
const MOST: u32 = 100_000;

/// To whom an event is delivered again.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplayEvent {
    /// To this webhook, whatever it listens to; by default to those that match the event now or had it before.
    pub webhook_id: Option<DestinationId>,
}

/// What was queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The event; its `webhook-id` is the same again.
    pub id: EventId,
    /// To how many webhooks it goes. One for which it is pending already is not counted.
    pub deliveries: u64,
}

impl Webhooks {
    /// Delivers an event again, at once and with the whole retry schedule. Errors: 404 for the event or the webhook, 409 `webhook_disabled`.
    pub async fn replay_event(self: &Arc<Self>, caller: &Caller, id: EventId, input: ReplayEvent) -> Result<Replayed> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let (tenant, webhooks) = (scope.tenant(), Arc::clone(self));
        self.store
            .answer(scope, move |tx| {
                let event = kept(tx, tenant, &id)?;
                let targets = match input.webhook_id {
                    Some(webhook) => {
                        WebhookPath::from(webhook).find(tx, tenant)?;
                        if destinations::get(tx, tenant, webhook)?.state == dispatch::State::Disabled {
                            return Err(Error::conflict("webhook_disabled", "This webhook is disabled. Enable it first."));
                        }
                        Some(webhook)
                    }
                    None => None,
                };
                let deliveries = webhooks.deliver_again(tx, tenant, &event, targets)?;
                if targets.is_none() {
                    // Readers of the log get it again as well.
                    events::announce_again(tx, tenant, &id, event.created_at)?;
                }
                tx.audit("event.replay", &id)?;
                Ok(Replayed { id, deliveries })
            })
            .await
    }

    fn deliver_again(&self, tx: &mut Tx<'_>, tenant: TenantId, event: &Arc<Event>, only: Option<DestinationId>) -> Result<u64> {
        let filter = DeliveryFilter { event: Some(event.id.clone()), destination: only, ..DeliveryFilter::default() };
        let had = deliveries::list(tx, tenant, &filter, &PageRequest { limit: MOST, ..PageRequest::default() })?.data;
        let had: HashMap<DestinationId, Delivery> = had.into_iter().map(|delivery| (delivery.webhook_id, delivery)).collect();
        let index = self.index.of(tenant);
        let mut targets: BTreeSet<DestinationId> = had.keys().copied().collect();
        match only {
            Some(webhook) => targets.extend([webhook]),
            None => targets.extend(index.iter().flat_map(|index| index.matches(event).wanted).map(|wanted| wanted.id)),
        }
        let (again, never): (Vec<_>, Vec<_>) = targets.into_iter().partition(|target| had.contains_key(target));
        let again: Vec<Delivery> = again.iter().filter_map(|target| had.get(target).cloned()).collect();
        let listener = |id| index.as_ref().and_then(|index| index.get(id));
        let delivery = |id| listener(id).map_or_else(|| NewDelivery::new(Arc::clone(event), id), |one| one.delivery(Arc::clone(event)));
        let never: Vec<NewDelivery> = never.into_iter().map(delivery).collect();
        Ok(self.dispatch.requeue(tx, tenant, &again)? + self.dispatch.replay(tx, tenant, &never)?)
    }
}

/// The event, while it is kept. Error: 404.
fn kept(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<Arc<Event>> {
    let missing = || Error::not_found("event");
    let at = events::accepted_at(tx, tenant, id)?.ok_or_else(missing)?;
    events::load(tx, &[(tenant, id.clone(), at)])?.pop().ok_or_else(missing)
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
    input: Option<web::Json<ReplayEvent>>,
) -> web::Result<web::Accepted<Replayed>> {
    let input = input.map(|web::Json(input)| input).unwrap_or_default();
    Ok(web::Accepted(webhooks.replay_event(&caller, id, input).await?))
}
