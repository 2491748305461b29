//! The HTTP surface: the management of endpoints, and the paths below which they are served.

use std::sync::Arc;

use http::Method;
use kernel::Permission;
use web::{Access, Api, Endpoint};

use super::{RestEndpoint, RestEndpointInput, RestEndpoints, create, delete, get, list, serve};

const ALL: &str = "/api/v1/rest-endpoints";
const ONE: &str = "/api/v1/rest-endpoints/{id}";
const OWN: &str = "/api/v1/x/{*path}";
const PUBLIC: &str = "/public/{tenant}/{*path}";
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

fn reading(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("REST endpoints").needs(Access::Permission(Permission::EndpointsRead))
}

fn writing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("REST endpoints").needs(Access::Permission(Permission::EndpointsWrite))
}

impl RestEndpoints {
    /// The routes. Those below which endpoints are served are hidden: the document shows what is served there, by tenant.
    pub fn routes(self: &Arc<Self>) -> Api {
        let create = writing(Endpoint::post(ALL, "rest_endpoints.create"))
            .summary("Declare a REST endpoint of your own; it answers at once")
            .body::<RestEndpointInput>()
            .answers::<RestEndpoint>(201);
        let list = reading(Endpoint::get(ALL, "rest_endpoints.list"))
            .summary("List them, the newest first")
            .paged()
            .answers_page::<RestEndpoint>();
        let get = reading(Endpoint::get(ONE, "rest_endpoints.get")).summary("Get one").answers::<RestEndpoint>(200);
        let delete = writing(Endpoint::delete(ONE, "rest_endpoints.delete"))
            .summary("Delete one: its path answers 404 from then on")
            .answers_nothing();
        let api = Api::new()
            .route(create, create::handle, Arc::clone(self))
            .route(list, list::handle, Arc::clone(self))
            .route(get, get::handle, Arc::clone(self))
            .route(delete, delete::handle, Arc::clone(self));
        METHODS.into_iter().fold(api, |api, method| {
            let word = method.as_str().to_ascii_lowercase();
            let own = Endpoint::new(method.clone(), OWN, format!("rest_endpoints.own.{word}")).hidden();
            let public = Endpoint::new(method, PUBLIC, format!("rest_endpoints.public.{word}")).needs(Access::Public).hidden();
            api.route(own, serve::own, Arc::clone(self)).route(public.idempotent(false).logged(), serve::public, Arc::clone(self))
        })
    }
}
