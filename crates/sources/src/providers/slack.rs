//! Slack: `X-Slack-Signature: v0=<hex HMAC-SHA256 of "v0:timestamp:body">`. Events come as JSON, commands and interactions as forms.

use serde_json::Value;

use super::{Algorithm, Check, Meaning, Refusal, macs, text_at};
use crate::calls::Content;

pub(super) const TIMESTAMP: &str = "x-slack-request-timestamp";

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let given = check.header("x-slack-signature")?.strip_prefix("v0=").and_then(macs::unhex);
    let timestamp = check.header(TIMESTAMP)?;
    check.is_fresh(timestamp)?;
    check.by_mac(Algorithm::Sha256, given, &[b"v0:", timestamp.as_bytes(), b":", &check.call.body])
}

/// The proof that this address is ours, which Slack asks for when the address is entered. It is signed like everything else.
pub(super) fn challenge(value: &Value) -> Option<String> {
    (value.get("type")?.as_str()? == "url_verification").then(|| text_at(value, &["challenge"])).flatten()
}

pub(super) fn meaning(content: &Content, value: &Value) -> Meaning {
    if content.is_form() && value.get("command").is_some() {
        return Meaning { event_type: Some("command".to_owned()), id: text_at(value, &["trigger_id"]) };
    }
    let outer = text_at(value, &["type"]);
    let inner = text_at(value, &["event", "type"]).filter(|_| outer.as_deref() == Some("event_callback"));
    Meaning { event_type: inner.or(outer), id: text_at(value, &["event_id"]).or_else(|| text_at(value, &["trigger_id"])) }
}
