//! How a webhook, or all of a tenant's, fared: attempts, success, latency, by hour. From `dispatch`'s roll-ups; no log is read.

mod get;
mod view;

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::Webhooks;

pub use get::StatsQuery;
pub use view::{AcceptedSignature, Hour, Latency, Stats};

pub(crate) fn routes(webhooks: &Arc<Webhooks>) -> Api {
    let endpoint = |path: &str, id: &str| {
        Endpoint::get(path, id)
            .tag("Deliveries")
            .needs(Access::Permission(Permission::WebhooksRead))
            .query(&[
                ("from", "From the hour of this time; by default a day before `to`"),
                ("to", "Until the end of this time's hour; by default now. At most 31 days after `from`"),
            ])
            .answers::<Stats>(200)
    };
    let of_one = "Success rate and latency of a webhook, by hour";
    Api::new()
        .route(
            endpoint("/api/v1/api-clients/{id}/webhooks/{webhookId}/stats", "clients.webhooks.stats").summary(of_one),
            get::nested,
            Arc::clone(webhooks),
        )
        .route(endpoint("/api/v1/webhooks/{webhookId}/stats", "webhooks.stats").summary(of_one), get::flat, Arc::clone(webhooks))
        .route(
            endpoint("/api/v1/deliveries/stats", "deliveries.stats").summary("Success rate and latency of all webhooks, by hour"),
            get::all,
            Arc::clone(webhooks),
        )
}
