//! Webhooks.

use serde_json::Value;

use super::super::form::{self, Proof, Signed};
use super::report::Report;

pub(super) fn read(value: Option<Value>, report: &mut Report) -> Option<form::Webhook> {
    let webhook: form::Webhook = report.typed("webhook", value?, &[])?;
    let named = webhook.header.as_ref().is_none_or(|header| http::HeaderName::try_from(header.as_str()).is_ok());
    report.expect(named, "webhook.header", "is no name of a header");
    let has_header = webhook.header.is_some() || webhook.proof == Proof::Basic;
    report.expect(has_header, "webhook", "header is missing: where the proof stands");
    let timed = (webhook.signed == Signed::TimestampDotBody) == webhook.timestamp_header.is_some();
    report.expect(timed, "webhook", "timestamp_header goes with signed = \"timestamp_dot_body\"");
    for (member, pointer) in [("events", &webhook.events), ("object", &webhook.object), ("id", &webhook.id)] {
        report.pointer(&format!("webhook.{member}"), pointer);
    }
    for (member, pointer) in
        [("action", &webhook.action), ("merged_into", &webhook.merged_into), ("at", &webhook.at), ("account", &webhook.account)]
    {
        report.pointer_if(&format!("webhook.{member}"), pointer.as_ref());
    }
    Some(webhook)
}
