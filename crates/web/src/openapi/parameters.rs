//! The parameters of an operation.

use serde_json::{Value, json};

use crate::endpoint::{Access, Endpoint, Parameter};

/// Those that many operations share.
pub(super) fn components() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key with the same request answers as the first time, for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$", "examples": ["5f0c2a9e-6d1b-4c56-9a51-0f6d2f0b7a11"]},
        },
        "TradewindTenant": {
            "name": "Tradewind-Tenant", "in": "header", "required": false,
            "description": "The tenant that a service key acts for. A tenant's own credential needs none.",
            "schema": {"type": "string", "examples": ["ten_01jd3m9x7efd2v5k8q0r4tnwye"]},
        },
    })
}

pub(super) fn of(endpoint: &Endpoint, path: &str) -> Vec<Value> {
    let mut list: Vec<Value> = in_path(path).map(|(before, name)| path_parameter(endpoint, before, name)).collect();
    list.extend(endpoint.query.iter().map(|parameter| given(parameter, "query")));
    list.extend(endpoint.headers.iter().map(|parameter| given(parameter, "header")));
    if endpoint.idempotent {
        list.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    if !matches!(endpoint.access, Access::Public | Access::Operator) {
        list.push(json!({"$ref": "#/components/parameters/TradewindTenant"}));
    }
    list
}

fn given(parameter: &Parameter, place: &str) -> Value {
    let schema = parameter.schema.clone().unwrap_or_else(|| usual(&parameter.name));
    json!({"name": parameter.name, "in": place, "required": parameter.required, "description": parameter.about, "schema": schema})
}

fn path_parameter(endpoint: &Endpoint, before: &str, name: &str) -> Value {
    let said = endpoint.path_parameters.iter().find(|parameter| parameter.name == name);
    let schema = said.and_then(|parameter| parameter.schema.clone()).unwrap_or_else(|| segment(before, name));
    let mut out = json!({"name": name, "in": "path", "required": true, "schema": schema});
    if let Some(parameter) = said {
        out["description"] = json!(parameter.about);
    }
    out
}

/// What a query parameter of this name is wherever nothing else is said.
fn usual(name: &str) -> Value {
    match name {
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
        "page" => json!({"type": "integer", "minimum": 1}),
        "waitSeconds" => json!({"type": "integer", "minimum": 0, "maximum": 30}),
        "from" | "to" => json!({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}),
        "dateFrom" | "dateTo" => json!({"type": "string", "examples": ["2026-01-31", "2026-01-31T12:00:00Z"]}),
        "total" => json!({"type": "boolean"}),
        _ => json!({"type": "string"}),
    }
}

/// What stands in a path after the segment `before`: an id, mostly.
fn segment(before: &str, name: &str) -> Value {
    const PREFIXES: &[(&str, &str)] = &[
        ("tenants", "ten"),
        ("api-clients", "cli"),
        ("api-keys", "key"),
        ("webhooks", "wh"),
        ("deliveries", "dlv"),
        ("events", "evt"),
        ("sources", "src"),
        ("in", "src"),
        ("alerts", "alr"),
        ("replays", "rpl"),
        ("jobs", "job"),
        ("integrations", "int"),
        ("records", "rec"),
    ];
    let own = (name != "type" && name != "resourceType" && name != "tier" && name != "rule" && name != "name").then_some(());
    let prefix = own.map(|()| PREFIXES.iter().find(|(segment, _)| *segment == before).map_or("rec", |(_, prefix)| prefix));
    let example = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}_01jd3m9x7efd2v5k8q0r4tnwye"));
    json!({"type": "string", "minLength": 1, "examples": [example]})
}

/// The parameters of a path template, each with the segment before it.
fn in_path(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('{').filter_map(|(at, _)| {
        let name = path[at + 1..].split('}').next()?.trim_start_matches('*');
        let before = path[..at].rsplit('/').find(|segment| !segment.is_empty() && !segment.contains('{'))?;
        Some((before, name))
    })
}

/// Whether a path has parameters.
pub(super) fn any_in_path(path: &str) -> bool {
    path.contains('{')
}
