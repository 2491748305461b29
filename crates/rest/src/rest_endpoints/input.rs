//! What must hold of an endpoint before it is made.

use blueprint::model::Operation;
use blueprint::{Blueprint, Schema};
use kernel::{Caller, Error, FieldError, Result, text};
use records::{Records, ResourceType, Touch};

use super::endpoint::{Definition, RestEndpointInput, RestMethod, RestOperationType};
use super::path::{self, Segment};
use super::shown;
use crate::generic::RULES;
use crate::list_query;

/// Most scopes of one endpoint.
const MAX_SCOPES: usize = 20;
/// Most fixed query parameters, and the longest value.
const MAX_QUERY: usize = 10;
const MAX_VALUE: usize = 200;

/// The shape of the path and what is kept. Errors: 422 `validation_failed`, naming everything that is wrong.
pub(super) fn check(input: RestEndpointInput, blueprint: &Blueprint, records: &Records) -> Result<(String, RestMethod, Definition)> {
    let mut faults = Vec::new();
    let segments = path::parse(&input.path).map_err(|why| add(&mut faults, "/path", why)).unwrap_or_default();
    let (operation, method) = (&input.operation, input.method);
    let methods = operation.kind.methods();
    if !methods.contains(&method) {
        let names: Vec<&str> = methods.iter().map(|one| one.as_str()).collect();
        add(&mut faults, "/method", format!("{} is served by {}", operation.kind.as_str(), names.join(" or ")));
    }
    if !segments.is_empty() && segments.contains(&Segment::Id) != operation.kind.is_of_one() {
        let why = if operation.kind.is_of_one() { "must name the record by {id}: tickets/{id}" } else { "must not have a placeholder" };
        add(&mut faults, "/path", why);
    }
    if input.public && matches!(operation.kind, RestOperationType::Update | RestOperationType::Delete) {
        add(&mut faults, "/public", "only list, get and create may be public: anybody could change or delete every record");
    }
    scopes(&input.scopes, blueprint, &mut faults);
    if let Some(Err(why)) = input.schema.as_ref().map(Schema::compile) {
        add(&mut faults, "/schema", why);
    }
    if let Some(Err(error)) = input.summary.as_deref().map(|summary| text::line("/summary", summary, 1, text::MAX_NAME)) {
        faults.extend(error.fields().iter().cloned());
    }
    resource(&input, blueprint, records, &mut faults);
    if !faults.is_empty() {
        return Err(Error::invalid("validation_failed", "The endpoint cannot be made; see errors.").with_fields(faults));
    }
    let RestEndpointInput { path, scopes, schema, public, summary, operation, .. } = input;
    Ok((path::shape(&segments), method, Definition { path, scopes, schema, public, summary, operation }))
}

fn add(faults: &mut Vec<FieldError>, pointer: impl Into<String>, detail: impl Into<String>) {
    faults.push(FieldError { pointer: pointer.into(), detail: detail.into() });
}

fn scopes(names: &[String], blueprint: &Blueprint, faults: &mut Vec<FieldError>) {
    if names.len() > MAX_SCOPES {
        add(faults, "/scopes", format!("must have at most {MAX_SCOPES} items"));
    }
    for (i, name) in names.iter().enumerate().take(MAX_SCOPES) {
        if blueprint.scope(name).is_none() {
            let known = blueprint.all_scopes().join(", ");
            add(faults, format!("/scopes/{i}"), format!("is not a scope of this product; there are {known}"));
        } else if names[..i].contains(name) {
            add(faults, format!("/scopes/{i}"), "is named twice");
        }
    }
}

fn resource(input: &RestEndpointInput, blueprint: &Blueprint, records: &Records, faults: &mut Vec<FieldError>) {
    let operation = &input.operation;
    let Ok(kind) = records.resource_type(&operation.resource) else {
        let known: Vec<&str> = blueprint.resources.iter().map(|resource| resource.name.as_str()).collect();
        add(faults, "/operation/resource", format!("is not a resource type of this product; there are {}", known.join(", ")));
        return;
    };
    if operation.query.is_empty() {
        return;
    }
    let of_one = operation.kind == RestOperationType::Get && operation.query.keys().all(|name| name == "fields");
    if operation.kind != RestOperationType::List && !of_one {
        add(faults, "/operation/query", "is for list only, and for get with `fields` alone");
        return;
    }
    if operation.query.len() > MAX_QUERY {
        add(faults, "/operation/query", format!("must have at most {MAX_QUERY} members"));
        return;
    }
    let at = |name: &str| format!("/operation/query/{}", name.replace('~', "~0").replace('/', "~1"));
    for (name, value) in &operation.query {
        if matches!(name.as_str(), "cursor" | "page") {
            add(faults, at(name), "is the caller's: a list begins where the caller says");
        } else if value.chars().count() > MAX_VALUE || value.contains('\0') {
            add(faults, at(name), format!("must have at most {MAX_VALUE} characters, none of them NUL"));
        }
    }
    if let (true, Some(sort), Ok(Some(shown))) = (input.public, operation.query.get("sort"), shown::members(kind, &operation.query))
        && !shown.iter().any(|name| name == sort.trim_start_matches('-'))
    {
        add(faults, "/operation/query/sort", "must be one of the fields that are shown: a cursor tells its value");
    }
    if let Err(error) = list_query::parse(&super::parameters::fixed(&operation.query, ""), kind, &RULES) {
        let named = |field: &FieldError| FieldError { pointer: format!("/operation/query{}", field.pointer), detail: field.detail.clone() };
        faults.extend(error.fields().iter().map(named));
    }
}

/// Whoever makes an endpoint may do what it does, by the generic routes or by one that the blueprint declares. Error: 403 `insufficient_scope`.
pub(super) fn may(caller: &Caller, blueprint: &Blueprint, kind: &ResourceType, operation: RestOperationType) -> Result<()> {
    let (touch, same) = match operation {
        RestOperationType::List => (Touch::Read, Operation::List),
        RestOperationType::Get => (Touch::Read, Operation::Get),
        RestOperationType::Create => (Touch::Write, Operation::Create),
        RestOperationType::Update => (Touch::Write, Operation::Update),
        RestOperationType::Delete => (Touch::Delete, Operation::Delete),
    };
    let Err(refused) = kind.authority(caller, touch) else { return Ok(()) };
    let mut declared = blueprint.endpoints.iter().filter(|endpoint| endpoint.operation == same && endpoint.resource == kind.name());
    if declared.any(|endpoint| caller.require_scope(&endpoint.scope).is_ok()) { Ok(()) } else { Err(refused) }
}
