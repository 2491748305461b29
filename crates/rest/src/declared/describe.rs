//! What the OpenAPI document says of declared endpoints.

use blueprint::Blueprint;
use blueprint::model::{self, Operation};
use serde_json::{Map, Value, json};
use web::{Access, Deprecation, Endpoint, Parameter, Shape};

use super::Route;
use super::health::Health;
use super::managed::Managed;
use super::reply::Reply;
use crate::{bulk, error_form, list_query, shapes};

/// What all have in common.
pub(crate) fn begin(blueprint: &Blueprint, declared: &model::Endpoint, access: Access, needed: &str, id: String) -> Endpoint {
    let method = declared.method.parse().expect("a blueprint's methods are HTTP's own");
    let form = error_form(&blueprint.style, needed, declared.not_found.as_deref());
    let endpoint = Endpoint::new(method, declared.full_path(&blueprint.style), id);
    // Strangers have no idempotency keys of their own that others could not guess.
    let endpoint = if declared.public { endpoint.logged().idempotent(false).fails(&[404, 429]) } else { endpoint };
    endpoint.summary(declared.summary.clone()).cost(declared.cost).needs(access).errors(form).deprecated(deprecation(declared))
}

/// Who may call an endpoint on records or of a metric.
pub(super) fn access(declared: &model::Endpoint) -> Access {
    if declared.public { Access::Public } else { Access::Scope(declared.scope.clone()) }
}

/// What the answers of an endpoint on its way out say.
fn deprecation(declared: &model::Endpoint) -> Option<Deprecation> {
    let retirement = declared.retirement.as_ref()?;
    Deprecation::new(retirement.since(), retirement.sunset(), retirement.successor.clone())
}

/// An endpoint on records.
pub(super) fn records(blueprint: &Blueprint, route: &Route, id: String) -> Endpoint {
    let (declared, kind, wrap) = (&route.endpoint, &route.kind, route.reply.wrap);
    let described = begin(blueprint, declared, access(declared), &declared.scope, id).tag(shapes::title(&kind.resource().plural));
    let writable = writable(route);
    let (writable, reference) = (writable.as_deref(), || shapes::reference(kind));
    let member = || declared.member.as_deref().map(|member| kind.resource().schema["properties"][member].clone());
    let one = || member().unwrap_or_else(reference);
    let row = shapes::components(kind.resource(), blueprint.style.naming).into_iter().next().map_or(Value::Null, |(_, schema)| schema);
    match declared.operation {
        Operation::List => {
            let parameters = list_query::parameters(kind, &route.rules);
            let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, about)| (name.as_str(), about.as_str())).collect();
            let plain = json!({"properties": {"data": {"type": "array", "items": row}, "pagination": {"type": "object"}}});
            answering(described.query(&parameters), &route.reply, 200, &plain, wrap.page_schema(&reference(), declared.total))
        }
        Operation::Get => answering(described, &route.reply, 200, &row, wrap.one_schema(one())),
        Operation::Create => {
            let body = shapes::body(kind, writable, true);
            answering(described.body_schema(body), &route.reply, 201, &row, wrap.one_schema(reference()))
        }
        Operation::Replace => {
            let body = member().unwrap_or_else(|| shapes::body(kind, writable, true));
            answering(described.body_schema(body), &route.reply, 200, &row, wrap.one_schema(reference()))
        }
        Operation::Update => {
            let body = || shapes::body(kind, writable, false);
            let is_act = !declared.set.is_empty() || declared.emits.is_some();
            let described = match &declared.writable {
                Some(names) if names.is_empty() => described,
                _ if is_act => described.body_schema(body()).body_may_be_absent(),
                _ => described.body_schema(body()),
            };
            answering(described, &route.reply, 200, &row, wrap.one_schema(reference()))
        }
        Operation::Delete => match (route.reply.template(), wrap.done_schema()) {
            (None, None) => described.answers_nothing(),
            (_, schema) => answering(described, &route.reply, 200, &Value::Null, schema.unwrap_or(Value::Null)),
        },
        Operation::Batch => {
            let body = bulk::batch_body(&shapes::body(kind, writable, false));
            described.body_limit(bulk::BATCH_BODY).body_schema(body).answers_schema(200, bulk::batch_answer(&reference()))
        }
        Operation::Export => described.query(&bulk::EXPORT).answers_media(200, "application/x-ndjson").answers_media(200, "text/csv"),
        Operation::Import => {
            let described =
                described.idempotent(false).body_limit(bulk::IMPORT_BODY).body_media("application/x-ndjson").body_media("text/csv");
            let described = described.header(Parameter::new(bulk::KEY.0, bulk::KEY.1));
            described.answers_schema(200, json!({"type": "object", "required": ["data", "summary"]}))
        }
        _ => described,
    }
}

