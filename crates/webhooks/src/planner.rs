//! Planning: from a group of events to their deliveries.

use std::sync::Arc;

use dispatch::NewDelivery;
use dispatch::deliveries::{Delivery, DeliveryFilter};
use events::{Pair, Planned, Planner};
use kernel::{Event, EventId, PageRequest, Result, TenantId};
use store::Tx;

use crate::Webhooks;
use crate::index::Wanted;

impl Planner for Webhooks {
    fn plan(&self, tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        let mut items = Vec::new();
        let mut planned = Vec::with_capacity(events.len());
        for event in events {
            let Some(index) = self.index.of(event.tenant) else {
                planned.push(Planned::default());
                continue;
            };
            let matches = index.matches(event);
            let deliveries = u32::try_from(matches.wanted.len()).unwrap_or(u32::MAX);
            items.extend(matches.wanted.into_iter().map(|Wanted { id, ordering_key }| NewDelivery {
                event: Arc::clone(event),
                destination: id,
                ordering_key,
            }));
            planned.push(Planned { deliveries, filtered: matches.filtered });
        }
        self.dispatch.enqueue(tx, &items)?;
        Ok(planned)
    }

    fn pairs(&self, tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<Vec<Pair>> {
        let filter = DeliveryFilter { event: Some(event.clone()), ..DeliveryFilter::default() };
        let page = PageRequest { limit: events::MAX_PAIRS, ..PageRequest::default() };
        let found = dispatch::deliveries::list(tx, tenant, &filter, &page)?.data;
        let pair = |row: Delivery| {
            let (webhook_id, delivery_id, status) = (row.webhook_id, Some(row.id), row.status.as_str().to_owned());
            Pair { webhook_id, delivery_id, status, reason: row.reason }
        };
        Ok(found.into_iter().map(pair).collect())
    }
}
