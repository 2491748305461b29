//! What can happen.

use serde_json::Value;

use super::report::{Report, is_word};
use crate::file::{form, json};
use crate::model::{Deprecation, EventType, EventVersion, OnSchemaFault};
use crate::schema::Schema;

/// Highest number of a version, and most versions of a type.
const MAX_VERSION: u32 = 1_000_000;
const MAX_VERSIONS: usize = 50;

pub(super) fn on_schema_fault(written: form::OnSchemaFault) -> OnSchemaFault {
    match written {
        form::OnSchemaFault::Reject => OnSchemaFault::Reject,
        form::OnSchemaFault::Warn => OnSchemaFault::Warn,
        form::OnSchemaFault::Quarantine => OnSchemaFault::Quarantine,
    }
}

pub(super) fn check(events: Vec<form::Event>, default: OnSchemaFault, report: &mut Report) -> Vec<EventType> {
    report.distinct("event", events.iter().map(|event| &event.name), |i| format!("events[{i}].name"));
    let checked: Vec<EventType> = events.into_iter().enumerate().filter_map(|(i, event)| one(i, event, default, report)).collect();
    replacements(&checked, report);
    aliases(&checked, report);
    checked
}

/// An alias names one type, and no type of its own.
fn aliases(events: &[EventType], report: &mut Report) {
    let mut seen = std::collections::HashSet::new();
    for (i, event) in events.iter().enumerate() {
        for (j, alias) in event.aliases.iter().enumerate() {
            let at = format!("events[{i}].aliases[{j}]");
            let free = !events.iter().any(|other| other.name == *alias);
            report.expect(free, &at, format!("{alias} is declared as a type itself"));
            report.expect(seen.insert(alias), at, format!("{alias} stands for a type already"));
        }
    }
}

fn one(i: usize, event: form::Event, default: OnSchemaFault, report: &mut Report) -> Option<EventType> {
    let at = format!("events[{i}]");
    let name = name(&event.name).map_err(|why| report.add(format!("{at}.name"), why)).ok();
    report.prose(format!("{at}.description"), &event.description, 0, 500);
    if let Some(feature) = &event.feature {
        report.expect(is_word(feature), format!("{at}.feature"), "must be lower-case letters, digits, - and _, first a letter, at most 64");
    }
    let whole = deprecation(event.deprecated, &format!("{at}.deprecated"), report);
    let newest = event.version.unwrap_or(1);
    let mut versions = vec![version(newest, event.schema, event.example, None, &at, report)?];
    report.expect(event.versions.len() < MAX_VERSIONS, format!("{at}.versions"), format!("has more than {MAX_VERSIONS} versions"));
    for (n, older) in event.versions.into_iter().take(MAX_VERSIONS).enumerate() {
        let at = format!("{at}.versions[{n}]");
        report.expect(older.version < newest, format!("{at}.version"), format!("must be older than the type's own version, {newest}"));
        let deprecated = deprecation(older.deprecated, &format!("{at}.deprecated"), report);
        versions.push(version(older.version, older.schema, older.example, deprecated, &at, report)?);
    }
    report.distinct("version", versions.iter().map(|one| one.version).collect::<Vec<_>>(), |n| {
        format!("{at}.versions[{}].version", n.saturating_sub(1))
    });
    let mut aliases = Vec::new();
    for (n, alias) in event.aliases.iter().enumerate() {
        aliases.extend(self::name(alias).map_err(|why| report.add(format!("{at}.aliases[{n}]"), why)).ok());
    }
    versions.sort_by_key(|one| std::cmp::Reverse(one.version));
    let current = versions.iter().find(|one| one.deprecated.is_none()).unwrap_or(&versions[0]).version;
    let default_version = event.default_version.unwrap_or(current);
    let Some(chosen) = versions.iter().find(|one| one.version == default_version) else {
        report.add(format!("{at}.default_version"), format!("there is no version {default_version} of this type"));
        return None;
    };
    Some(EventType {
        name: name?,
        description: event.description,
        schema: chosen.schema.clone(),
        example: chosen.example.clone(),
        default_version,
        versions,
        deprecated: whole,
        feature: event.feature,
        aliases,
        on_schema_fault: event.on_schema_fault.map_or(default, on_schema_fault),
    })
}

fn version(
    version: u32,
    schema: Value,
    example: Value,
    deprecated: Option<Deprecation>,
    at: &str,
    report: &mut Report,
) -> Option<EventVersion> {
    let place = |member: &str| format!("{at}.{member}");
    report.expect((1..=MAX_VERSION).contains(&version), place("version"), format!("must be 1 to {MAX_VERSION}"));
    let schema = json(schema).map_err(|why| report.add(place("schema"), why)).ok();
    let example = json(example).map_err(|why| report.add(place("example"), why)).ok();
    let (schema, example) = (schema?, example?);
    match Schema::compile(&schema) {
        Err(why) => report.add(place("schema"), format!("is not a usable JSON Schema: {why}")),
        Ok(compiled) => satisfied(&compiled, &example, &place("example"), report),
    }
    report.expect(example.is_object(), place("example"), "must be an object, as data always is");
    Some(EventVersion { version, schema, example, deprecated })
}

fn deprecation(written: Option<form::Deprecated>, at: &str, report: &mut Report) -> Option<Deprecation> {
    let written = written?;
    let place = |member: &str| format!("{at}.{member}");
    report.expect(is_day(&written.since), place("since"), "must be a day such as 2026-01-31");
    if let Some(sunset) = &written.sunset {
        report.expect(is_day(sunset), place("sunset"), "must be a day such as 2026-01-31");
        report.expect(*sunset >= written.since, place("sunset"), "must not be before since");
    }
    if let Some(note) = &written.note {
        report.prose(place("note"), note, 1, 500);
    }
    let replacement = written.replacement.and_then(|text| name(&text).map_err(|why| report.add(place("replacement"), why)).ok());
    Some(Deprecation { since: written.since, replacement, sunset: written.sunset, note: written.note })
}

/// What replaces a type must be declared, and be another one.
fn replacements(events: &[EventType], report: &mut Report) {
    for (i, event) in events.iter().enumerate() {
        let own = event.deprecated.iter().map(|one| (one, "deprecated.replacement".to_owned()));
        let older = event.versions.iter().filter_map(|one| Some((one.deprecated.as_ref()?, "versions".to_owned())));
        for (deprecation, member) in own.chain(older) {
            let Some(replacement) = &deprecation.replacement else { continue };
            let at = format!("events[{i}].{member}");
            if report.known(&at, "event", replacement.as_str(), events.iter().map(|other| other.name.as_str())) && member != "versions" {
                report.expect(*replacement != event.name, at, "is this very type");
            }
        }
    }
}

/// `2026-01-31`, a day that exists.
pub(super) fn is_day(text: &str) -> bool {
    text.len() == 10 && kernel::Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok()
}

/// An event's name that a blueprint may declare.
pub(super) fn name(text: &str) -> Result<kernel::EventType, String> {
    if text.starts_with("inbound.") {
        return Err("names that begin with inbound. belong to received webhooks and need no declaration".to_owned());
    }
    text.parse().map_err(|_| "must be words of A-Z a-z 0-9 _ - joined by dots, such as lead.created".to_owned())
}

/// Reports each way in which `value` breaks `schema`.
pub(super) fn satisfied(schema: &Schema, value: &Value, place: &str, report: &mut Report) {
    for fault in schema.check(value, "") {
        let at = if fault.pointer.is_empty() { String::new() } else { format!(" at {}", fault.pointer) };
        report.add(place, format!("does not satisfy the schema{at}: {}", fault.detail));
    }
}
