//! The list of routes, and the router made of it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use futures_util::FutureExt;
use futures_util::future::{CatchUnwind, Join, Map, Ready, join, ready};
use kernel::{Ambient, Error, Kind};

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::finish::{Finish, RouteForm};
use crate::preflight::{self, Origins};

/// Routes with their metadata. Each feature returns one; the binary merges them.
#[derive(Default)]
pub struct Api {
    routes: Vec<(Arc<Endpoint>, MethodRouter)>,
    ambient: Option<Ambient>,
    origins: Option<Arc<dyn Origins>>,
}

impl Api {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes request ids from this clock and random source. Default: the machine's.
    #[must_use]
    pub fn ambient(mut self, ambient: Ambient) -> Self {
        self.ambient = Some(ambient);
        self
    }

    /// Answers CORS preflights for these origins. Default: for none.
    #[must_use]
    pub fn origins(mut self, origins: Arc<dyn Origins>) -> Self {
        self.origins = Some(origins);
        self
    }

    /// Adds a route. A panic in `handler` becomes a 500.
    #[must_use]
    pub fn route<H, T, S>(mut self, endpoint: Endpoint, handler: H, state: S) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        let endpoint = Arc::new(endpoint);
        let filter = MethodFilter::try_from(endpoint.method.clone()).expect("an endpoint has one of HTTP's own methods");
        let handler = Guarded { handler, endpoint: endpoint.clone() };
        self.routes.push((endpoint, MethodRouter::new().on(filter, handler).with_state(state)));
        self
    }

    /// Adds another list's routes.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self.ambient = self.ambient.or(other.ambient);
        self.origins = self.origins.or(other.origins);
        self
    }

    /// The route with this operation id.
    pub(crate) fn find(&self, id: &str) -> Option<&(Arc<Endpoint>, MethodRouter)> {
        self.routes.iter().find(|(endpoint, _)| endpoint.id == id)
    }

    /// The metadata of every route, in order.
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.routes.iter().map(|(endpoint, _)| endpoint.clone()).collect()
    }

    /// The router. `guard` wraps each route (the gate); paths and methods that do not exist answer 404 and 405 as problems, without
    /// passing it. Two paths that differ in their parameters' names only are one path.
    ///
    /// Panics if two endpoints have the same method and path: a fault of the program's wiring, found at start.
    pub fn into_router(self, guard: impl Fn(Arc<Endpoint>, MethodRouter) -> MethodRouter) -> Router {
        let mut order: Vec<(String, MethodRouter)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut seen: HashMap<(String, http::Method), String> = HashMap::new();
        for (endpoint, route) in self.routes {
            let shape = path_shape(&endpoint.path);
            if let Some(other) = seen.insert((shape.clone(), endpoint.method.clone()), endpoint.id.clone()) {
                panic!("{} and {other} both serve {} {}", endpoint.id, endpoint.method, endpoint.path);
            }
            let guarded = guard(endpoint.clone(), route);
            match places.get(&shape) {
                Some(&at) => {
                    let known = std::mem::take(&mut order[at].1);
                    order[at].1 = known.merge(guarded);
                }
                None => {
                    places.insert(shape, order.len());
                    order.push((endpoint.path.clone(), guarded));
                }
            }
        }
        let routed = order.into_iter().fold(Router::new(), |router, (path, methods)| router.route(&path, methods));
        let finish = Finish::new(self.ambient.unwrap_or_else(Ambient::system));
        let origins = self.origins;
        let other_method = move |request: Request| {
            let preflight = preflight::answer(origins.as_ref(), &request);
            async move { preflight.unwrap_or_else(|| no_such_method().into_response()) }
        };
        routed.fallback(no_such_path).method_not_allowed_fallback(other_method).layer(finish)
    }
}

/// A path with its parameters' names taken out, so that `/a/{id}` and `/a/{key}` are found to be the same.
pub(crate) fn path_shape(path: &str) -> String {
    let plain = |part: &str| match (part.find('{'), part.rfind('}')) {
        (Some(from), Some(to)) if part[from..].starts_with("{*") => format!("{}{{*}}{}", &part[..from], &part[to + 1..]),
        (Some(from), Some(to)) => format!("{}{{}}{}", &part[..from], &part[to + 1..]),
        _ => part.to_owned(),
    };
    path.split('/').map(plain).collect::<Vec<_>>().join("/")
}

async fn no_such_path() -> Failure {
    Failure(Error::new(Kind::NotFound, "not_found", "There is nothing at this path. The paths are listed at /docs."))
}

fn no_such_method() -> Failure {
    Failure(Error::new(Kind::MethodNotAllowed, "method_not_allowed", "This path exists, but not for this method; see the Allow header."))
}

/// A handler that cannot bring the connection down: it runs with its endpoint at hand, its panics become 500, and its failures remember
/// the form in which they are to be shown. A wrapper built of plain combinators instead of a layer: it allocates nothing per request.
#[derive(Clone)]
struct Guarded<H> {
    handler: H,
    endpoint: Arc<Endpoint>,
}

type Outcome = (std::thread::Result<Response>, Arc<Endpoint>);

impl<H: Handler<T, S>, T, S> Handler<T, S> for Guarded<H>
where
    T: 'static,
    S: Send + 'static,
{
    type Future = Map<Join<CatchUnwind<AssertUnwindSafe<H::Future>>, Ready<Arc<Endpoint>>>, fn(Outcome) -> Response>;

    fn call(self, mut request: Request, state: S) -> Self::Future {
        request.extensions_mut().insert(self.endpoint.clone());
        let handling = AssertUnwindSafe(self.handler.call(request, state)).catch_unwind();
        join(handling, ready(self.endpoint)).map(settle as fn(Outcome) -> Response)
    }
}

fn settle((outcome, endpoint): Outcome) -> Response {
    let mut response = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
        Failure(Error::internal(format!("a handler panicked: {}", text.unwrap_or_default()))).into_response()
    });
    if response.extensions().get::<Arc<Error>>().is_some() {
        response.extensions_mut().insert(RouteForm(endpoint.errors.clone()));
    }
    response
}
