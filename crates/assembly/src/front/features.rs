//! The features, built one upon the other.

use std::sync::Arc;

use access::Access;
use alerts::Alerts;
use blueprint::Blueprint;
use dashboards::Dashboards;
use dispatch::DispatchLifecycle;
use events::{ClientExists, Events};
use gate::{Gate, Options, QuotaLifecycle};
use graphql::{Graphql, GraphqlLifecycle};
use integrations::Integrations;
use jobs::{Around, Jobs};
use kernel::IdRef;
use oauth::Oauth;
use people::{People, PeopleLifecycle};
use records::{Records, RecordsLifecycle};
use rest::RestEndpoints;
use retention::RetentionLifecycle;
use sources::Sources;
use store::Lifecycle;
use syncs::{Syncs, Watched};
use upstream::Upstreams;
use vault::Vault;
use webhooks::{Webhooks, WebhooksLifecycle};

use crate::authorization;
use crate::following::{Connected, Hearing};
use crate::system::Foundation;

/// Every feature that reads the blueprint.
pub struct Features {
    pub events: Arc<Events>,
    pub webhooks: Arc<Webhooks>,
    pub records: Arc<Records>,
    pub rest_endpoints: Arc<RestEndpoints>,
    pub sources: Arc<Sources>,
    pub alerts: Arc<Alerts>,
    pub jobs: Arc<Jobs>,
    pub access: Arc<Access>,
    pub oauth: Arc<Oauth>,
    pub people: Arc<People>,
    pub gate: Arc<Gate>,
    pub upstreams: Arc<Upstreams>,
    pub dashboards: Arc<Dashboards>,
    pub graphql: Arc<Graphql>,
    pub vault: Arc<Vault>,
    pub integrations: Arc<Integrations>,
    pub syncs: Arc<Syncs>,
}

impl Features {
    pub(super) async fn build(base: &Foundation, blueprint: &Arc<Blueprint>, before: Option<&Gate>) -> anyhow::Result<Self> {
        let (store, ambient, settings) = (&base.store, &base.ambient, &base.settings);
        let (events, webhooks) = events(base, blueprint).await?;
        let records = records(base, blueprint, &events).await?;
        let rest_endpoints = RestEndpoints::new(store.clone(), ambient.clone(), Arc::clone(blueprint), Arc::clone(&records));
        rest_endpoints.heed(Arc::clone(&base.switches));
        let sources = Sources::new(store.clone(), ambient.clone(), Arc::clone(&events), &settings.public_url);
        let (operator, holder) = (settings.operator_tenant.clone(), base.dispatch.node().id);
        let alerts = Alerts::new(store.clone(), ambient.clone(), Arc::clone(&events), operator, holder);
        let jobs = jobs(base, blueprint, &events, &records)?;
        let vault = vault(base, &events);
        let integrations = integrations(base, blueprint, &vault);
        let syncs = syncs(base, blueprint, &records, &integrations).await;
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
            syncs.clone(),
            integrations.clone(),
            vault.clone(),
            alerts.clone(),
            events.clone(),
            Arc::new(QuotaLifecycle),
            Arc::new(PeopleLifecycle),
            Oauth::lifecycle(),
        ];
        let people = people(base, blueprint, lifecycles.clone()).await?;
        let access = access(base, blueprint, &events, lifecycles).await?;
        let gate = gate(base, blueprint, &access, before);
        gate.admit_people(Arc::new(people::sessions::PeopleSessions(Arc::clone(&people))));
        let oauth = authorization::server(base, blueprint, &access, &gate)?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let upstreams = Upstreams::new(blueprint, &base.upstream_secret, ambient.clone(), scheme)?;
        let (seen, of) = (Arc::clone(&webhooks), Arc::clone(&access));
        let dashboards = Dashboards::new(store.clone(), ambient.clone(), of, Arc::clone(&gate), Arc::clone(&base.usage), seen);
        let graphql = Graphql::new(graphql::Parts {
            store: store.clone(),
            ambient: ambient.clone(),
            blueprint: Arc::clone(blueprint),
            records: Arc::clone(&records),
            events: Arc::clone(&events),
            access: Arc::clone(&access),
            gate: Arc::clone(&gate),
        })?;
        Ok(Self {
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
            upstreams,
            dashboards,
            graphql,
            vault,
            integrations,
            syncs,
        })
    }
}

async fn events(base: &Foundation, blueprint: &Arc<Blueprint>) -> anyhow::Result<(Arc<Events>, Arc<Webhooks>)> {
    let (store, ambient, dispatch) = (&base.store, &base.ambient, &base.dispatch);
    let events = Events::new(store.clone(), ambient.clone(), blueprint, client_exists())?;
    let outbound = base.outbound.clone();
    let webhooks = Webhooks::new(store.clone(), ambient.clone(), Arc::clone(blueprint), Arc::clone(dispatch), outbound).await?;
    events.set_planner(webhooks.clone());
    events.set_sequence(Arc::new(ops::WebhookSequence));
    events.prepare().await?;
    events.set_tenants(Arc::new(access::tenants::exists));
    events.set_features(Arc::new(access::tenants::features));
    Ok((events, webhooks))
}

