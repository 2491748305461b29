//! How the API and the webhooks look.

use serde_json::Value;

use super::{Findings, Kind};
use crate::model::{Blueprint, BodyForm, Webhooks};

const DOCS: Kind = Kind { section: "product.docs_paths", word: "path of the docs", removed: "docs_path_removed", added: "docs_path_added" };

pub(super) fn compare(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    let (was, now) = (&old.style, &new.style);
    if was.base_path != now.base_path {
        report.breaking("base_path_changed", "style.base_path", format!("from {} to {}", was.base_path, now.base_path));
    }
    for (name, same) in [
        ("envelope", was.envelope == now.envelope),
        ("errors", was.errors == now.errors),
        ("validation_status", was.validation_status == now.validation_status),
        ("naming", was.naming == now.naming),
        ("reset", was.reset == now.reset),
    ] {
        if !same {
            report.breaking("style_changed", format!("style.{name}"), "answers look different");
        }
    }
    if was.error_texts != now.error_texts {
        report.compatible("text_changed", "style.error_texts", "other texts; programs look at codes");
    }
    let paths = |blueprint: &Blueprint| blueprint.product.docs_paths.clone();
    report.names(DOCS, paths(old).iter().map(String::as_str), paths(new).iter().map(String::as_str));
    webhooks(&old.webhooks, &new.webhooks, report);
}

fn webhooks(was: &Webhooks, now: &Webhooks, report: &mut Findings) {
    body(&was.body, &now.body, report);
    for (name, old, new) in [
        ("id_header", &was.id_header, &now.id_header),
        ("event_header", &was.event_header, &now.event_header),
        ("timestamp_header", &was.timestamp_header, &now.timestamp_header),
        ("signature_header", &was.signature_header, &now.signature_header),
    ] {
        let place = format!("webhooks.{name}");
        match (old, new) {
            (Some(old), Some(new)) if old.eq_ignore_ascii_case(new) => {}
            (Some(old), _) => report.breaking("webhook_header_removed", place, format!("{old} is not sent any more")),
            (None, Some(new)) => report.compatible("webhook_header_added", place, format!("{new} is sent as well")),
            (None, None) => {}
        }
    }
    if now.timeout_ms < was.timeout_ms {
        let message = format!("from {} s to {} s: slow receivers are cut off", was.timeout_ms / 1000, now.timeout_ms / 1000);
        report.breaking("webhook_timeout_lowered", "webhooks.timeout_seconds", message);
    }
    if was.retry_schedule_ms != now.retry_schedule_ms {
        report.compatible("retry_schedule_changed", "webhooks.retry_schedule_seconds", "retries come at other times");
    }
    if was.test_event != now.test_event || was.test_data != now.test_data {
        report.compatible("test_event_changed", "webhooks.test_event", "test deliveries look different");
    }
}

fn body(was: &BodyForm, now: &BodyForm, report: &mut Findings) {
    let place = "webhooks.body";
    match (names(was), names(now)) {
        (None, None) => {}
        (Some((old, old_constants)), Some((new, new_constants))) => {
            if old != new {
                report.breaking("webhook_body_changed", place, "the body's members have other names");
            }
            for (name, value) in old_constants {
                if !new_constants.contains(&(name.clone(), value.clone())) {
                    report.breaking("webhook_body_changed", place, format!("{name} is gone, or has another value"));
                }
            }
            for (name, _) in new_constants.iter().filter(|(name, _)| !old_constants.iter().any(|(old, _)| old == name)) {
                report.compatible("webhook_body_extended", place, format!("{name} is new"));
            }
        }
        _ => report.breaking("webhook_body_changed", place, "the body has another form"),
    }
}

/// The names of id, type, timestamp and data, and the constant members.
type Members<'a> = ([&'a str; 4], &'a [(String, Value)]);

/// The members of a body; none: it is `data` alone.
fn names(form: &BodyForm) -> Option<Members<'_>> {
    match form {
        BodyForm::Envelope => Some((["id", "type", "timestamp", "data"], &[])),
        BodyForm::Legacy { id, event_type, timestamp, data, constants } => Some(([id, event_type, timestamp, data], constants)),
        BodyForm::DataOnly => None,
    }
}
