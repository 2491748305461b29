//! The AsyncAPI 3.0 document: the events that receivers of webhooks are sent.

use blueprint::Blueprint;
use blueprint::model::EventType;
use serde_json::{Map, Value, json};

use super::{DocsConfig, payloads};

const BINDING: &str = "0.3.0";

/// The document. We are the one who sends: to whichever address a partner's webhook names.
pub fn asyncapi(blueprint: &Blueprint, config: &DocsConfig) -> Value {
    let product = &blueprint.product;
    let events: Vec<&EventType> = payloads::public(blueprint).collect();
    let by_name = |make: &dyn Fn(&EventType) -> Value| -> Map<String, Value> {
        events.iter().map(|event| (event.name.to_string(), make(event))).collect()
    };
    let references = by_name(&|event| json!({"$ref": format!("#/components/messages/{}", event.name)}));
    let operations = events.iter().map(|event| (format!("send.{}", event.name), operation(event))).collect::<Map<_, _>>();
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": format!("{}: events", product.title),
            "version": config.version,
            "description": format!("The webhooks of {}. The API itself is described at {}/docs/openapi.json.", product.title, config.public_url),
        },
        "defaultContentType": "application/json",
        "channels": {
            "webhooks": {
                "address": null,
                "title": "Webhooks",
                "description": "A POST to the address that a webhook of yours names.",
                "messages": references,
            },
        },
        "operations": operations,
        "components": {
            "messages": by_name(&|event| message(blueprint, event)),
            "schemas": payloads::components(blueprint),
        },
    });
    if let Some(email) = &product.contact_email {
        document["info"]["contact"] = json!({"name": product.title, "email": email});
    }
    document
}

fn operation(event: &EventType) -> Value {
    json!({
        "action": "send",
        "channel": {"$ref": "#/channels/webhooks"},
        "summary": payloads::about(event),
        "messages": [{"$ref": format!("#/channels/webhooks/messages/{}", event.name)}],
        "bindings": {"http": {"method": "POST", "bindingVersion": BINDING}},
    })
}

fn message(blueprint: &Blueprint, event: &EventType) -> Value {
    let form = &blueprint.webhooks.body;
    let headers: Map<String, Value> = payloads::headers(blueprint)
        .into_iter()
        .map(|one| {
            let mut schema = one.schema;
            schema["description"] = one.about.into();
            (one.name, schema)
        })
        .collect();
    let mut message = json!({
        "name": event.name.as_str(),
        "title": event.name.as_str(),
        "summary": payloads::about(event),
        "contentType": "application/json",
        "headers": {"type": "object", "properties": headers},
        "payload": payloads::body(form, event),
        "examples": [{"name": "example", "payload": payloads::example(form, event)}],
    });
    if let Some(deprecation) = &event.deprecated {
        message["x-deprecated"] = json!({
            "since": deprecation.since,
            "sunset": deprecation.sunset,
            "replacement": deprecation.replacement.as_ref().map(ToString::to_string),
        });
    }
    message
}
