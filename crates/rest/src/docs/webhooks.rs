//! The `webhooks` section of the OpenAPI document: what receivers are sent.

use blueprint::Blueprint;
use blueprint::model::EventType;
use serde_json::{Map, Value, json};

use super::payloads;

/// Adds the section and its components.
pub(super) fn add(blueprint: &Blueprint, document: &mut Value) {
    let section: Map<String, Value> =
        payloads::public(blueprint).map(|event| (event.name.to_string(), json!({"post": operation(blueprint, event)}))).collect();
    if section.is_empty() {
        return;
    }
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(payloads::components(blueprint));
    }
    document["webhooks"] = Value::Object(section);
}

fn operation(blueprint: &Blueprint, event: &EventType) -> Value {
    let form = &blueprint.webhooks.body;
    let header = |one: payloads::Header| json!({"name": one.name, "in": "header", "required": false, "description": one.about, "schema": one.schema});
    let mut operation = json!({
        "operationId": format!("webhook.{}", event.name),
        "summary": event.name.as_str(),
        "description": payloads::about(event),
        "tags": ["Webhooks that you receive"],
        "security": [],
        "parameters": payloads::headers(blueprint).into_iter().map(header).collect::<Vec<_>>(),
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": payloads::body(form, event), "example": payloads::example(form, event)}},
        },
        "responses": {
            "2XX": {"description": "Received: the delivery has ended"},
            "410": {"description": "Gone: the webhook is disabled"},
            "default": {"description": "Not received: it is tried again, at the time of Retry-After if there is one"},
        },
    });
    if event.deprecated.is_some() {
        operation["deprecated"] = Value::Bool(true);
    }
    operation
}