async fn records(base: &Foundation, blueprint: &Arc<Blueprint>, events: &Arc<Events>) -> anyhow::Result<Arc<Records>> {
    let records = Records::new(base.store.clone(), base.ambient.clone(), blueprint, Arc::clone(events))?;
    records.set_tenant_names(Arc::new(access::tenants::name));
    records.set_tenant_holds(Arc::new(access::tenants::hold));
    records.prepare().await?;
    tokio::spawn(Records::keep_searchable(Arc::downgrade(&records)));
    Ok(records)
}

fn jobs(base: &Foundation, blueprint: &Arc<Blueprint>, events: &Arc<Events>, records: &Arc<Records>) -> kernel::Result<Arc<Jobs>> {
    let around = Around {
        events: Arc::clone(events),
        records: Arc::clone(records),
        dispatch: Arc::clone(&base.dispatch),
        outbound: base.outbound.clone(),
        secret: base.job_secret.clone(),
    };
    Jobs::new(base.store.clone(), base.ambient.clone(), blueprint, around)
}

async fn access(
    base: &Foundation,
    blueprint: &Arc<Blueprint>,
    events: &Arc<Events>,
    lifecycles: Vec<Arc<dyn Lifecycle>>,
) -> anyhow::Result<Arc<Access>> {
    let access = Access::new(base.store.clone(), base.ambient.clone(), Arc::clone(blueprint), lifecycles).await?;
    access.set_signals(Arc::clone(&base.signals));
    access.set_events(events);
    access.set_leak_policy(base.settings.leak_policy);
    if let Some(keys) = base.settings.scanning_keys(&base.outbound, &base.ambient)? {
        access.set_secret_scanning(keys);
    }
    Ok(access)
}

/// Tokens at vendors.
fn vault(base: &Foundation, events: &Arc<Events>) -> Arc<Vault> {
    let vault = Vault::new(vault::Parts {
        store: base.store.clone(),
        ambient: base.ambient.clone(),
        events: Arc::clone(events),
        outbound: base.outbound.clone(),
        public_url: base.settings.public_url.clone(),
        holder: base.dispatch.node().id,
    });
    vault.set_tenant_settings(Arc::new(access::tenants::setting));
    vault
}

/// Connections to vendors, by the vault's tokens.
fn integrations(base: &Foundation, blueprint: &Arc<Blueprint>, vault: &Arc<Vault>) -> Arc<Integrations> {
    Integrations::new(integrations::Parts {
        store: base.store.clone(),
        ambient: base.ambient.clone(),
        blueprint: Arc::clone(blueprint),
        vault: Arc::clone(vault),
        outbound: base.outbound.clone(),
        scripts: base.scripts.clone(),
        public_url: base.settings.public_url.clone(),
        connectors: integrations::built_in(),
        listed: Vec::new(),
    })
}

/// What flows between records and vendors.
async fn syncs(base: &Foundation, blueprint: &Blueprint, records: &Arc<Records>, integrations: &Arc<Integrations>) -> Arc<Syncs> {
    let around = syncs::Around {
        records: Arc::clone(records),
        accounts: Arc::new(Connected(Arc::clone(integrations))),
        scripts: base.scripts.clone(),
        node: base.dispatch.node().id,
        default_resource: blueprint.resources.first().map(|resource| resource.name.clone()).unwrap_or_default(),
    };
    let syncs = Syncs::new(base.store.clone(), base.ambient.clone(), around);
    records.set_watcher(Watched::new(&base.store).await);
    integrations.set_hints(Arc::new(Hearing(Arc::clone(&syncs))));
    syncs
}

/// Whom the portal, the consent page and the gate ask who is signed in.
async fn people(base: &Foundation, blueprint: &Blueprint, lifecycles: Vec<Arc<dyn Lifecycle>>) -> anyhow::Result<Arc<People>> {
    let mut config = people::Config::new(&base.settings.public_url, &blueprint.product.title);
    config.mailer = base.settings.mailer()?.map(|(mailer, _)| mailer);
    config.providers = base.settings.provider.config()?;
    config.outbound = Some(base.outbound.clone());
    config.language = blueprint.product.languages.first().cloned().unwrap_or(config.language);
    Ok(People::new(base.store.clone(), base.ambient.clone(), blueprint, config, lifecycles).await?)
}

/// Goes on from the counters of the gate before, if there was one.
fn gate(base: &Foundation, blueprint: &Blueprint, access: &Arc<Access>, before: Option<&Gate>) -> Arc<Gate> {
    let options = Options { reset: blueprint.style.reset, bypass_ip_allowlist: base.settings.ip_allowlist_bypass };
    let gate = match before {
        None => {
            let (usage, counters) = (Arc::clone(&base.usage), Arc::clone(&base.counters));
            Gate::counting(base.store.clone(), base.ambient.clone(), Arc::clone(access), usage, counters, options)
        }
        Some(before) => before.over(Arc::clone(access), options),
    };
    gate.heed(Arc::clone(&base.switches));
    gate
}

/// Clients belong to `access`, which is above `events`.
fn client_exists() -> ClientExists {
    Arc::new(|tx, tenant, client| match access::clients::resolve(tx, tenant, &IdRef::Id(client)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == kernel::Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    })
}
