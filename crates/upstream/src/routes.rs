//! The declared endpoints as routes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::{self, UpstreamCall};
use web::{Access, Api, DEFAULT_BODY_LIMIT, Deprecation, Endpoint, ErrorForm};

use crate::Upstreams;
use crate::calls::{self, Route, Template};

impl Upstreams {
    /// Every endpoint of `blueprint` that an upstream answers. `errors` is the form of an endpoint's errors.
    ///
    /// Panics if `self` was made of another blueprint: a fault of the program's wiring, found at start.
    pub fn routes(self: &Arc<Self>, blueprint: &Blueprint, errors: impl Fn(&model::Endpoint) -> ErrorForm) -> Api {
        let mut numbers = HashMap::new();
        let declared: HashSet<(String, String)> = blueprint.endpoints.iter().map(|one| (one.method.clone(), shape(&one.path))).collect();
        blueprint.endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.upstream.as_ref()?))).fold(
            Api::new(),
            |api, (endpoint, call)| {
                let described = describe(blueprint, endpoint, call, id(endpoint, call, &mut numbers)).errors(errors(endpoint));
                let route = self.route(blueprint, endpoint, call);
                let api = bare(blueprint, endpoint, &declared).into_iter().fold(api, |api, path| {
                    let beside = Endpoint { id: format!("{}.root", described.id), path, ..described.clone() }.hidden();
                    api.route(beside, calls::call, Arc::clone(&route))
                });
                api.route(described, calls::call, route)
            },
        )
    }

    fn route(&self, blueprint: &Blueprint, endpoint: &model::Endpoint, call: &UpstreamCall) -> Arc<Route> {
        let upstream = self.get(&call.upstream).expect("a blueprint's endpoints name its own upstreams");
        let pattern = format!("{}{}", blueprint.style.base_path, endpoint.path);
        Arc::new(Route {
            upstream: Arc::clone(upstream),
            template: Template::new(&pattern, &call.path),
            scope: endpoint.scope.clone(),
            websocket: call.websocket,
            schema: call.schema.as_ref().map(|schema| blueprint::Schema::compile(schema).expect("a blueprint's schemas compile")),
            max_request: call.max_request_bytes.or(upstream.settings.max_request),
            scheme: self.scheme,
            ambient: self.ambient.clone(),
        })
    }
}

fn describe(blueprint: &Blueprint, endpoint: &model::Endpoint, call: &UpstreamCall, id: String) -> Endpoint {
    let method = endpoint.method.parse().expect("a blueprint's methods are HTTP's own");
    let path = format!("{}{}", blueprint.style.base_path, endpoint.path.replace("/*", "/{*"));
    let path = if endpoint.path.contains("/*") { format!("{path}}}") } else { path };
    let limit = call.max_request_bytes.map_or(DEFAULT_BODY_LIMIT, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let described = Endpoint::new(method, path, id)
        .tag(title(&call.upstream))
        .summary(endpoint.summary.clone())
        .needs(Access::Scope(endpoint.scope.clone()))
        .cost(endpoint.cost)
        .deprecated(deprecation(endpoint))
        // The backend keeps its own effects, so it must keep their answers too: the key is passed on.
        .idempotent(false)
        .body_limit(limit)
        .describe("The operator's own service answers. Other statuses and bodies than these are its own.")
        .fails(&[502, 504]);
    match &call.schema {
        Some(schema) => described.body_schema(schema.clone()),
        None => described,
    }
}

/// What the answers of an endpoint on its way out say.
fn deprecation(endpoint: &model::Endpoint) -> Option<Deprecation> {
    let retirement = endpoint.retirement.as_ref()?;
    Deprecation::new(retirement.since(), retirement.sunset(), retirement.successor.clone())
}

/// `upstream.orders.get`, with a number from the second on.
fn id(endpoint: &model::Endpoint, call: &UpstreamCall, numbers: &mut HashMap<String, u32>) -> String {
    let plain = format!("upstream.{}.{}", call.upstream, endpoint.method.to_ascii_lowercase());
    let number = numbers.entry(plain.clone()).or_default();
    *number += 1;
    if *number == 1 { plain } else { format!("{plain}{number}") }
}

/// `/orders/*rest` serves `/orders` and `/orders/` as well, unless another endpoint does.
fn bare(blueprint: &Blueprint, endpoint: &model::Endpoint, declared: &HashSet<(String, String)>) -> Vec<String> {
    let Some((above, _)) = endpoint.path.split_once("/*") else { return Vec::new() };
    let path = format!("{}{above}", blueprint.style.base_path);
    let taken = declared.contains(&(endpoint.method.clone(), shape(above)));
    let mut paths = vec![format!("{path}/")];
    if !taken {
        paths.push(path);
    }
    paths
}

fn shape(path: &str) -> String {
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}

fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
