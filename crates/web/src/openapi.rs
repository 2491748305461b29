//! The OpenAPI 3.1 document, made of the endpoints' metadata.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::path_shape;
use crate::endpoint::{Access, Endpoint, Shape};

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

/// The document. Hidden endpoints are left out.
pub fn document(info: &Info, endpoints: &[Arc<Endpoint>]) -> Value {
    let mut schemas = Map::new();
    schemas.insert("Problem".into(), problem_schema());
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
        operations.insert(endpoint.method.as_str().to_ascii_lowercase(), operation(endpoint, path, &mut schemas));
    }
    let paths: Map<String, Value> = paths.into_iter().map(|(_, path, operations)| (path, Value::Object(operations))).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": info.version, "description": info.description},
        "tags": tags.iter().filter(|tag| !tag.is_empty()).map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"ApiKeyAuth": {"type": "http", "scheme": "bearer", "description": "An API key, an access token or a service key."}},
        },
    });
    if let Some(server) = &info.server {
        document["servers"] = json!([{"url": server}]);
    }
    document
}

/// `path` is the document's key, whose parameter names count: another endpoint of the same shape may have named them first.
fn operation(endpoint: &Endpoint, path: &str, schemas: &mut Map<String, Value>) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "parameters": parameters(endpoint, path),
        "responses": responses(endpoint, path, schemas),
    });
    if !endpoint.tag.is_empty() {
        operation["tags"] = json!([endpoint.tag]);
    }
    if let Some(deprecation) = &endpoint.deprecation {
        operation["deprecated"] = json!(true);
        operation["x-deprecated-since"] = json!(deprecation.since);
        operation["x-sunset"] = json!(deprecation.sunset);
        operation["x-successor"] = json!(deprecation.successor);
    }
    if let Some(body) = &endpoint.body {
        let schema = schema(body, schemas);
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    match &endpoint.access {
        Access::Public => operation["security"] = json!([]),
        access => {
            operation["security"] = json!([{"ApiKeyAuth": []}]);
            match access {
                Access::Permission(permission) => operation["x-required-permission"] = json!(permission.name()),
                Access::Scope(scope) if !scope.is_empty() => operation["x-required-scope"] = json!(scope),
                Access::Operator => operation["x-operator-only"] = json!(true),
                Access::Scope(_) | Access::AnyCredential | Access::Public => {}
            }
        }
    }
    operation
}

fn parameters(endpoint: &Endpoint, path: &str) -> Vec<Value> {
    let mut list: Vec<Value> =
        path_parameters(path).map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})).collect();
    let text = |parameter: &crate::endpoint::Parameter| json!({"name": parameter.name, "in": "query", "required": false, "description": parameter.about, "schema": {"type": "string"}});
    list.extend(endpoint.query.iter().map(text));
    if endpoint.idempotent {
        list.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "maxLength": 255},
            "description": "The same key with the same request answers as the first time, for 24 hours.",
        }));
    }
    list
}

/// The parameters' names in a path template.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(|name| name.trim_start_matches('*'))
}

fn responses(endpoint: &Endpoint, path: &str, schemas: &mut Map<String, Value>) -> Map<String, Value> {
    let mut answers = Map::new();
    for (status, shape) in &endpoint.answers {
        let mut answer = json!({"description": reason(*status)});
        if let Some(shape) = shape {
            answer["content"] = json!({"application/json": {"schema": schema(shape, schemas)}});
        }
        if *status == 201 {
            answer["headers"] = json!({"Location": {"schema": {"type": "string"}}});
        }
        answers.insert(status.to_string(), answer);
    }
    if answers.is_empty() {
        answers.insert("200".into(), json!({"description": reason(200)}));
    }
    for status in failures(endpoint, path) {
        let problem = json!({
            "description": reason(status),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
        answers.entry(status.to_string()).or_insert(problem);
    }
    answers
}

/// The statuses of the errors that this endpoint can answer.
fn failures(endpoint: &Endpoint, path: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    if endpoint.body.is_some() || !endpoint.query.is_empty() {
        statuses.extend([400, 422]);
    }
    if endpoint.body.is_some() {
        statuses.extend([413, 415]);
    }
    if endpoint.idempotent {
        statuses.extend([409, 422]);
    }
    if endpoint.access != Access::Public {
        statuses.extend([401, 403, 429]);
    }
    if path.contains('{') {
        statuses.push(404);
    }
    statuses.extend([500, 503]);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Answer")
}

fn schema(shape: &Shape, schemas: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Given(value) => value.clone(),
        Shape::Typed(typed) => named(typed(), schemas),
        Shape::PageOf(typed) => {
            let row = named(typed(), schemas);
            let pagination = named(shape_of::<kernel::Pagination>(), schemas);
            json!({
                "type": "object",
                "required": ["data", "pagination"],
                "properties": {"data": {"type": "array", "items": row}, "pagination": pagination},
            })
        }
    }
}

/// A reference to the type's schema, which joins the components; lists, plain values and references stand where they are.
fn named(typed: TypeSchema, schemas: &mut Map<String, Value>) -> Value {
    for (name, schema) in typed.components {
        schemas.entry(name).or_insert(schema);
    }
    let object =
        typed.schema.get("properties").is_some() || ["oneOf", "allOf", "anyOf", "enum"].iter().any(|key| typed.schema.get(key).is_some());
    if !object {
        return typed.schema;
    }
    let reference = json!({"$ref": format!("#/components/schemas/{}", typed.name)});
    schemas.entry(typed.name).or_insert(typed.schema);
    reference
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable, for programs."},
            "requestId": {"type": "string"},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string", "description": "RFC 6901"}, "detail": {"type": "string"}},
            }},
        },
    })
}
