//! The HTTP surface.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::MethodRouter;
use gate::Gate;
use kernel::Permission;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::{Access, Api, Endpoint};

use crate::schemas::{self, GraphqlSchema, GraphqlSchemaInput};
use crate::{Graphql, http, websocket};

/// Where GraphQL is served.
const PATHS: [(&str, &str); 2] = [("/graphql", ""), ("/api/v1/graphql", "_v1")];
const SCHEMA: &str = "/api/v1/graphql-schema";

/// What stands behind a path: the same three doors for what comes by GET and for what comes over a WebSocket, each behind the gate.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) graphql: Arc<Graphql>,
    pub(crate) path: &'static str,
    /// A query by GET.
    get: Router,
    /// An operation of a WebSocket.
    pub(crate) post: Router,
    /// Whether a credential is good.
    pub(crate) connect: Router,
}

impl Graphql {
    /// The routes. `gate` guards what comes over a WebSocket, whose credential may be in its first message.
    pub fn routes(self: &Arc<Self>, gate: &Arc<Gate>) -> Api {
        let read = |endpoint: Endpoint| endpoint.tag("GraphQL").needs(Access::Permission(Permission::EndpointsRead));
        let write = |endpoint: Endpoint| endpoint.tag("GraphQL").needs(Access::Permission(Permission::EndpointsWrite));
        let api = Api::new()
            .route(
                read(Endpoint::get(SCHEMA, "graphql_schema.get"))
                    .summary("Get your GraphQL schema and the limits of its operations")
                    .answers::<GraphqlSchema>(200),
                schemas::get,
                Arc::clone(self),
            )
            .route(
                write(Endpoint::put(SCHEMA, "graphql_schema.put"))
                    .summary("Set type definitions and limits of your own; they are served at once")
                    .body::<GraphqlSchemaInput>()
                    .answers::<GraphqlSchema>(200),
                schemas::put,
                Arc::clone(self),
            );
        PATHS.into_iter().fold(api, |api, (path, suffix)| {
            let doors = Doors::new(self, gate, path, suffix);
            api.route(operations(path, suffix), http::post, Arc::clone(self)).route(
                // Its handler sends a query through the gate itself: a WebSocket may bring its credential later.
                Endpoint::get(path, format!("graphql.query{suffix}")).tag("GraphQL").needs(Access::Public).hidden(),
                ask,
                doors,
            )
        })
    }
}

/// An operation by POST.
fn operations(path: &str, suffix: &str) -> Endpoint {
    Endpoint::post(path, format!("graphql.execute{suffix}"))
        .tag("GraphQL")
        .summary("Run a GraphQL operation, or a list of up to 10 of them")
        .needs(Access::AnyCredential)
        .body_limit(http::body())
        .body_schema(body())
        .answers_schema(200, answer())
        // What is no operation at all is told in GraphQL's form; everything before it as problems.
        .answers_schema(400, answer())
}

fn body() -> Value {
    json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "The document"},
            "operationName": {"type": ["string", "null"], "description": "Which of its operations"},
            "variables": {"type": ["object", "null"], "description": "Values of its variables"},
            "extensions": {"type": ["object", "null"], "description": "persistedQuery: {version: 1, sha256Hash}"},
        },
    })
}

fn answer() -> Value {
    json!({
        "type": "object",
        "properties": {
            "data": {"description": "What was asked for; null if that failed as a whole"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {
                        "message": {"type": "string"},
                        "locations": {"type": "array"},
                        "path": {"type": "array"},
                        "extensions": {"type": "object", "properties": {"code": {"type": "string"}}},
                    },
                },
            },
        },
    })
}

impl Doors {
    fn new(graphql: &Arc<Graphql>, gate: &Arc<Gate>, path: &'static str, suffix: &str) -> Self {
        let guarded = |endpoint: Endpoint, route: MethodRouter| Router::new().route(path, gate.guard(Arc::new(endpoint), route));
        let plain = |endpoint: Endpoint| endpoint.needs(Access::AnyCredential).idempotent(false);
        Self {
            graphql: Arc::clone(graphql),
            path,
            get: guarded(
                plain(Endpoint::get(path, format!("graphql.query{suffix}"))),
                axum::routing::get(http::get).with_state(Arc::clone(graphql)),
            ),
            post: guarded(operations(path, suffix), axum::routing::post(http::post).with_state(Arc::clone(graphql))),
            connect: guarded(plain(Endpoint::get(path, format!("graphql.connect{suffix}"))), axum::routing::get(http::connect)),
        }
    }
}

/// `GET`: a query, or the beginning of a WebSocket.
async fn ask(State(doors): State<Doors>, request: Request) -> Response {
    if websocket::is_asked_for(request.headers()) {
        return websocket::open(doors, request).await;
    }
    match doors.get.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
