//! The generic record routes of one resource type each, for the journey: what a product opens by scopes and declares no creation for.

use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::{Operation, Resource};
use http::Method;
use kernel::Permission;
use serde_json::{Value, json};
use web::{Access, Endpoint};

use crate::shapes;

/// The routes, as endpoints that nobody serves under these names: `/api/v1/records/ticket` is one of `/api/v1/records/{resourceType}`.
pub(crate) fn typed(blueprint: &Blueprint) -> Vec<Arc<Endpoint>> {
    let creates = |resource: &Resource| {
        let by_endpoint =
            blueprint.endpoints.iter().any(|one| one.operation == Operation::Create && one.resource == resource.name && !one.public);
        let by_job = blueprint.jobs.iter().any(|job| job.record.as_ref().is_some_and(|link| link.create && link.resource == resource.name));
        by_endpoint || by_job || resource.singleton
    };
    blueprint.resources.iter().filter(|resource| !creates(resource)).flat_map(of).map(Arc::new).collect()
}

fn of(resource: &Resource) -> Vec<Endpoint> {
    let scopes = &resource.scopes;
    // What only the operator's side writes is no journey of a partner's.
    let (Some(read), Some(write)) = (&scopes.read, &scopes.write) else { return Vec::new() };
    let (many, name) = (format!("/api/v1/records/{}", resource.name), shapes::title(&resource.name));
    let one = format!("{many}/{{id}}");
    let needs = |permission, scope: &str| Access::PermissionOr(permission, vec![scope.to_owned()]);
    let record = || json!({"$ref": format!("#/components/schemas/{name}")});
    let page = json!({"type": "object", "required": ["data", "pagination"]});
    let open = resource.open_members();
    let body = |whole| shapes::body_of(resource, Some(&open), whole);
    let endpoint = |method: Method, path: &str, verb: &str, about: &str| {
        let endpoint = Endpoint::new(method, path, format!("records.{}.{verb}", resource.name)).tag("Records");
        endpoint.summary(format!("{about} {}", resource.name))
    };
    let mut all = vec![
        endpoint(Method::POST, &many, "create", "Create one:")
            .needs(needs(Permission::RecordsWrite, write))
            .body_schema(body(true))
            .answers_schema(201, record()),
        endpoint(Method::GET, &many, "list", "List them:").needs(needs(Permission::RecordsRead, read)).answers_schema(200, page),
        endpoint(Method::GET, &one, "get", "Get one:").needs(needs(Permission::RecordsRead, read)).answers_schema(200, record()),
        endpoint(Method::PUT, &one, "replace", "Put all members of one anew:")
            .needs(needs(Permission::RecordsWrite, write))
            .body_schema(body(true))
            .answers_schema(200, record()),
    ];
    if let Some(delete) = &scopes.delete {
        let remove = endpoint(Method::DELETE, &one, "delete", "Delete one:");
        all.push(remove.needs(needs(Permission::RecordsWrite, delete)).answers_nothing());
    }
    all
}

/// A document with these endpoints' operations among its own, as if the product had declared them.
pub(crate) fn added(document: &Value, more: &Value) -> Value {
    let mut out = document.clone();
    let Some(paths) = out["paths"].as_object_mut() else { return out };
    for (path, operations) in more["paths"].as_object().into_iter().flatten() {
        let mut operations = operations.clone();
        for operation in operations.as_object_mut().into_iter().flat_map(|operations| operations.values_mut()) {
            operation["x-declared"] = Value::Bool(true);
        }
        paths.insert(path.clone(), operations);
    }
    // Schemas and answers that no other operation of this reader uses.
    for part in ["schemas", "responses", "parameters", "headers"] {
        for (name, value) in more["components"][part].as_object().into_iter().flatten() {
            if out["components"][part].get(name).is_none() {
                out["components"][part][name] = value.clone();
            }
        }
    }
    out
}
