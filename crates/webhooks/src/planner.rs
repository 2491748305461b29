//! Planning: from a group of events to their deliveries.

use std::sync::Arc;

use dispatch::NewDelivery;
use events::{Planned, Planner};
use kernel::{Event, Result};
use store::Tx;

use crate::Webhooks;

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
            items.extend(matches.wanted.into_iter().map(|destination| NewDelivery { event: Arc::clone(event), destination }));
            planned.push(Planned { deliveries, filtered: matches.filtered });
        }
        self.dispatch.enqueue(tx, &items)?;
        Ok(planned)
    }
}
