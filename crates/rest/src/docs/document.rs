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
    let mut document = web::openapi::document(&info, endpoints);
    if let Some(email) = &blueprint.product.contact_email {
        document["info"]["contact"] = json!({"name": blueprint.product.title, "email": email});
    }
    document["servers"] = servers(&config.public_url);
    components(blueprint, &mut document);
    own_errors(blueprint, &mut document);
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

/// Adds the resources, and the blueprint's own error form.
fn components(blueprint: &Blueprint, document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for resource in &blueprint.resources {
        schemas.extend(shapes::components(resource, blueprint.style.naming));
    }
    if blueprint.style.errors == ErrorStyle::Success {
        let error = json!({
            "type": "object",
            "required": ["success", "error"],
            "properties": {"success": {"const": false}, "error": {"type": "string", "description": "What went wrong, for people"}},
        });
        schemas.insert("Error".into(), error);
    }
}

/// Shows the errors of declared endpoints in the blueprint's form, under its status for validation faults.
fn own_errors(blueprint: &Blueprint, document: &mut Value) {
    let style = &blueprint.style;
    let declared: HashSet<(String, String)> = blueprint
        .endpoints
        .iter()
        .map(|endpoint| (path_shape(&format!("{}{}", style.base_path, endpoint.path)), endpoint.method.to_ascii_lowercase()))
        .collect();
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        let shape = path_shape(path);
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            if declared.contains(&(shape.clone(), method.clone()))
                && let Some(responses) = operation["responses"].as_object_mut()
            {
                restyle(responses, style.errors, style.validation_status);
            }
        }
    }
}

fn restyle(responses: &mut Map<String, Value>, errors: ErrorStyle, validation_status: u16) {
    if validation_status != 422
        && let Some(fault) = responses.remove("422")
    {
        responses.entry(validation_status.to_string()).or_insert(fault);
        responses.sort_keys();
    }
    if errors == ErrorStyle::Success {
        for response in responses.values_mut() {
            if response["content"].get("application/problem+json").is_some() {
                response["content"] = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}});
            }
        }
    }
}

/// A path without the names of its parameters: another endpoint of the same shape may have named them first.
fn path_shape(path: &str) -> String {
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}
