//! Endpoints that work on records.

use serde_json::{Map, Value};

use super::endpoints::Context;
use super::report::Report;
use super::{nearest, paths};
use crate::file::operations::TABLES;
use crate::model::{Endpoint, Operation, Resource};
use crate::{Fault, suggest};

/// Rows of a list when the file says nothing, and the most that a file may allow.
const DEFAULT_LIMIT: u32 = 20;
const DEFAULT_MAX_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Records of the type, perhaps those of one parent.
    Many,
    /// One record, perhaps below its parent.
    One,
}

/// Name, operation, methods, and what the path names.
const OPERATIONS: &[(&str, Operation, &[&str], Names)] = &[
    ("list", Operation::List, &["GET"], Names::Many),
    ("get", Operation::Get, &["GET"], Names::One),
    ("create", Operation::Create, &["POST"], Names::Many),
    ("update", Operation::Update, &["PUT", "PATCH", "POST"], Names::One),
    ("replace", Operation::Replace, &["PUT", "POST"], Names::One),
    ("delete", Operation::Delete, &["DELETE", "POST"], Names::One),
    ("batch", Operation::Batch, &["POST"], Names::Many),
    ("export", Operation::Export, &["GET"], Names::Many),
    ("import", Operation::Import, &["POST"], Names::Many),
];

/// Fills in what an endpoint on records says. None: it cannot be told what it does.
pub(super) fn check(context: &Context<'_>, name: &str, checked: &mut Endpoint, report: &mut Report) -> Option<()> {
    let found = operation(context, name, report);
    let Some(named) = &context.written.resource else {
        report.add(context.place, "resource is missing");
        return None;
    };
    let resources = context.declared.resources;
    report.known(context.at("resource"), "resource", named, resources.iter().map(|r| r.name.as_str()));
    let (operation, names) = found?;
    checked.operation = operation;
    let resource = resources.iter().find(|resource| resource.name == *named)?;
    checked.parent = path(context, resource, names, report);
    context.foreign(&format!("{name} of {named}"), allowed(operation), report);
    writable(context, operation, resource, checked, report);
    constants(context, resource, checked, report);
    if let Some(member) = &context.written.member {
        let at = context.at("member");
        if known_member(&at, resource, member, report) && operation == Operation::Replace {
            report.expect(!resource.is_derived(member), at, format!("{member} is set by the server"));
        }
    }
    order(context, resource, checked, report);
    emission(context, resource, report);
    Some(())
}

/// The members of an endpoint that an operation knows, beside those that all have.
fn allowed(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::List => &["resource", "parent", "order", "not_found", "public", "answer", "status"],
        Operation::Get => &["resource", "parent", "member", "not_found", "public", "answer", "status"],
        Operation::Create => &["resource", "parent", "writable", "set", "emits", "not_found", "public", "answer", "status"],
        Operation::Update => &["resource", "parent", "writable", "set", "emits", "not_found", "answer", "status"],
        Operation::Replace => &["resource", "parent", "member", "writable", "emits", "not_found", "answer", "status"],
        Operation::Delete => &["resource", "parent", "not_found", "answer", "status"],
        _ => &["resource"],
    }
}

fn operation(context: &Context<'_>, written: &str, report: &mut Report) -> Option<(Operation, Names)> {
    let Some((name, operation, methods, names)) = OPERATIONS.iter().find(|(name, ..)| *name == written) else {
        let at = context.at("operation");
        if TABLES.contains(&written) {
            report.add(at, format!("is written as a table: {{ type = {written:?}, … }}"));
            return None;
        }
        let known: Vec<&str> = OPERATIONS.iter().map(|(name, ..)| *name).chain(["health"]).collect();
        let message = format!("there is no operation {written:?}; there are {}", known.join(", "));
        let suggestion = nearest(written, &known);
        report.faults.push(Fault { suggestion, ..Fault::new(at, message) });
        return None;
    };
    let allowed = methods.contains(&context.written.method.as_str());
    report.expect(allowed, context.at("method"), format!("{name} is served by {}", methods.join(" or ")));
    Some((*operation, *names))
}

