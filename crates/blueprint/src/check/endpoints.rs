//! The declared routes.

use std::collections::HashMap;

use serde_json::Value;

use super::report::Report;
use super::{nearest, paths, proxied, retirement};
use crate::file::form;
use crate::file::upstreams::Operation as Written;
use crate::model::{Endpoint, Operation, Resource, Scope, Upstream};
use crate::{Fault, suggest};

/// Rows of a list when the file says nothing, and the most that a file may allow.
const DEFAULT_LIMIT: u32 = 20;
const DEFAULT_MAX_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;
/// Most that one call may count in a limit.
const MAX_COST: u32 = 10_000;

/// Name, operation, methods, and whether the path names a record.
const OPERATIONS: &[(&str, Operation, &[&str], bool)] = &[
    ("list", Operation::List, &["GET"], false),
    ("get", Operation::Get, &["GET"], true),
    ("create", Operation::Create, &["POST"], false),
    ("update", Operation::Update, &["PUT", "PATCH"], true),
    ("delete", Operation::Delete, &["DELETE"], true),
];

/// What endpoints refer to.
pub(super) struct Declared<'a> {
    pub(super) base: &'a str,
    pub(super) scopes: &'a [Scope],
    pub(super) resources: &'a [Resource],
    pub(super) upstreams: &'a [Upstream],
}

pub(super) fn check(endpoints: Vec<form::Endpoint>, declared: &Declared<'_>, report: &mut Report) -> Vec<Endpoint> {
    collisions(&endpoints, report);
    proxied::overlaps(&endpoints, report);
    let Declared { base, scopes, resources, upstreams } = declared;
    let one = |(i, mut endpoint): (usize, form::Endpoint)| {
        let place = format!("endpoints[{i}]");
        if !endpoint.scope.is_empty() {
            report.known(format!("{place}.scope"), "scope", &endpoint.scope, scopes.iter().map(|scope| scope.name.as_str()));
        }
        report.prose(format!("{place}.summary"), &endpoint.summary, 0, 500);
        report.prose(format!("{place}.not_found"), endpoint.not_found.as_deref().unwrap_or("-"), 1, 500);
        let cost = endpoint.cost.unwrap_or(1);
        report.expect((1..=MAX_COST).contains(&cost), format!("{place}.cost"), format!("must be 1 to {MAX_COST}"));
        let (operation, upstream) = match std::mem::take(&mut endpoint.operation) {
            Written::Named(name) => (of_records(&place, base, &name, &endpoint, resources, report)?, None),
            Written::Upstream(call) => (Operation::Upstream, Some(proxied::call(&place, base, &endpoint, *call, upstreams, report))),
        };
        let limit = limits(&place, operation, &endpoint, report);
        let retirement = retirement::check(&place, &endpoint, report);
        Some(Endpoint {
            method: endpoint.method,
            path: endpoint.path,
            operation,
            resource: endpoint.resource.unwrap_or_default(),
            upstream,
            scope: endpoint.scope,
            summary: endpoint.summary,
            writable: endpoint.writable,
            limit,
            total: endpoint.total.unwrap_or(false),
            not_found: endpoint.not_found,
            cost,
            retirement,
        })
    };
    endpoints.into_iter().enumerate().filter_map(one).flat_map(proxied::each_method).collect()
}

/// The operation of an endpoint that answers from records, and what else it says.
fn of_records(
    place: &str,
    base: &str,
    name: &str,
    endpoint: &form::Endpoint,
    resources: &[Resource],
    report: &mut Report,
) -> Option<Operation> {
    let operation = operation(place, base, name, endpoint, report);
    let Some(named) = &endpoint.resource else {
        report.add(place, "resource is missing");
        return None;
    };
    report.known(format!("{place}.resource"), "resource", named, resources.iter().map(|r| r.name.as_str()));
    let operation = operation?;
    if let Some(resource) = resources.iter().find(|resource| resource.name == *named) {
        writable(place, operation, endpoint, resource, report);
    }
    Some(operation)
}

/// Two endpoints that answer the same requests, or paths of one shape that name the placeholder differently (which no router accepts).
fn collisions(endpoints: &[form::Endpoint], report: &mut Report) {
    let mut shapes: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, endpoint) in endpoints.iter().enumerate() {
        let others = shapes.entry(paths::shape(&endpoint.path)).or_default();
        let same = others.iter().find(|other| proxied::same_method(&endpoints[**other].method, &endpoint.method));
        if let Some(same) = same {
            report.add(
                format!("endpoints[{i}].path"),
                format!("{} {} is declared already by endpoints[{same}]", endpoint.method, endpoint.path),
            );
        } else if let Some(first) = others.first().filter(|first| endpoints[**first].path != endpoint.path) {
            let path = &endpoints[*first].path;
            report.add(format!("endpoints[{i}].path"), format!("has the same shape as {path}; give the placeholder the same name"));
        }
        others.push(i);
    }
}

