//! One operation.

use serde_json::{Map, Value, json};

use super::example::{Fill, example};
use super::{parameters, responses, schemas};
use crate::endpoint::{Access, Endpoint};

/// `path` is the document's key, whose parameter names count: another endpoint of the same shape may have named them first.
pub(super) fn operation(endpoint: &Endpoint, path: &str, known: &mut Map<String, Value>) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "parameters": parameters::of(endpoint, path),
        "responses": responses::of(endpoint, known),
    });
    if !endpoint.summary.is_empty() {
        operation["summary"] = json!(endpoint.summary);
    }
    if !endpoint.description.is_empty() {
        operation["description"] = json!(endpoint.description);
    }
    if !endpoint.tag.is_empty() {
        operation["tags"] = json!([endpoint.tag]);
    }
    if let Some(deprecation) = &endpoint.deprecation {
        operation["deprecated"] = json!(true);
        operation["x-deprecated-since"] = json!(deprecation.since);
        operation["x-sunset"] = json!(deprecation.sunset);
        operation["x-successor"] = json!(deprecation.successor);
    }
    if endpoint.body.is_some() || !endpoint.body_media.is_empty() {
        operation["requestBody"] = request_body(endpoint, known);
    }
    access(endpoint, &mut operation);
    operation
}

fn request_body(endpoint: &Endpoint, known: &mut Map<String, Value>) -> Value {
    let mut content = Map::new();
    if let Some((media, schema)) = endpoint.body.as_ref().map(|body| schemas::content(body, known)) {
        let mut entry = json!({"schema": schema});
        if media == "application/json" {
            let made = || example(&entry["schema"], known, Fill::Needed);
            entry["example"] = endpoint.body_example.clone().unwrap_or_else(made);
        }
        content.insert(media.into(), entry);
    }
    for other in &endpoint.body_media {
        content.insert((*other).into(), json!({"schema": {"type": "string"}}));
    }
    json!({"required": !endpoint.body_optional, "content": content})
}

fn access(endpoint: &Endpoint, operation: &mut Value) {
    if endpoint.access == Access::Public {
        operation["security"] = json!([]);
        return;
    }
    operation["security"] = json!([{"ApiKeyAuth": []}]);
    match &endpoint.access {
        Access::Permission(permission) => operation["x-required-permission"] = json!(permission.name()),
        Access::Scope(scope) if !scope.is_empty() => operation["x-required-scope"] = json!(scope),
        Access::PermissionOr(permission, scopes) => {
            operation["x-required-permission"] = json!(permission.name());
            operation["x-or-scopes"] = json!(scopes);
        }
        Access::Operator => operation["x-operator-only"] = json!(true),
        Access::Scope(_) | Access::AnyCredential | Access::Public => {}
    }
}