/// Checks what the path names, and answers the resource type of the parent in it.
fn path(context: &Context<'_>, resource: &Resource, names: Names, report: &mut Report) -> Option<String> {
    let at = context.at("path");
    let placeholders = match paths::placeholders(context.base, &context.written.path) {
        Ok(placeholders) => placeholders.len(),
        Err(why) => {
            report.add(at, why);
            return None;
        }
    };
    let own = usize::from(names == Names::One && !resource.singleton);
    if placeholders == own {
        report.expect(context.written.parent.is_none(), context.at("parent"), "the path names no parent: it needs a placeholder more");
        return None;
    }
    if placeholders == own + 1 && !resource.parents.is_empty() {
        return parent(context, resource, report);
    }
    let why = match (names, resource.singleton) {
        (_, true) => "must not have a placeholder: there is one only",
        (Names::One, false) if placeholders == 0 => "must name the record by a placeholder such as {id}",
        (Names::One, false) => "has too many placeholders: it names the record, and before it perhaps the record's parent",
        (Names::Many, false) => "must not have a placeholder, unless it names a parent that the resource declares",
    };
    report.add(at, why);
    None
}

fn parent(context: &Context<'_>, resource: &Resource, report: &mut Report) -> Option<String> {
    let at = context.at("parent");
    match (&context.written.parent, resource.parents.as_slice()) {
        (Some(named), parents) => {
            report.known(at, "parent", named, parents.iter().map(|parent| parent.resource.as_str()));
            Some(named.clone())
        }
        (None, [only]) => Some(only.resource.clone()),
        (None, parents) => {
            let names: Vec<String> = parents.iter().map(|parent| crate::with_article(&parent.resource)).collect();
            report.add(at, format!("is missing: the path may name {}", names.join(" or ")));
            None
        }
    }
}

fn properties(resource: &Resource) -> Option<&Map<String, Value>> {
    resource.schema.get("properties").and_then(Value::as_object)
}

fn known_member(place: &str, resource: &Resource, name: &str, report: &mut Report) -> bool {
    if properties(resource).is_some_and(|properties| properties.contains_key(name)) {
        return true;
    }
    let known = properties(resource).into_iter().flat_map(|properties| properties.keys()).map(String::as_str);
    let suggestion = suggest::nearest(name, known).map(str::to_owned);
    let message = format!("the schema of {} has no member {name:?}", resource.name);
    report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
    false
}

fn writable(context: &Context<'_>, operation: Operation, resource: &Resource, checked: &mut Endpoint, report: &mut Report) {
    let place = context.at("writable");
    if let Some(names) = &context.written.writable {
        let at = |i: usize| format!("{place}[{i}]");
        // What an update sets by itself, or tells, it does without being sent anything.
        let acts = operation == Operation::Update && (!context.written.set.is_empty() || context.written.emits.is_some());
        report.expect(!names.is_empty() || acts, &place, "must name at least one member, unless an update sets members or emits an event");
        for (i, name) in names.iter().enumerate() {
            known_member(&at(i), resource, name, report);
            let stamped = resource.stamps.iter().any(|stamp| stamp.field == *name);
            report.expect(!stamped, at(i), format!("{name} is a stamp: the server sets it"));
            report.expect(stamped || !resource.is_derived(name), at(i), format!("{name} is computed by the server"));
            report.expect(!resource.server_set.contains(name), at(i), format!("{name} is in server_set: partners do not set it"));
        }
        report.distinct("member", names, at);
    }
    let writes = matches!(operation, Operation::Create | Operation::Update | Operation::Replace);
    if writes && checked.writable.is_none() && !resource.server_set.is_empty() {
        checked.writable = Some(resource.open_members());
    }
    if operation != Operation::Create {
        return;
    }
    let by_path = checked.parent.as_deref().and_then(|parent| resource.parent(parent)).map(|parent| parent.field.as_str());
    for name in resource.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let defaulted = properties(resource).and_then(|properties| properties.get(name)).is_some_and(|p| p.get("default").is_some());
        let given = checked.writable.as_ref().is_none_or(|names| names.iter().any(|writable| writable == name));
        let set = by_path == Some(name) || context.written.set.contains_key(name) || resource.is_derived(name);
        let message = format!("lacks {name}, which the schema of {} requires: no record could be created", resource.name);
        report.expect(given || defaulted || set, &place, message);
    }
}

