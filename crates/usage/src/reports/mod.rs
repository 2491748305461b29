//! What is answered about calls: how many, how they ended, how long they took, by endpoint and by time.

mod get;
mod period;
mod view;

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::Usage;

pub use get::{UsageQuery, Whose};
pub use view::{ByChild, ByEndpoint, ByTime, ErrorCount, StatusClasses, UsageReport};

const PERIOD: &[(&str, &str)] = &[
    ("dateFrom", "From this day, or the hour of this time (RFC 3339); default: 30 days before dateTo"),
    ("dateTo", "Until the end of this day, or of this time's hour; default: now"),
    ("period", "In place of dateFrom: so long before dateTo, such as 24h, 7d, 30d, 90d"),
    ("groupBy", "hour or day; default: hour up to two days, day beyond"),
    ("endpoint", "Only calls of this route template"),
    ("status", "Only calls with this status"),
];

pub(crate) fn routes(usage: &Arc<Usage>) -> Api {
    let of = |path: &str, id: &str, summary: &str| {
        Endpoint::get(path, id)
            .tag("Usage")
            .summary(summary)
            .needs(Access::Permission(Permission::UsageRead))
            .query(PERIOD)
            .answers::<UsageReport>(200)
    };
    let whole = of("/api/v1/usage", "usage.get", "How a tenant's calls went")
        .query(&[("clientId", "Only this client's calls"), ("apiKeyId", "Only calls of this key and of those that it was rotated from")]);
    Api::new()
        .route(whole, get::of_tenant, Arc::clone(usage))
        .route(of("/api/v1/api-clients/{id}/usage", "clients.usage", "How a client's calls went"), get::of_client, Arc::clone(usage))
        .route(
            of("/api/v1/api-keys/{id}/usage", "keys.usage", "How the calls of a key, and of its predecessors, went"),
            get::of_key,
            Arc::clone(usage),
        )
}
