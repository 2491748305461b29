//! What can happen.

use serde_json::Value;

use super::report::Report;
use crate::file::{form, json};
use crate::model::EventType;
use crate::schema::Schema;

pub(super) fn check(events: Vec<form::Event>, report: &mut Report) -> Vec<EventType> {
    report.distinct("event", events.iter().map(|event| &event.name), |i| format!("events[{i}].name"));
    events.into_iter().enumerate().filter_map(|(i, event)| one(i, event, report)).collect()
}

fn one(i: usize, event: form::Event, report: &mut Report) -> Option<EventType> {
    let place = |member: &str| format!("events[{i}].{member}");
    let name = name(&event.name).map_err(|why| report.add(place("name"), why)).ok();
    report.prose(place("description"), &event.description, 0, 500);
    let schema = json(event.schema).map_err(|why| report.add(place("schema"), why)).ok();
    let example = json(event.example).map_err(|why| report.add(place("example"), why)).ok();
    let (schema, example) = (schema?, example?);
    match Schema::compile(&schema) {
        Err(why) => report.add(place("schema"), format!("is not a usable JSON Schema: {why}")),
        Ok(compiled) => satisfied(&compiled, &example, &place("example"), report),
    }
    report.expect(example.is_object(), place("example"), "must be an object, as data always is");
    Some(EventType { name: name?, description: event.description, schema, example })
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
