//! The endpoints that the blueprint declares.

mod envelope;
mod operations;

use std::collections::HashSet;
use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::{self, Envelope, Operation};
use kernel::{Error, Result};
use records::{ListQuery, Record, RecordRef, Records, ResourceType};
use serde_json::{Map, Value};
use web::{Access, Api, Deprecation, Endpoint};

use crate::list_query::{self, Rules, Total};
use crate::{error_form, shapes};

pub(crate) use envelope::Wrap;

/// One declared route, as its handler sees it.
pub(crate) struct Route {
    records: Arc<Records>,
    kind: Arc<ResourceType>,
    endpoint: model::Endpoint,
    wrap: Wrap,
    rules: Rules,
    /// Where a created record is, with `{}` for its id.
    location: String,
}

/// The declared endpoints of `blueprint` that answer from records, as routes. Those that an upstream answers are `upstream`'s.
///
/// Panics if `records` was made for another blueprint: a fault of the program's wiring, found at start.
pub fn declared(records: &Arc<Records>, blueprint: &Blueprint) -> Api {
    let mut ids = HashSet::new();
    blueprint.endpoints.iter().filter(|endpoint| endpoint.upstream.is_none()).fold(Api::new(), |api, endpoint| {
        let kind = records.resource_type(&endpoint.resource).expect("a blueprint's endpoints name its own resources");
        let route = Arc::new(Route {
            records: Arc::clone(records),
            kind: Arc::clone(kind),
            endpoint: endpoint.clone(),
            wrap: Wrap { envelope: blueprint.style.envelope, naming: blueprint.style.naming },
            rules: rules(blueprint, endpoint),
            location: location(blueprint, endpoint),
        });
        let described = describe(blueprint, &route, id(endpoint, kind, &mut ids));
        match endpoint.operation {
            Operation::List => api.route(described, operations::list, route),
            Operation::Get => api.route(described, operations::get, route),
            Operation::Create => api.route(described, operations::create, route),
            Operation::Update => api.route(described, operations::update, route),
            Operation::Delete => api.route(described, operations::delete, route),
            Operation::Upstream => api,
        }
    })
}

fn rules(blueprint: &Blueprint, endpoint: &model::Endpoint) -> Rules {
    let pages_only = blueprint.style.envelope == Envelope::Success;
    Rules {
        limit: endpoint.limit,
        cursors: !pages_only,
        numbered: pages_only || endpoint.total,
        total: if endpoint.total { Total::Always } else { Total::Never },
    }
}

/// `leads.update`, and `leads.patch` where PUT and PATCH do the same; every id once.
fn id(endpoint: &model::Endpoint, kind: &ResourceType, taken: &mut HashSet<String>) -> String {
    let verb = match endpoint.operation {
        Operation::List => "list",
        Operation::Get => "get",
        Operation::Create => "create",
        Operation::Update if endpoint.method == "PATCH" => "patch",
        Operation::Update => "update",
        Operation::Delete => "delete",
        Operation::Upstream => "call",
    };
    let plain = format!("{}.{verb}", kind.resource().plural);
    let mut id = plain.clone();
    for n in 2.. {
        if taken.insert(id.clone()) {
            break;
        }
        id = format!("{plain}{n}");
    }
    id
}

/// The path of the endpoint that gets one of these records, or the generic one's.
fn location(blueprint: &Blueprint, endpoint: &model::Endpoint) -> String {
    let getter = blueprint.endpoints.iter().find(|other| other.operation == Operation::Get && other.resource == endpoint.resource);
    let Some(getter) = getter else { return format!("/api/v1/records/{}/{{}}", endpoint.resource) };
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    let path = getter.path.split('/').map(blank).collect::<Vec<_>>().join("/");
    format!("{}{path}", blueprint.style.base_path)
}

fn describe(blueprint: &Blueprint, route: &Route, id: String) -> Endpoint {
    let (declared, kind) = (&route.endpoint, &route.kind);
    let method = declared.method.parse().expect("a blueprint's methods are HTTP's own");
    let form = error_form(&blueprint.style, &declared.scope, declared.not_found.as_deref());
    let described = Endpoint::new(method, format!("{}{}", blueprint.style.base_path, declared.path), id)
        .tag(shapes::title(&kind.resource().plural))
        .summary(declared.summary.clone())
        .cost(declared.cost)
        .needs(Access::Scope(declared.scope.clone()))
        .errors(form)
        .deprecated(deprecation(declared));
    let (writable, wrap) = (declared.writable.as_deref(), route.wrap);
    match declared.operation {
        Operation::List => {
            let parameters = list_query::parameters(kind, &route.rules);
            let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, about)| (name.as_str(), about.as_str())).collect();
            described.query(&parameters).answers_schema(200, wrap.page_schema(&shapes::reference(kind), declared.total))
        }
        Operation::Get => described.answers_schema(200, wrap.one_schema(shapes::reference(kind))),
        Operation::Create => {
            let body = shapes::body(kind, writable, true);
            described.body_schema(body).answers_schema(201, wrap.one_schema(shapes::reference(kind)))
        }
        Operation::Update => {
            let body = shapes::body(kind, writable, false);
            described.body_schema(body).answers_schema(200, wrap.one_schema(shapes::reference(kind)))
        }
        Operation::Delete => match wrap.done_schema() {
            Some(schema) => described.answers_schema(200, schema),
            None => described.answers_nothing(),
        },
        Operation::Upstream => described,
    }
}

/// What the answers of an endpoint on its way out say.
fn deprecation(declared: &model::Endpoint) -> Option<Deprecation> {
    let retirement = declared.retirement.as_ref()?;
    Deprecation::new(retirement.since(), retirement.sunset(), retirement.successor.clone())
}

impl Route {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn list_query(&self, query: &str) -> Result<ListQuery> {
        list_query::parse(query, &self.kind, &self.rules)
    }

    /// What cannot name a record names none: 404.
    fn reference(&self, text: &str) -> Result<RecordRef> {
        text.parse().map_err(|_| Error::not_found(self.name()))
    }

    fn wire(&self, record: &Record) -> Value {
        Value::Object(self.kind.wire(record))
    }

    fn location(&self, record: &Record) -> String {
        self.location.replacen("{}", &self.kind.id_text(record), 1)
    }
}

/// A body that is a record's members.
pub(crate) type Members = Map<String, Value>;
