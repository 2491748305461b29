//! What the catalogue shows of the events about alerts.

use serde_json::{Value, json};

use crate::EventTypeView;
use crate::operational::{ALERT_CLOSED, ALERT_OPENED, ALERT_UPDATED};

/// None: it is not one of them.
pub(crate) fn view(name: &str) -> Option<EventTypeView> {
    let (description, status) = match name {
        ALERT_OPENED => ("Something needs a look: a rule's condition holds", "open"),
        ALERT_UPDATED => ("An alert that is open got worse, or somebody acknowledged or muted it", "acknowledged"),
        ALERT_CLOSED => ("What an alert told of is over, or somebody said so", "closed"),
        _ => return None,
    };
    let mut example = example();
    example["status"] = json!(status);
    if status == "closed" {
        example["closedAt"] = json!("2026-01-31T12:40:00.000Z");
        example["closedReason"] = json!("recovered");
    }
    Some(EventTypeView::of_ours(name, description, schema(), example))
}

fn schema() -> Value {
    let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let maybe = json!({"type": ["string", "null"]});
    let properties = json!({
        "alertId": text, "tenantId": maybe, "rule": text, "severity": text, "status": text, "subject": text, "summary": text,
        "value": number, "threshold": number, "unit": text, "count": {"type": "integer"}, "openedAt": text, "lastSeenAt": text,
        "closedAt": maybe, "closedReason": maybe,
    });
    let required: Vec<&String> = properties.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn example() -> Value {
    json!({
        "alertId": "alr_01k2x3v7m8e1r9q0s5t6w7y8za", "tenantId": "ten_01k2x3v7m8e1r9q0s5t6w7y8za", "rule": "failed_authentication",
        "severity": "warning", "status": "open", "subject": "key_01k2x3v7m8e1r9q0s5t6w7y8za",
        "summary": "57 failed authentications in 10 minutes with key_01k2x3v7m8e1r9q0s5t6w7y8za: wrong secret", "value": 57.0,
        "threshold": 20.0, "unit": "failures", "count": 3, "openedAt": "2026-01-31T12:00:00.000Z",
        "lastSeenAt": "2026-01-31T12:02:00.000Z", "closedAt": null, "closedReason": null,
    })
}