/// The members that the body may have: what the path and the endpoint set themselves is not among them.
fn writable(route: &Route) -> Option<Vec<String>> {
    let declared = &route.endpoint;
    let by_path = route.parent.as_ref().map(|(member, _)| member.as_str());
    let set = |name: &str| declared.set.iter().any(|(set, _)| set == name) || by_path == Some(name);
    if declared.writable.is_none() && by_path.is_none() && declared.set.is_empty() {
        return None;
    }
    let open = declared.writable.clone().unwrap_or_else(|| route.kind.resource().open_members());
    Some(open.into_iter().filter(|name| !set(name)).collect())
}

/// Health.
pub(super) fn health(blueprint: &Blueprint, declared: &model::Endpoint, reply: &Reply, id: String) -> Endpoint {
    let access = if declared.scope.is_empty() { Access::AnyCredential } else { Access::Scope(declared.scope.clone()) };
    let described = begin(blueprint, declared, access, &declared.scope, id).tag("Health");
    let schema = Health::schema();
    answering(described, reply, 200, &schema, reply.wrap.one_schema(schema.clone()))
}

/// An endpoint that manages: what its operation takes and answers, under the product's names.
pub(super) fn managed(blueprint: &Blueprint, declared: &model::Endpoint, managed: &Managed, id: String) -> Endpoint {
    let (call, native) = (&managed.call, managed.inner.endpoint());
    let permission = call.managed.permission;
    let described = begin(blueprint, declared, Access::Permission(permission), permission.name(), id).tag(native.tag.clone());
    let parameter = |query: &model::ManagedQuery| {
        let about = native.query.iter().find(|known| known.name == query.native).map(|known| known.about.clone()).unwrap_or_default();
        let default = query.default.as_ref().map(|default| format!(" (default {default})")).unwrap_or_default();
        (query.name.clone(), format!("{about}{default}"))
    };
    let parameters: Vec<(String, String)> = call.query.iter().map(parameter).collect();
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, about)| (name.as_str(), about.as_str())).collect();
    let mut described = described.query(&parameters);
    if !call.body.is_empty() {
        described = described.body_schema(call.schema.clone().unwrap_or_else(|| body(managed, native)));
    }
    let (status, shape) = native.answers.first().map_or((204, None), |(status, shape)| (*status, shape.as_ref()));
    let plain = shape.map_or(Value::Null, plain);
    match (managed.reply.template(), status) {
        (None, 204) => match managed.reply.wrap.done_schema() {
            Some(schema) => described.answers_schema(declared.status.unwrap_or(200), schema),
            None => described.answers_nothing(),
        },
        (Some(_), 204) => answering(described, &managed.reply, 200, &Value::Null, Value::Null),
        _ => answering(described, &managed.reply, status, &plain, managed.reply.wrap.one_schema(plain.clone())),
    }
}

/// The body under the product's names, with the schemas of ours.
fn body(managed: &Managed, native: &Endpoint) -> Value {
    let ours = native.body.as_ref().map_or(Value::Null, plain);
    let property = |path: &str| path.split('.').try_fold(&ours, |schema, part| schema.get("properties")?.get(part)).cloned();
    let members = managed.call.body.iter();
    let properties: Map<String, Value> = members.map(|(wire, path)| (wire.clone(), property(path).unwrap_or_else(|| json!({})))).collect();
    let required = ours.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let required: Vec<&str> =
        required.filter_map(|name| managed.call.body.iter().find(|(_, path)| path == name).map(|(wire, _)| wire.as_str())).collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

/// A shape's schema with its own members in sight: what a type is made of stands in it.
fn plain(shape: &Shape) -> Value {
    match shape {
        Shape::Typed(typed) => inlined(&typed()),
        Shape::PageOf(typed) => {
            json!({"properties": {"data": {"type": "array", "items": inlined(&typed())}, "pagination": {"type": "object"}}})
        }
        Shape::Given(value) => value.clone(),
        _ => Value::Null,
    }
}

/// The members of a type, those of the types that it contains (`allOf`) among them.
fn inlined(typed: &web::openapi::TypeSchema) -> Value {
    let mut members = typed.schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut required: Vec<Value> = typed.schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for part in typed.schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let target = part.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
        let part = target.and_then(|name| typed.components.iter().find(|(known, _)| known == name)).map_or(part, |(_, schema)| schema);
        members.extend(part.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
        required.extend(part.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    json!({"type": "object", "required": required, "properties": members})
}

/// The status and the schema of a success: the endpoint's own, where it has one.
pub(super) fn answering(described: Endpoint, reply: &Reply, usual: u16, plain: &Value, wrapped: Value) -> Endpoint {
    let status = reply.status().unwrap_or(usual);
    match reply.template() {
        _ if status == 204 => described.answers_nothing(),
        Some(template) => described.answers_schema(status, template.schema(plain)),
        None => described.answers_schema(status, wrapped),
    }
}
