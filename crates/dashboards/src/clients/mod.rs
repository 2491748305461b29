//! A client's dashboard.

mod get;
mod view;

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::Dashboards;

pub use view::{Dashboard, KeyLimits, LimitState, WebhookStanding};

pub(crate) fn routes(dashboards: &Arc<Dashboards>) -> Api {
    let get = Endpoint::get("/api/v1/api-clients/{id}/dashboard", "clients.dashboard")
        .tag("Usage")
        .summary("How a client stands: calls, webhooks, limits")
        .needs(Access::Permission(Permission::UsageRead))
        .query(&[("period", "How long back: 24h (default), 7d, 30d")])
        .answers::<Dashboard>(200);
    Api::new().route(get, get::handle, Arc::clone(dashboards))
}
