//! The endpoints that the blueprint declares.
//!
//! * `public`: those that need no credential, below `/public/<tenant's slug>`.
//! * `operations`: those on records; `health`; `managed`: those that serve an operation of the native API under names of the product's own.
//! * `reply`: the product's envelope, or the endpoint's own answer; `describe`: what the OpenAPI document says.
//!
//! What an upstream, a job or a metric answers is served by their features; [`unserved`] tells at start what nobody serves.

mod asked;
mod bulk;
mod describe;
mod envelope;
mod figures_table;
mod health;
mod job_batch;
mod jobs;
mod managed;
mod metrics;
mod operations;
mod public;
mod reply;

use std::collections::HashSet;
use std::sync::Arc;

use blueprint::model::{self, Envelope, Operation};
use blueprint::{Blueprint, Schema};
use kernel::Result;
use records::{Query, Record, Records, ResourceType};
use serde_json::{Map, Value};
use web::{Api, Endpoint};

use crate::list_query::{self, Rules, Total};

use asked::Asked;
pub(crate) use envelope::Wrap;
pub use jobs::declared_jobs;
pub(crate) use metrics::components as metric_components;
pub use metrics::metrics;
pub use public::declared_publicly;
use reply::Reply;

/// One declared route on records, as its handler sees it.
pub(crate) struct Route {
    records: Arc<Records>,
    kind: Arc<ResourceType>,
    endpoint: model::Endpoint,
    /// The parent that the path's first name names: the member that holds its id, and its type.
    parent: Option<(String, Arc<ResourceType>)>,
    reply: Reply,
    rules: Rules,
    /// Where a created record is, with `{}` for its id (and before it for its parent's).
    location: String,
}

/// The declared endpoints of `blueprint` that answer from records, tell of health or manage, as routes. `native` has the routes of the native
/// API, which endpoints that manage ask.
///
/// Panics if `records` was made for another blueprint: a fault of the program's wiring, found at start.
pub fn declared(records: &Arc<Records>, blueprint: &Blueprint, native: &Api) -> Api {
    let mut ids = HashSet::new();
    blueprint.endpoints.iter().filter(|endpoint| !endpoint.public).fold(Api::new(), |api, endpoint| match endpoint.operation {
        operation if operation.is_of_records() => of_records(api, records, blueprint, endpoint, &mut ids),
        Operation::Health => {
            let scope = endpoint.scope.clone();
            let (reply, product) = (reply(blueprint, endpoint), blueprint.name.clone());
            let health = Arc::new(health::Health { records: Arc::clone(records), reply, scope, product });
            let described = describe::health(blueprint, endpoint, &health.reply, unique("health.get".to_owned(), &mut ids));
            api.route(described, health::tell, health)
        }
        Operation::Manage => managed(api, records, blueprint, native, endpoint, &mut ids),
        _ => api,
    })
}

fn reply(blueprint: &Blueprint, endpoint: &model::Endpoint) -> Reply {
    Reply::of(endpoint, Wrap { envelope: blueprint.style.envelope, naming: blueprint.style.naming })
}

/// The route of an endpoint on records.
///
/// Panics if `records` was made for another blueprint.
fn route(records: &Arc<Records>, blueprint: &Blueprint, endpoint: &model::Endpoint) -> Arc<Route> {
    let of = |name: &str| Arc::clone(records.resource_type(name).expect("a blueprint's endpoints name its own resources"));
    let kind = of(&endpoint.resource);
    let parent = endpoint.parent.as_deref().and_then(|parent| Some((kind.resource().parent(parent)?.field.clone(), of(parent))));
    Arc::new(Route {
        records: Arc::clone(records),
        parent,
        endpoint: endpoint.clone(),
        reply: reply(blueprint, endpoint),
        rules: rules(blueprint, endpoint),
        location: location(blueprint, endpoint),
        kind,
    })
}

fn of_records(api: Api, records: &Arc<Records>, blueprint: &Blueprint, endpoint: &model::Endpoint, ids: &mut HashSet<String>) -> Api {
    let route = route(records, blueprint, endpoint);
    let described = describe::records(blueprint, &route, unique(id(endpoint, &route.kind), ids));
    match endpoint.operation {
        Operation::List => api.route(described, operations::list, route),
        Operation::Get => api.route(described, operations::get, route),
        Operation::Create => api.route(described, operations::create, route),
        Operation::Update if !endpoint.set.is_empty() || endpoint.emits.is_some() => api.route(described, operations::act, route),
        Operation::Update => api.route(described, operations::update, route),
        Operation::Replace if endpoint.member.is_some() => api.route(described, operations::replace_member, route),
        Operation::Replace => api.route(described, operations::replace, route),
        Operation::Delete => api.route(described, operations::delete, route),
        Operation::Batch => api.route(described, bulk::batch, bulk::Bulk::of(blueprint, route)),
        Operation::Export => api.route(described, bulk::export, bulk::Bulk::of(blueprint, route)),
        Operation::Import => api.route(described, bulk::import, bulk::Bulk::of(blueprint, route)),
        _ => api,
    }
}

