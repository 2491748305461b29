//! What is made of the blueprint: every feature that reads it, and the routes of all of them. Replaced as a whole when the blueprint changes
//! (`docs/adr/0014-reloading-by-a-new-front.md`).

use std::sync::Arc;

use access::Access;
use alerts::Alerts;
use axum::Router;
use blueprint::Blueprint;
use dashboards::Dashboards;
use dispatch::DispatchLifecycle;
use events::{ClientExists, Events};
use gate::{Gate, Options, QuotaLifecycle};
use graphql::{Graphql, GraphqlLifecycle};
use jobs::{Around, Jobs};
use kernel::IdRef;
use records::{Records, RecordsLifecycle};
use rest::{Docs, RestEndpoints};
use retention::RetentionLifecycle;
use sources::Sources;
use store::Lifecycle;
use upstream::Upstreams;
use web::Api;
use webhooks::{OperationalEvents, Webhooks, WebhooksLifecycle};

use crate::{agents, documentation, health};
use crate::system::Foundation;

/// See the module.
pub(crate) struct Front {
    /// What it was made of.
    pub(crate) blueprint: Arc<Blueprint>,
    /// Everything that is served.
    pub(crate) router: Router,
    /// What documents it.
    pub(crate) docs: Arc<Docs>,
    /// What operational events of deliveries become.
    pub(crate) observer: Arc<OperationalEvents>,
    pub(crate) access: Arc<Access>,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) events: Arc<Events>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) records: Arc<Records>,
    pub(crate) graphql: Arc<Graphql>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) upstreams: Arc<Upstreams>,
}

