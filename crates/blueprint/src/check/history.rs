//! Members of singletons whose values are kept by period, as records of another type.

use serde_json::Value;

use super::metrics;
use super::report::Report;
use crate::file::form;
use crate::model::{Bucket, History, Resource};

/// As it is written: what it refers to is checked when every resource is known.
pub(super) fn of(written: Vec<form::History>) -> Vec<History> {
    let one = |one: form::History| History {
        value: one.value.unwrap_or_else(|| one.field.clone()),
        field: one.field,
        resource: one.resource,
        bucket: metrics::bucket(one.bucket),
        from: one.from,
        to: one.to,
        previous: one.previous,
    };
    written.into_iter().map(one).collect()
}

/// Whether each can be written: its records can hold what is kept, and nothing else is required of them.
pub(super) fn check(resources: &[Resource], report: &mut Report) {
    for (i, resource) in resources.iter().enumerate() {
        for (n, history) in resource.history.iter().enumerate() {
            one(&format!("resources[{i}].history[{n}]"), resource, history, resources, report);
        }
    }
}

fn one(place: &str, owner: &Resource, history: &History, resources: &[Resource], report: &mut Report) {
    let at = |member: &str| format!("{place}.{member}");
    report.expect(owner.singleton, place, "belongs to a singleton: of many records nobody could tell whose value it was");
    report.expect(may_be(owner, &history.field, &["number", "integer"]), at("field"), format!("{} is no number", history.field));
    report.expect(history.bucket != Bucket::Hour, at("bucket"), "must be day, week, month, quarter or year");
    if !report.known(at("resource"), "resource", &history.resource, resources.iter().map(|resource| resource.name.as_str())) {
        return;
    }
    let Some(kept) = resources.iter().find(|resource| resource.name == history.resource) else { return };
    report.expect(!kept.singleton, at("resource"), format!("{} is a singleton: there is a record for each period", kept.name));
    let numbers = [("value", Some(&history.value)), ("previous", history.previous.as_ref())];
    for (member, name) in numbers.into_iter().filter_map(|(member, name)| Some((member, name?))) {
        let fits = may_be(kept, name, &["number", "integer"]) && !kept.is_derived(name);
        report.expect(fits, at(member), format!("{} has no member {name} that may be set to a number", kept.name));
    }
    for (member, name) in [("from", &history.from), ("to", &history.to)] {
        let fits = may_be(kept, name, &["string"]) && !kept.is_derived(name);
        report.expect(fits, at(member), format!("{} has no member {name} that may be set to a day", kept.name));
    }
    report.expect(kept.unique.contains(&history.from), at("from"), format!("{} is not unique among {}", history.from, kept.plural));
    let set = [Some(&history.value), Some(&history.from), Some(&history.to), history.previous.as_ref()];
    for name in kept.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let has_default = property(kept, name).is_some_and(|property| property.get("default").is_some());
        let given = has_default || kept.is_derived(name) || set.iter().flatten().any(|set| *set == name);
        report.expect(given, at("resource"), format!("{} requires {name}, which is not kept", kept.name));
    }
}

fn property<'r>(resource: &'r Resource, member: &str) -> Option<&'r Value> {
    resource.schema.get("properties").and_then(|table| table.get(member))
}

/// Whether a member is there and its schema says one of these types.
fn may_be(resource: &Resource, member: &str, types: &[&str]) -> bool {
    match property(resource, member).map(|property| property.get("type")) {
        None => false,
        Some(None) => true,
        Some(Some(Value::String(one))) => types.contains(&one.as_str()),
        Some(Some(many)) => many.as_array().into_iter().flatten().filter_map(Value::as_str).any(|one| types.contains(&one)),
    }
}
