//! Endpoints that the blueprint declares `public`: at `/public/<tenant's slug><path>`, without a credential, for that tenant.
//!
//! They are what their operation is with a credential; only the door is another one: strangers are counted by address, and heed maintenance.

use std::collections::HashSet;
use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::Operation;
use records::Records;
use web::Api;

use super::{describe, id, metrics, operations, route, unique};
use crate::rest_endpoints::{ForStrangers, RestEndpoints};

/// The public endpoints of `blueprint`, as routes; `door` lets strangers in.
///
/// Panics if `records` was made for another blueprint: a fault of the program's wiring, found at start.
pub fn declared_publicly(records: &Arc<Records>, blueprint: &Blueprint, door: &Arc<RestEndpoints>) -> Api {
    let mut ids = HashSet::new();
    blueprint.endpoints.iter().filter(|endpoint| endpoint.public).fold(Api::new(), |api, endpoint| {
        if endpoint.operation == Operation::Metric {
            let Some((described, route)) = metrics::measured(records, blueprint, endpoint, "public.metrics.", &mut ids) else { return api };
            return api.route(described, ForStrangers { handler: metrics::measure, door: Arc::clone(door) }, route);
        }
        if !matches!(endpoint.operation, Operation::List | Operation::Get | Operation::Create) {
            // The blueprint's check refuses it, and `unserved` would tell.
            return api;
        }
        let route = route(records, blueprint, endpoint);
        let described = describe::records(blueprint, &route, unique(format!("public.{}", id(endpoint, &route.kind)), &mut ids));
        let door = Arc::clone(door);
        match endpoint.operation {
            Operation::List => api.route(described, ForStrangers { handler: operations::list, door }, route),
            Operation::Get => api.route(described, ForStrangers { handler: operations::get, door }, route),
            _ => api.route(described, ForStrangers { handler: operations::create, door }, route),
        }
    })
}
