//! The routes of all features, what documents them, and the gate around them.

use std::sync::Arc;

use axum::Router;
use blueprint::Blueprint;
use dashboards::health;
use portal::Portal;
use rest::Docs;
use web::Api;

use super::features::Features;
use crate::system::Foundation;
use crate::{agents, documentation};

/// The router, and the documents of what it serves. Error: the blueprint declares what nobody serves.
pub(super) fn assemble(base: &Foundation, features: &Features, blueprint: &Arc<Blueprint>) -> anyhow::Result<(Router, Arc<Docs>)> {
    let Features { records, rest_endpoints, jobs, access, gate, graphql, upstreams, .. } = features;
    let managed = management(base, features, blueprint);
    let mcp = agents::server(base, blueprint, access, gate, rest_endpoints);
    let declared = rest::declared(records, blueprint, &managed).merge(rest::declared_publicly(records, blueprint, rest_endpoints));
    let api = managed
        .merge(declared)
        .merge(rest::declared_jobs(jobs, blueprint))
        .merge(rest::metrics(records, blueprint))
        .merge(mcp.routes())
        .merge(graphql.routes(gate))
        .merge(graphql::console(blueprint))
        .merge(upstreams.routes(blueprint, |endpoint| rest::error_form(&blueprint.style, &endpoint.scope, None)))
        .merge(portal(base, features, blueprint).routes())
        .merge(rest::home(blueprint));
    let offered = api.endpoints();
    let unserved = rest::unserved(blueprint, &offered);
    anyhow::ensure!(
        unserved.is_empty(),
        "The blueprint {} asks for more than this program serves: {}",
        blueprint.name,
        unserved.join("; ")
    );
    let (api, docs) = documentation::add(api, blueprint, &base.settings, gate, rest_endpoints);
    let described = Arc::clone(&docs);
    mcp.offer(Box::new(move || (offered.clone(), described.openapi())));
    Ok((api.into_router(|endpoint, route| gate.guard(endpoint, route)), docs))
}

/// What every product has, whatever its blueprint declares.
fn management(base: &Foundation, features: &Features, blueprint: &Arc<Blueprint>) -> Api {
    let Features {
        events,
        webhooks,
        records,
        rest_endpoints,
        sources,
        alerts,
        jobs,
        access,
        oauth,
        people,
        gate,
        dashboards,
        vault,
        integrations,
        syncs,
        ..
    } = features;
    Api::new()
        .ambient(base.ambient.clone())
        .origins(access.clone())
        .merge(health::routes(&base.health))
        .merge(access.routes())
        .merge(people.routes())
        .merge(oauth.routes())
        .merge(gate.routes())
        .merge(events.routes())
        .merge(webhooks.routes())
        .merge(sources.routes())
        .merge(alerts.routes())
        .merge(ops::routes(blueprint))
        .merge(audit::Audit::new(base.store.clone()).routes())
        .merge(dashboards.routes())
        .merge(base.usage.routes())
        .merge(base.retention.routes())
        .merge(jobs.routes())
        .merge(vault.routes())
        .merge(integrations.routes())
        .merge(syncs.routes())
        .merge(rest::generic(records))
        .merge(rest_endpoints.routes())
}

/// The pages for people.
fn portal(base: &Foundation, features: &Features, blueprint: &Arc<Blueprint>) -> Arc<Portal> {
    Portal::new(portal::Parts {
        blueprint: Arc::clone(blueprint),
        ambient: base.ambient.clone(),
        people: Arc::clone(&features.people),
        oauth: Arc::clone(&features.oauth),
        public_url: base.settings.public_url.clone(),
        secret: base.portal_secret.clone(),
    })
}
