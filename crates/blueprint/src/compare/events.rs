//! Event types: what receivers are promised.

use super::{Finding, Findings, Kind, Reliance, compare_schemas};
use crate::model::{Blueprint, EventType, OnSchemaFault};

const EVENTS: Kind = Kind { section: "events", word: "event type", removed: "event_removed", added: "event_added" };

pub(super) fn compare(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    report.names(EVENTS, old.events.iter().map(|one| one.name.as_str()), new.events.iter().map(|one| one.name.as_str()));
    for event in &old.events {
        if let Some(now) = new.event(event.name.as_str()) {
            self::event(event, now, report);
        }
    }
}

fn event(was: &EventType, now: &EventType, report: &mut Findings) {
    let place = format!("events[{:?}]", was.name.as_str());
    versions(was, now, &place, report);
    for alias in was.aliases.iter().filter(|one| !now.aliases.contains(one)) {
        report.breaking("alias_removed", format!("{place}.aliases"), format!("{alias} is not understood any more"));
    }
    match (&was.feature, &now.feature) {
        (old, new) if old == new => {}
        (_, Some(feature)) => {
            let message = format!("only tenants with the feature {feature} have it now");
            report.breaking("event_restricted", format!("{place}.feature"), message);
        }
        (_, None) => report.compatible("event_released", format!("{place}.feature"), "every tenant has it now"),
    }
    match (&was.deprecated, &now.deprecated) {
        (None, Some(deprecation)) => {
            let sunset = deprecation.sunset.as_ref().map_or_else(String::new, |day| format!(", to go on {day}"));
            report.compatible("event_deprecated", &place, format!("deprecated since {}{sunset}", deprecation.since));
        }
        (Some(_), None) => report.compatible("event_undeprecated", &place, "not deprecated any more"),
        _ => {}
    }
    if was.on_schema_fault != now.on_schema_fault {
        let at = format!("{place}.on_schema_fault");
        match now.on_schema_fault {
            OnSchemaFault::Warn => report.breaking("schema_not_enforced", at, "data that breaks the schema is delivered now"),
            _ => report.compatible("schema_fault_changed", at, "data that breaks the schema is treated differently, and not delivered"),
        }
    }
    if was.description != now.description {
        report.compatible("text_changed", format!("{place}.description"), "another description");
    }
}

fn versions(was: &EventType, now: &EventType, place: &str, report: &mut Findings) {
    let several = was.versions.len() > 1 || now.versions.len() > 1;
    for old in &was.versions {
        let at = if several { format!("{place}.versions[{}].data", old.version) } else { format!("{place}.data") };
        let Some(new) = now.version(old.version) else {
            report.breaking("event_version_removed", format!("{place}.versions[{}]", old.version), "the version is gone");
            continue;
        };
        let found = compare_schemas(&old.schema, &new.schema, Reliance::Reader, &at);
        let unbroken = found.is_empty();
        report.list.extend(found);
        if unbroken && old.schema != new.schema {
            report.compatible("schema_changed", &at, "receivers of the old version understand it");
        }
        publishers(&old.schema, &new.schema, &at, report);
        if old.deprecated.is_none() && new.deprecated.is_some() {
            report.compatible("event_deprecated", format!("{place}.versions[{}]", old.version), "the version is deprecated");
        }
    }
    for new in now.versions.iter().filter(|new| was.version(new.version).is_none()) {
        report.compatible("event_version_added", format!("{place}.versions[{}]", new.version), "a new version");
    }
    if was.default_version != now.default_version {
        default_version(was, now, place, report);
    }
}

/// Who publishes is the host, which changes together with its blueprint: what it must do is worth a word and breaks no partner.
fn publishers(old: &serde_json::Value, new: &serde_json::Value, at: &str, report: &mut Findings) {
    if let Some(first) = compare_schemas(old, new, Reliance::Writer, at).first() {
        let Finding { place, message, .. } = first;
        report.compatible("publisher_must_change", place, format!("whoever publishes this must follow: {message}"));
    }
}

/// Receivers get another version as soon as a publisher names none.
fn default_version(was: &EventType, now: &EventType, place: &str, report: &mut Findings) {
    let at = format!("{place}.default_version");
    let moved = format!("from {} to {}", was.default_version, now.default_version);
    let broken = compare_schemas(&was.schema, &now.schema, Reliance::Reader, "");
    match broken.first() {
        None => report.compatible("default_version_changed", at, format!("{moved}: receivers of the old one understand it")),
        Some(first) => {
            let what = format!("{moved}: {} {}", if first.place.is_empty() { "data" } else { &first.place }, first.message);
            report.breaking("default_version_changed", at, what);
        }
    }
}