fn operation(place: &str, base: &str, written: &str, endpoint: &form::Endpoint, report: &mut Report) -> Option<Operation> {
    let placeholder = paths::declared(base, &endpoint.path).map_err(|why| report.add(format!("{place}.path"), why));
    let Some((name, operation, methods, of_one)) = OPERATIONS.iter().find(|(name, ..)| *name == written) else {
        if written == "upstream" {
            report.add(
                format!("{place}.operation"),
                "is written as a table: { type = \"upstream\", upstream = \"name\", path = \"/v2/{id}\" }",
            );
            return None;
        }
        let names: Vec<&str> = OPERATIONS.iter().map(|(name, ..)| *name).collect();
        let message = format!("there is no operation {written:?}; there are {}", names.join(", "));
        let suggestion = nearest(written, &names);
        report.faults.push(Fault { suggestion, ..Fault::new(format!("{place}.operation"), message) });
        return None;
    };
    let allowed = methods.contains(&endpoint.method.as_str());
    report.expect(allowed, format!("{place}.method"), format!("{name} is served by {}", methods.join(" or ")));
    if let Ok(placeholder) = placeholder {
        let why = if *of_one { "must name the record by a placeholder such as {id}" } else { "must not have a placeholder" };
        report.expect(placeholder.is_some() == *of_one, format!("{place}.path"), why);
    }
    Some(*operation)
}

fn writable(place: &str, operation: Operation, endpoint: &form::Endpoint, resource: &Resource, report: &mut Report) {
    let properties = resource.schema.get("properties").and_then(Value::as_object);
    let stamped = |name: &str| resource.stamps.iter().any(|stamp| stamp.field == name);
    if let Some(names) = &endpoint.writable {
        let at = |i: usize| format!("{place}.writable[{i}]");
        let writes = matches!(operation, Operation::Create | Operation::Update);
        report.expect(writes, format!("{place}.writable"), "only create and update write");
        report.expect(!names.is_empty(), format!("{place}.writable"), "must name at least one member");
        for (i, name) in names.iter().enumerate() {
            if !properties.is_some_and(|properties| properties.contains_key(name)) {
                let known = properties.into_iter().flat_map(|properties| properties.keys()).map(String::as_str);
                let suggestion = suggest::nearest(name, known).map(str::to_owned);
                let message = format!("the schema of {} has no member {name:?}", resource.name);
                report.faults.push(Fault { suggestion, ..Fault::new(at(i), message) });
            }
            report.expect(!stamped(name), at(i), format!("{name} is a stamp: the server sets it"));
        }
        report.distinct("member", names, at);
    }
    if operation != Operation::Create {
        return;
    }
    for name in resource.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let defaulted = properties.and_then(|properties| properties.get(name)).is_some_and(|property| property.get("default").is_some());
        let given = endpoint.writable.as_ref().is_none_or(|names| names.iter().any(|writable| writable == name));
        let message = format!("lacks {name}, which the schema of {} requires: no record could be created", resource.name);
        report.expect(given || defaulted || stamped(name), format!("{place}.writable"), message);
    }
}

fn limits(place: &str, operation: Operation, endpoint: &form::Endpoint, report: &mut Report) -> (u32, u32) {
    if operation != Operation::List {
        let given = [("limit", endpoint.limit.is_some()), ("max_limit", endpoint.max_limit.is_some()), ("total", endpoint.total.is_some())];
        for (name, _) in given.iter().filter(|(_, given)| *given) {
            report.add(format!("{place}.{name}"), "belongs to list");
        }
        return (DEFAULT_LIMIT, DEFAULT_MAX_LIMIT);
    }
    let most = endpoint.max_limit.unwrap_or_else(|| endpoint.limit.unwrap_or(0).clamp(DEFAULT_MAX_LIMIT, MAX_LIMIT));
    let limit = endpoint.limit.unwrap_or_else(|| DEFAULT_LIMIT.min(most));
    report.expect((1..=MAX_LIMIT).contains(&most), format!("{place}.max_limit"), format!("must be 1 to {MAX_LIMIT}"));
    report.expect((1..=most.max(1)).contains(&limit), format!("{place}.limit"), format!("must be 1 to max_limit, which is {most}"));
    (limit, most)
}
