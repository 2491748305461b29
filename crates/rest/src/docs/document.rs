//! The OpenAPI 3.1 document: the endpoints' own metadata, with what the blueprint adds.

use std::collections::HashSet;
use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::ErrorStyle;
use serde_json::{Map, Value, json};
use web::Endpoint;
use web::openapi::Info;

use super::DocsConfig;
use crate::shapes;

/// Where a server listens that is started without any setting.
const DEVELOPMENT: &str = "http://127.0.0.1:8080";

/// The document for `endpoints`, those of every feature.
pub fn openapi(blueprint: &Blueprint, endpoints: &[Arc<Endpoint>], config: &DocsConfig) -> Value {
    let info = Info {
        title: blueprint.product.title.clone(),
        version: config.version.clone(),
        description: blueprint.product.description.clone(),
        server: Some(config.public_url.clone()),
    };
    let mut document = web::openapi::document(&info, endpoints, components(blueprint));
    if let Some(email) = &blueprint.product.contact_email {
        document["info"]["contact"] = json!({"name": blueprint.product.title, "email": email});
    }
    document["servers"] = servers(&config.public_url);
    declared(blueprint, &mut document);
    two_secrets(blueprint, &mut document);
    super::webhooks::add(blueprint, &mut document);
    document
}

fn servers(public_url: &str) -> Value {
    let mut list = vec![json!({"url": public_url, "description": "The public address of this server"})];
    if public_url != DEVELOPMENT {
        list.push(json!({"url": DEVELOPMENT, "description": "A server on your own machine, started without settings"}));
    }
    Value::Array(list)
}

/// The resources, and the blueprint's own error form.
fn components(blueprint: &Blueprint) -> Map<String, Value> {
    let mut schemas = Map::new();
    for resource in &blueprint.resources {
        schemas.extend(shapes::components(resource, blueprint.style.naming));
    }
    schemas.extend(crate::declared::metric_components(blueprint));
    if blueprint.style.errors == ErrorStyle::Success {
        let error = json!({
            "type": "object",
            "required": ["success", "error"],
            "properties": {"success": {"const": false}, "error": {"type": "string", "description": "What went wrong, for people"}},
        });
        schemas.insert("Error".into(), error);
    }
    schemas
}

/// Marks the endpoints that the blueprint declares, and shows their errors in its form, under its status for validation faults.
fn declared(blueprint: &Blueprint, document: &mut Value) {
    let style = &blueprint.style;
    let declared: HashSet<(String, String)> =
        blueprint.endpoints.iter().map(|endpoint| (path_shape(&endpoint.full_path(style)), endpoint.method.to_ascii_lowercase())).collect();
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        let shape = path_shape(path);
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            if !declared.contains(&(shape.clone(), method.clone())) {
                continue;
            }
            operation["x-declared"] = Value::Bool(true);
            if let Some(responses) = operation["responses"].as_object_mut() {
                restyle(responses, style.errors, style.validation_status);
            }
        }
    }
    if style.errors == ErrorStyle::Success
        && let Some(responses) = document["components"]["responses"].as_object_mut()
    {
        let own: Vec<(String, Value)> = responses.iter().map(|(name, answer)| (format!("{OWN}{name}"), in_own_form(answer))).collect();
        responses.extend(own);
    }
}

/// Where clients have two secrets, the second is a scheme of its own. Service keys, and clients that opted out, send one.
fn two_secrets(blueprint: &Blueprint, document: &mut Value) {
    if !blueprint.keys.dual_auth {
        return;
    }
    document["components"]["securitySchemes"]["ApiSecretAuth"] =
        json!({"type": "apiKey", "in": "header", "name": "X-API-Secret", "description": "The second secret of an API key."});
    for operation in document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()).flat_map(operations) {
        if operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty()) {
            operation["security"] = json!([{"ApiKeyAuth": [], "ApiSecretAuth": []}, {"ApiKeyAuth": []}]);
        }
    }
}

fn operations(path: &mut Value) -> impl Iterator<Item = &mut Value> {
    path.as_object_mut().into_iter().flat_map(|operations| operations.values_mut())
}

/// What the names of answers in the blueprint's form begin with.
const OWN: &str = "Product";
const RESPONSES: &str = "#/components/responses/";

fn in_own_form(answer: &Value) -> Value {
    let detail = answer.pointer("/content/application~1problem+json/example/detail").cloned().unwrap_or_default();
    let mut own = answer.clone();
    let schema = json!({"$ref": "#/components/schemas/Error"});
    own["content"] = json!({"application/json": {"schema": schema, "example": {"success": false, "error": detail}}});
    own
}

fn restyle(responses: &mut Map<String, Value>, errors: ErrorStyle, validation_status: u16) {
    // Only faults in a body or a query have the blueprint's status; an idempotency key that was used for something else stays 422.
    if validation_status != 422
        && let Some(fault) = responses.get("422").cloned()
    {
        responses.entry(validation_status.to_string()).or_insert(fault);
        responses.sort_keys();
    }
    if errors == ErrorStyle::Success {
        for response in responses.values_mut() {
            if let Some(Value::String(target)) = response.get_mut("$ref")
                && let Some(name) = target.strip_prefix(RESPONSES)
            {
                *target = format!("{RESPONSES}{OWN}{name}");
            }
        }
    }
}

/// A path without the names of its parameters: another endpoint of the same shape may have named them first.
fn path_shape(path: &str) -> String {
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}
