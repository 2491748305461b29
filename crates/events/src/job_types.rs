//! What the catalogue shows of the events about jobs. A job type may declare events of its own in their place.

use serde_json::json;

use crate::EventTypeView;
use crate::operational::{JOB_COMPLETED, JOB_FAILED};

/// None: it is not one of them.
pub(crate) fn view(name: &str) -> Option<EventTypeView> {
    let (text, maybe, number) = (json!({"type": "string"}), json!({"type": ["string", "null"]}), json!({"type": "integer"}));
    let (description, status) = match name {
        JOB_COMPLETED => ("A job completed", "completed"),
        JOB_FAILED => ("A job failed for good; error says why", "failed"),
        _ => return None,
    };
    let is_failure = status == "failed";
    let (outcome, value) = if is_failure {
        let schema = json!({"type": "object", "required": ["code", "message"], "properties": {"code": text, "message": text}});
        (("error", schema), json!({"code": "worker_lost", "message": "The worker was silent for too long."}))
    } else {
        (("result", json!({})), json!({"score": 87}))
    };
    let mut properties = json!({
        "jobId": text, "type": text, "status": {"const": status}, "progress": number, "attempts": number, "createdAt": text,
        "startedAt": maybe, "completedAt": text,
    });
    properties[outcome.0] = outcome.1;
    let required: Vec<&String> = properties.as_object()?.keys().collect();
    let schema = json!({"type": "object", "required": required, "properties": properties});
    let mut example = json!({
        "jobId": "job_01k2x3v7m8e1r9q0s5t6w7y8za", "type": "call.analyze", "status": status, "progress": if is_failure { 40 } else { 100 },
        "attempts": 1, "createdAt": "2026-01-31T12:00:00.000Z", "startedAt": "2026-01-31T12:00:01.000Z",
        "completedAt": "2026-01-31T12:02:00.000Z",
    });
    example[outcome.0] = value;
    Some(EventTypeView::of_ours(name, description, schema, example))
}
