//! How webhooks look.

use std::collections::HashSet;

use http::HeaderName;
use serde_json::{Value, json};

use super::events;
use super::report::{Report, is_member};
use crate::file::{form, json as json_of};
use crate::model::{BodyForm, EventType, Webhooks};
use crate::schema::Schema;

/// Most retries, the longest wait before one, and the longest time-out, in seconds.
const MAX_RETRIES: usize = 20;
const MAX_WAIT: u64 = 7 * 24 * 3600;
const MAX_TIMEOUT: u64 = 120;

/// Headers that the sender or Standard Webhooks set.
const TAKEN: &[&str] = &[
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
    "user-agent",
    "authorization",
    "cookie",
    "proxy-authorization",
    "proxy-connection",
];

pub(super) fn check(webhooks: form::Webhooks, declared: &[EventType], report: &mut Report) -> Webhooks {
    headers(&webhooks, report);
    let timeout = webhooks.timeout_seconds.unwrap_or(30);
    report.expect((1..=MAX_TIMEOUT).contains(&timeout), "webhooks.timeout_seconds", format!("must be 1 to {MAX_TIMEOUT}"));
    let retry_schedule_ms = webhooks.retry_schedule_seconds.map(|waits| schedule(&waits, report));
    let body = body(webhooks.body, webhooks.legacy, report);
    let test_event = webhooks.test_event.unwrap_or_else(|| "test.webhook".to_owned());
    let test_event = events::name(&test_event).map_err(|why| report.add("webhooks.test_event", why)).ok().or_else(|| "test".parse().ok());
    let default = || json!({ "test": true, "message": "This is a test delivery.", "timestamp": "{now}" });
    let test_data = webhooks.test_data.map_or_else(|| Ok(default()), json_of);
    let test_data = test_data.unwrap_or_else(|why| {
        report.add("webhooks.test_data", why);
        default()
    });
    report.expect(test_data.is_object(), "webhooks.test_data", "must be an object");
    let test_event = test_event.expect("the word test is an event type");
    let checked = Webhooks {
        body,
        id_header: webhooks.id_header,
        event_header: webhooks.event_header,
        timestamp_header: webhooks.timestamp_header,
        signature_header: webhooks.signature_header,
        retry_schedule_ms,
        timeout_ms: timeout.min(MAX_TIMEOUT) * 1000,
        test_event,
        test_data,
    };
    if let Some(event) = declared.iter().find(|event| event.name == checked.test_event)
        && let Ok(schema) = Schema::compile(&event.schema)
    {
        let sample = checked.test_data_at(kernel::Timestamp::from_millis(0));
        events::satisfied(&schema, &sample, "webhooks.test_data", report);
    }
    checked
}

fn headers(webhooks: &form::Webhooks, report: &mut Report) {
    let headers = [
        ("id_header", &webhooks.id_header),
        ("event_header", &webhooks.event_header),
        ("timestamp_header", &webhooks.timestamp_header),
        ("signature_header", &webhooks.signature_header),
    ];
    let mut seen = HashSet::new();
    for (member, name) in headers {
        let (place, Some(name)) = (format!("webhooks.{member}"), name) else { continue };
        match name.parse::<HeaderName>() {
            Err(_) => report.add(place, "is not the name of an HTTP header"),
            Ok(header) if TAKEN.contains(&header.as_str()) => report.add(place, format!("{header} is set by the sender itself")),
            Ok(header) => {
                report.expect(seen.insert(header), place, "this header is declared twice");
            }
        }
    }
}

fn schedule(waits: &[u64], report: &mut Report) -> Vec<u64> {
    let place = "webhooks.retry_schedule_seconds";
    report.expect(waits.len() <= MAX_RETRIES, place, format!("has {} waits; {MAX_RETRIES} are allowed", waits.len()));
    for (i, wait) in waits.iter().enumerate() {
        report.expect((1..=MAX_WAIT).contains(wait), format!("{place}[{i}]"), format!("must be 1 to {MAX_WAIT} seconds (7 days)"));
    }
    waits.iter().map(|wait| (*wait).min(MAX_WAIT) * 1000).collect()
}

fn body(body: form::Body, legacy: Option<form::Legacy>, report: &mut Report) -> BodyForm {
    match (body, legacy) {
        (form::Body::Envelope, None) => BodyForm::Envelope,
        (form::Body::DataOnly, None) => BodyForm::DataOnly,
        (form::Body::Legacy, Some(legacy)) => renamed(legacy, report),
        (form::Body::Legacy, None) => {
            report.add("webhooks.body", "legacy needs [webhooks.legacy] with the names of the members");
            BodyForm::Envelope
        }
        (_, Some(_)) => {
            report.add("webhooks.legacy", "belongs to body = \"legacy\"");
            BodyForm::Envelope
        }
    }
}

fn renamed(legacy: form::Legacy, report: &mut Report) -> BodyForm {
    let form::Legacy { id, event_type, timestamp, data, constants } = legacy;
    let mut seen = HashSet::new();
    for (member, name) in [("id", &id), ("event_type", &event_type), ("timestamp", &timestamp), ("data", &data)] {
        let place = format!("webhooks.legacy.{member}");
        report.expect(is_member(name), &place, "must be letters, digits and _");
        report.expect(seen.insert(name.as_str()), place, "this member is declared twice");
    }
    let constants: Vec<(String, Value)> = constants.into_iter().collect();
    for (name, _) in &constants {
        let place = format!("webhooks.legacy.constants.{name}");
        report.expect(is_member(name), &place, "must be letters, digits and _");
        report.expect(seen.insert(name.as_str()), place, "this member is declared twice");
    }
    drop(seen);
    BodyForm::Legacy { id, event_type, timestamp, data, constants }
}