impl Front {
    /// Builds every feature over `base`. `before` is the front that is served now, if there is one: counters of limits go on from it.
    pub(crate) async fn build(base: &Foundation, blueprint: Arc<Blueprint>, before: Option<&Self>) -> anyhow::Result<Self> {
        let (store, ambient, dispatch, settings) = (&base.store, &base.ambient, &base.dispatch, &base.settings);
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, client_exists())?;
        let outbound = base.outbound.clone();
        let webhooks = Webhooks::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Arc::clone(dispatch), outbound).await?;
        events.set_planner(webhooks.clone());
        events.set_sequence(Arc::new(ops::WebhookSequence));
        events.prepare().await?;
        events.set_tenants(Arc::new(access::tenants::exists));
        events.set_features(Arc::new(access::tenants::features));
        let records = Records::new(store.clone(), ambient.clone(), &blueprint, Arc::clone(&events))?;
        records.set_tenant_names(Arc::new(access::tenants::name));
        records.prepare().await?;
        tokio::spawn(Records::keep_searchable(Arc::downgrade(&records)));
        let rest_endpoints = RestEndpoints::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Arc::clone(&records));
        rest_endpoints.heed(Arc::clone(&base.switches));
        let sources = Sources::new(store.clone(), ambient.clone(), Arc::clone(&events), &settings.public_url);
        let (operator, holder) = (settings.operator_tenant.clone(), dispatch.node().id);
        let alerts = Alerts::new(store.clone(), ambient.clone(), Arc::clone(&events), operator, holder);
        let around = Around {
            events: Arc::clone(&events),
            records: Arc::clone(&records),
            dispatch: Arc::clone(dispatch),
            outbound: base.outbound.clone(),
            secret: base.job_secret.clone(),
        };
        let jobs = Jobs::new(store.clone(), ambient.clone(), &blueprint, around)?;
        // In the order in which things go: what refers to others first.
        let lifecycles: Vec<Arc<dyn Lifecycle>> = vec![
            Arc::new(WebhooksLifecycle(Arc::clone(&webhooks))),
            jobs.clone(),
            Arc::new(RecordsLifecycle(Arc::clone(&records))),
            DispatchLifecycle::new(store.clone()),
            Arc::new(RetentionLifecycle(Arc::clone(&base.retention))),
            sources.clone(),
            rest_endpoints.clone(),
            Arc::new(GraphqlLifecycle),
            alerts.clone(),
            events.clone(),
            Arc::new(QuotaLifecycle),
        ];
        let access = Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), lifecycles).await?;
        access.set_signals(Arc::clone(&base.signals));
        access.set_events(&events);
        access.set_leak_policy(settings.leak_policy);
        if let Some(keys) = settings.scanning_keys(&base.outbound, ambient)? {
            access.set_secret_scanning(keys);
        }
        let options = Options { reset: blueprint.style.reset, bypass_ip_allowlist: settings.ip_allowlist_bypass };
        let gate = match before {
            None => {
                let (usage, counters) = (Arc::clone(&base.usage), Arc::clone(&base.counters));
                Gate::counting(store.clone(), ambient.clone(), Arc::clone(&access), usage, counters, options)
            }
            Some(before) => before.gate.over(Arc::clone(&access), options),
        };
        gate.heed(Arc::clone(&base.switches));
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let upstreams = Upstreams::new(&blueprint, &base.upstream_secret, ambient.clone(), scheme)?;
        let (seen, of) = (Arc::clone(&webhooks), Arc::clone(&access));
        let dashboards = Dashboards::new(store.clone(), ambient.clone(), of, Arc::clone(&gate), Arc::clone(&base.usage), seen);
        let api = Api::new()
            .ambient(ambient.clone())
            .origins(access.clone())
            .merge(health::routes(&base.health))
            .merge(access.routes())
            .merge(gate.routes())
            .merge(events.routes())
            .merge(webhooks.routes())
            .merge(sources.routes())
            .merge(alerts.routes())
            .merge(ops::routes(&blueprint))
            .merge(audit::Audit::new(store.clone()).routes())
            .merge(dashboards.routes())
            .merge(base.usage.routes())
            .merge(base.retention.routes())
            .merge(jobs.routes())
            .merge(rest::generic(&records))
            .merge(rest_endpoints.routes());
        let parts = graphql::Parts {
            store: store.clone(),
            ambient: ambient.clone(),
            blueprint: Arc::clone(&blueprint),
            records: Arc::clone(&records),
            events: Arc::clone(&events),
            access: Arc::clone(&access),
            gate: Arc::clone(&gate),
        };
        let graphql = Graphql::new(parts)?;
        let mcp = agents::server(base, &blueprint, &access, &gate, &rest_endpoints);
        let declared = rest::declared(&records, &blueprint, &api);
        let api = api
            .merge(declared)
            .merge(rest::declared_jobs(&jobs, &blueprint))
            .merge(rest::metrics(&records, &blueprint))
            .merge(mcp.routes())
            .merge(graphql.routes(&gate))
            .merge(graphql::console(&blueprint))
            .merge(upstreams.routes(&blueprint, |endpoint| rest::error_form(&blueprint.style, &endpoint.scope, None)))
            .merge(rest::home(&blueprint));
        let offered = api.endpoints();
        let unserved = rest::unserved(&blueprint, &offered);
        anyhow::ensure!(unserved.is_empty(), "The blueprint {} asks for more than this program serves: {}", blueprint.name, unserved.join("; "));
        let (api, docs) = documentation::add(api, &blueprint, settings, &gate, &rest_endpoints);
        let described = Arc::clone(&docs);
        mcp.offer(Box::new(move || (offered.clone(), described.openapi())));
        let router = api.into_router(|endpoint, route| gate.guard(endpoint, route));
        let observer = OperationalEvents::new(&events);
        Ok(Self { blueprint, router, docs, observer, access, alerts, events, gate, records, graphql, jobs, upstreams })
    }

    /// Ends streams of events and polls that wait: their readers come back.
    pub(crate) fn close_readers(&self) {
        self.events.close_readers();
        self.jobs.close();
        self.graphql.close();
        self.upstreams.close();
    }

    /// Leaves to other servers what one server does for all, before this one stops.
    pub(crate) async fn hand_over(&self) {
        self.jobs.drain(std::time::Duration::from_secs(5)).await;
        if let Err(error) = self.alerts.stop().await {
            tracing::warn!(?error, "another server looks for alerts only when the lease has run out");
        }
    }

    /// Writes what is only in memory. To be called when no request comes in any more.
    pub(crate) async fn flush(&self) {
        if let Err(error) = self.access.flush().await {
            tracing::warn!(?error, "the last uses of keys could not be written");
        }
    }
}

/// Clients belong to `access`, which is above `events`.
fn client_exists() -> ClientExists {
    Arc::new(|tx, tenant, client| match access::clients::resolve(tx, tenant, &IdRef::Id(client)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == kernel::Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    })
}