fn managed(
    api: Api,
    records: &Arc<Records>,
    blueprint: &Blueprint,
    native: &Api,
    endpoint: &model::Endpoint,
    ids: &mut HashSet<String>,
) -> Api {
    let Some(call) = endpoint.manage.as_deref() else { return api };
    let routes = (native.inner(call.managed.id), native.inner("clients.get"), native.inner("clients.create"));
    // What is missing here is reported by `unserved`.
    let (Some(inner), Some(get), Some(create)) = routes else { return api };
    let schema = call.schema.as_ref().and_then(|schema| Schema::compile(schema).ok());
    let route = Arc::new(managed::Managed {
        call: call.clone(),
        scope: endpoint.scope.clone(),
        reply: reply(blueprint, endpoint),
        schema,
        inner,
        clients: managed::Clients { get, create },
        records: Arc::clone(records),
    });
    let described = describe::managed(blueprint, endpoint, &route, unique(format!("own.{}", call.managed.id), ids));
    api.route(described, managed::manage, route)
}

/// The declared endpoints that `served` has no route for, as sentences. None: all are served.
pub fn unserved(blueprint: &Blueprint, served: &[Arc<Endpoint>]) -> Vec<String> {
    let key = |method: &str, path: &str| {
        let blank = |segment: &str| if segment.starts_with(['{', '*']) { "{}".to_owned() } else { segment.to_owned() };
        (method.to_owned(), path.split('/').map(blank).collect::<Vec<_>>().join("/"))
    };
    let served: HashSet<_> = served.iter().map(|endpoint| key(endpoint.method.as_str(), &endpoint.path)).collect();
    let missing = |endpoint: &&model::Endpoint| !served.contains(&key(&endpoint.method, &endpoint.full_path(&blueprint.style)));
    let tell = |endpoint: &model::Endpoint| {
        format!("{} {} is declared, and nothing in this program serves it", endpoint.method, endpoint.full_path(&blueprint.style))
    };
    blueprint.endpoints.iter().filter(missing).map(tell).collect()
}

fn rules(blueprint: &Blueprint, endpoint: &model::Endpoint) -> Rules {
    let pages_only = blueprint.style.envelope == Envelope::Success;
    Rules {
        limit: endpoint.limit,
        cursors: !pages_only,
        numbered: pages_only || endpoint.total,
        total: if endpoint.total { Total::Always } else { Total::Never },
        strict: false,
    }
}

/// `leads.update`, and `leads.patch` where PUT and PATCH do the same.
fn id(endpoint: &model::Endpoint, kind: &ResourceType) -> String {
    let verb = match endpoint.operation {
        Operation::List => "list",
        Operation::Get => "get",
        Operation::Create => "create",
        Operation::Update if endpoint.method == "PATCH" => "patch",
        Operation::Replace => "replace",
        Operation::Delete => "delete",
        Operation::Batch => "batch",
        Operation::Export => "export",
        Operation::Import => "import",
        _ => "update",
    };
    let member = endpoint.member.as_ref().map(|member| format!(".{member}")).unwrap_or_default();
    format!("{}{member}.{verb}", kind.resource().plural)
}

/// Every operation id once.
fn unique(plain: String, taken: &mut HashSet<String>) -> String {
    if taken.insert(plain.clone()) {
        return plain;
    }
    let mut n = 2;
    while !taken.insert(format!("{plain}{n}")) {
        n += 1;
    }
    format!("{plain}{n}")
}

/// The path of the endpoint that gets one of these records, or the generic one's.
fn location(blueprint: &Blueprint, endpoint: &model::Endpoint) -> String {
    let gets = |other: &&model::Endpoint| {
        other.operation == Operation::Get && other.resource == endpoint.resource && other.member.is_none() && !other.public
    };
    let alone = blueprint.endpoints.iter().filter(gets).find(|other| other.parent.is_none());
    let beside = || blueprint.endpoints.iter().filter(gets).find(|other| other.parent == endpoint.parent);
    let Some(getter) = alone.or_else(beside) else { return format!("/api/v1/records/{}/{{}}", endpoint.resource) };
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    getter.full_path(&blueprint.style).split('/').map(blank).collect::<Vec<_>>().join("/")
}

impl Route {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn list_query(&self, query: &str) -> Result<Query> {
        list_query::parse(query, &self.kind, &self.rules)
    }

    fn wire(&self, record: &Record) -> Value {
        Value::Object(self.kind.wire(record))
    }

    fn location(&self, record: &Record, asked: &Asked) -> String {
        let id = self.kind.id_text(record);
        if self.location.matches("{}").count() > 1 {
            return self.location.replacen("{}", asked.name(0), 1).replacen("{}", &id, 1);
        }
        self.location.replacen("{}", &id, 1)
    }
}

/// A body that is a record's members.
pub(crate) type Members = Map<String, Value>;
