//! What the catalogue shows of the events about API keys.

use serde_json::json;

use crate::EventTypeView;
use crate::operational::{API_KEY_EXPIRED, API_KEY_EXPIRING, API_KEY_LEAKED, API_KEY_REVOKED, API_KEY_ROTATED, API_KEY_ROTATION_DUE};

/// None: it is not one of them.
pub(crate) fn view(name: &str) -> Option<EventTypeView> {
    let (text, flag, maybe) = (json!({"type": "string"}), json!({"type": "boolean"}), json!({"type": ["string", "null"]}));
    let successor = "key_01k2x3v7m8e1r9q0s5t6w7y8zb";
    let (description, members, example) = match name {
        API_KEY_ROTATED => (
            "Another API key took a key's place; the old one works until expiresAt, or not any more",
            json!({"successorId": text}),
            json!({"successorId": successor}),
        ),
        API_KEY_REVOKED => ("An API key was revoked, for good", json!({}), json!({})),
        API_KEY_EXPIRING => (
            "An API key ends before long; extended: it was replaced, is still used, and was given another day",
            json!({"successorId": maybe, "inUse": flag, "extended": flag}),
            json!({"successorId": null, "inUse": true, "extended": false}),
        ),
        API_KEY_EXPIRED => (
            "An API key has ended; inUse: it was used within the last day, so somebody is refused now",
            json!({"successorId": maybe, "inUse": flag}),
            json!({"successorId": successor, "inUse": false}),
        ),
        API_KEY_ROTATION_DUE => (
            "An API key is older than rotationFrequencyDays; repeated every week until it is rotated",
            json!({"rotationDueAt": text, "inUse": flag}),
            json!({"rotationDueAt": "2026-04-30T12:00:00.000Z", "inUse": true}),
        ),
        API_KEY_LEAKED => (
            "An API key was found where others can read it; action says what was done about it",
            json!({"source": text, "url": maybe, "action": text, "successorId": maybe}),
            json!({"source": "github", "url": "https://github.com/example/app/blob/main/.env", "action": "shorten", "successorId": null}),
        ),
        _ => return None,
    };
    let mut properties = json!({
        "apiKeyId": text, "keyId": text, "name": text, "clientId": text, "environment": text, "lineageId": text,
        "expiresAt": maybe, "lastUsedAt": maybe, "requestCount": {"type": "integer"},
    });
    let mut whole = json!({
        "apiKeyId": "key_01k2x3v7m8e1r9q0s5t6w7y8za", "keyId": "tw_live_4fT9xQ2LmZ0a", "name": "Backend",
        "clientId": "cli_01k2x3v7m8e1r9q0s5t6w7y8za", "environment": "production", "lineageId": "key_01k2x3v7m8e1r9q0s5t6w7y8za",
        "expiresAt": "2026-04-30T12:00:00.000Z", "lastUsedAt": "2026-04-29T08:15:00.000Z", "requestCount": 1200,
    });
    for (all, more) in [(&mut properties, members), (&mut whole, example)] {
        all.as_object_mut()?.extend(more.as_object()?.clone());
    }
    let required: Vec<&String> = properties.as_object()?.keys().collect();
    let schema = json!({"type": "object", "required": required, "properties": properties});
    Some(EventTypeView::of_ours(name, description, schema, whole))
}
