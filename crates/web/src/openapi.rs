//! The OpenAPI 3.1 document, made of the endpoints' metadata.
//!
//! What every operation shares (errors, headers, the idempotency key) stands once among the components. Examples are made of the schemas,
//! so that they cannot fall behind them.

mod example;
mod operation;
mod parameters;
mod responses;
mod schemas;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::path_shape;
use crate::endpoint::Endpoint;

pub use example::{Fill, example};

/// What the document says about the whole API.
#[derive(Clone, Debug)]
pub struct Info {
    /// The API's name.
    pub title: String,
    /// The API's version.
    pub version: String,
    /// A text in Markdown.
    pub description: String,
    /// The server's address, if known.
    pub server: Option<String>,
}

/// A Rust type's schema, with those that it refers to.
#[derive(Clone, Debug)]
pub struct TypeSchema {
    /// The type's name.
    pub name: String,
    /// Its schema.
    pub schema: Value,
    /// The named schemas that it refers to.
    pub components: Vec<(String, Value)>,
}

/// The schema of `T`.
pub fn shape_of<T: ToSchema>() -> TypeSchema {
    let mut components = Vec::new();
    T::schemas(&mut components);
    let components = components.into_iter().map(|(name, schema)| (name, to_json(&schema))).collect();
    TypeSchema { name: T::name().into_owned(), schema: to_json(&T::schema()), components }
}

fn to_json<T: serde::Serialize>(schema: &T) -> Value {
    serde_json::to_value(schema).expect("a schema serialises: its maps have text keys")
}

/// The document. Hidden endpoints are left out. `given` are schemas that hand-made ones refer to (a blueprint's resources).
pub fn document(info: &Info, endpoints: &[Arc<Endpoint>], given: Map<String, Value>) -> Value {
    let mut schemas = given;
    schemas.insert("Problem".into(), responses::problem_schema());
    let mut paths: Vec<(String, String, Map<String, Value>)> = Vec::new();
    let mut tags = BTreeSet::new();
    for endpoint in endpoints.iter().filter(|endpoint| !endpoint.hidden) {
        tags.insert(endpoint.tag.clone());
        let shape = path_shape(&endpoint.path);
        let at = paths.iter().position(|(known, ..)| *known == shape).unwrap_or_else(|| {
            paths.push((shape, endpoint.path.replace("{*", "{"), Map::new()));
            paths.len() - 1
        });
        let (_, path, operations) = &mut paths[at];
        operations.insert(endpoint.method.as_str().to_ascii_lowercase(), operation::operation(endpoint, path, &mut schemas));
    }
    let paths: Map<String, Value> = paths.into_iter().map(|(_, path, operations)| (path, Value::Object(operations))).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": info.version, "description": info.description},
        "tags": tags.iter().filter(|tag| !tag.is_empty()).map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters::components(),
            "headers": responses::headers(),
            "responses": responses::components(),
            "securitySchemes": {"ApiKeyAuth": {"type": "http", "scheme": "bearer", "description": "An API key, an access token or a service key."}},
        },
    });
    if let Some(server) = &info.server {
        document["servers"] = json!([{"url": server}]);
    }
    document
}