/// What the endpoint sets by itself.
fn constants(context: &Context<'_>, resource: &Resource, checked: &mut Endpoint, report: &mut Report) {
    for (name, value) in &context.written.set {
        let at = context.at(&format!("set.{name}"));
        if !known_member(&at, resource, name, report) {
            continue;
        }
        report.expect(!resource.is_derived(name), &at, format!("{name} is set by the server already"));
        let sample = if value == "{now}" { Value::from("2025-01-31T09:30:00.000Z") } else { value.clone() };
        if !super::resources::accepts(resource, name, &sample) {
            let shown = crate::schema::short(&value.to_string());
            report.add(&at, format!("the schema of {name} does not allow {shown}"));
        }
        if let Some(names) = &context.written.writable {
            report.expect(!names.contains(name), &at, "is writable too: a caller's value would be lost");
        }
        checked.set.push((name.clone(), value.clone()));
    }
}

/// The event's data comes from the record: what it requires must be there.
fn emission(context: &Context<'_>, resource: &Resource, report: &mut Report) {
    let Some(name) = &context.written.emits else { return };
    let Some(event) = context.declared.events.iter().find(|event| event.name.as_str() == name.as_str()) else { return };
    for member in event.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let added = [Some(&resource.emits.id_member), Some(&resource.created_field), resource.updated_field.as_ref()];
        let present = member == "id"
            || added.into_iter().flatten().any(|name| name == member)
            || properties(resource).is_some_and(|properties| properties.contains_key(member));
        let message = format!("{name} requires {member} in its data, which {} does not have", crate::with_article(&resource.name));
        report.expect(present, context.at("emits"), message);
    }
}

fn order(context: &Context<'_>, resource: &Resource, checked: &mut Endpoint, report: &mut Report) {
    let Some(order) = &context.written.order else { return };
    let (field, descending) = order.strip_prefix('-').map_or((order.as_str(), false), |field| (field, true));
    let known = resource.sort.iter().map(String::as_str).chain([resource.created_field.as_str()]);
    if report.known(context.at("order"), "order", field, known) {
        checked.order = Some((field.to_owned(), descending));
    }
}

/// How many rows a list has.
pub(super) fn limits(context: &Context<'_>, operation: Operation, report: &mut Report) -> (u32, u32) {
    let written = context.written;
    if operation != Operation::List {
        let given = [("limit", written.limit.is_some()), ("max_limit", written.max_limit.is_some()), ("total", written.total.is_some())];
        for (name, _) in given.iter().filter(|(_, given)| *given) {
            report.add(context.at(name), "belongs to list");
        }
        return (DEFAULT_LIMIT, DEFAULT_MAX_LIMIT);
    }
    let most = written.max_limit.unwrap_or_else(|| written.limit.unwrap_or(0).clamp(DEFAULT_MAX_LIMIT, MAX_LIMIT));
    let limit = written.limit.unwrap_or_else(|| DEFAULT_LIMIT.min(most));
    report.expect((1..=MAX_LIMIT).contains(&most), context.at("max_limit"), format!("must be 1 to {MAX_LIMIT}"));
    report.expect((1..=most.max(1)).contains(&limit), context.at("limit"), format!("must be 1 to max_limit, which is {most}"));
    (limit, most)
}
