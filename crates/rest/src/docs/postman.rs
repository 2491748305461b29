//! The Postman collection (format 2.1), made of the same operations as the pages.
//!
//! Its first folder is a journey: the operations in an order in which each finds what it needs, because an earlier one made it. The others
//! hold what is left, by group. Every request has a test: those of the journey must succeed, the rest must answer as documented.

mod journey;
mod typed;

use serde_json::{Value, json};

use super::reference::{Operation, Parameter, Place, Reference};

pub(crate) use journey::{Journey, Step};
pub(crate) use typed::{added, typed};

/// What a collection says about its server.
pub(crate) struct About<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) url: &'a str,
}

/// The collection.
pub(crate) fn collection(about: &About<'_>, reference: &Reference) -> Value {
    let journey = Journey::of(reference);
    let mut folders = Vec::new();
    if !journey.steps.is_empty() {
        let items: Vec<Value> = journey.steps.iter().map(step).collect();
        let text = "Run from the first to the last: each request finds what an earlier one made.";
        folders.push(json!({"name": "The journey", "description": text, "item": items}));
    }
    for tag in reference.tags() {
        // A stream never ends, and the program would wait for its end.
        let rest = reference.of_tag(tag).filter(|operation| !journey.has(operation) && !operation.streams());
        let items: Vec<Value> = rest.map(|operation| request(operation, &operation.summary, &tests(operation))).collect();
        if !items.is_empty() {
            folders.push(json!({"name": tag, "item": items}));
        }
    }
    let variable = |key: &str, value: &str, about: &str| json!({"key": key, "value": value, "description": about});
    let mut variables = vec![
        variable("baseUrl", about.url, "Where the server is"),
        variable("apiKey", "", "Your API key"),
        variable("apiSecret", "", "Its second secret, where it has one"),
    ];
    variables.extend(journey.variables(reference).into_iter().map(|name| variable(&name, "", "Set by the journey")));
    json!({
        "info": {
            "name": about.title,
            "description": format!("{}\n\nSet the variables `baseUrl` and `apiKey`, then send.", about.description),
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{apiKey}}", "type": "string"}]},
        "variable": variables,
        "item": folders,
    })
}

fn step(step: &Step<'_>) -> Value {
    let operation = step.operation;
    let status = operation.success().map_or("200", |answer| answer.status.as_str());
    let mut lines = vec![
        format!("pm.test(\"succeeds with {status}\", () => pm.response.to.have.status({status}));"),
        "pm.test(\"has a request id\", () => pm.expect(pm.response.headers.get(\"X-Request-Id\")).to.match(/^req_/));".to_owned(),
    ];
    if let Some(name) = &step.gives {
        lines.extend([
            "const made = pm.response.json().data ?? pm.response.json();".to_owned(),
            format!("const {name} = made.id ?? made.jobId;"),
            format!("pm.test(\"tells its id\", () => pm.expect({name}).to.be.ok);"),
            format!("pm.collectionVariables.set(\"{name}\", String({name}));"),
        ]);
    } else if status != "204" && operation.success().is_some_and(|answer| answer.media == "application/json") {
        lines.push("pm.test(\"is JSON\", () => pm.response.to.be.json);".to_owned());
    }
    request(operation, &operation.summary, &lines)
}

/// What a request outside of the journey must fulfil: no answer that is not documented, and no fault of the server.
fn tests(operation: &Operation) -> Vec<String> {
    let statuses: Vec<&str> = operation.answers.iter().map(|answer| answer.status.as_str()).filter(|status| *status != "500").collect();
    vec![format!("pm.test(\"answers as documented\", () => pm.expect(pm.response.code).to.be.oneOf([{}]));", statuses.join(", "))]
}

fn request(operation: &Operation, name: &str, tests: &[String]) -> Value {
    let mut headers = Vec::new();
    if operation.dual {
        headers.push(json!({"key": "X-API-Secret", "value": "{{apiSecret}}"}));
    }
    let path = journey::filled(operation);
    let parameters = |wanted: Place| operation.parameters_in(wanted);
    let query = |parameter: &Parameter| json!({"key": parameter.name, "value": parameter.example(), "description": parameter.about, "disabled": !parameter.required});
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let required: Vec<String> =
        parameters(Place::Query).filter(|one| one.required).map(|one| format!("{}={}", one.name, one.example())).collect();
    let tail = if required.is_empty() { String::new() } else { format!("?{}", required.join("&")) };
    let text = format!("{}\n\n{}", operation.summary, operation.description).trim().to_owned();
    let mut request = json!({
        "method": operation.method,
        "header": headers,
        "url": {
            "raw": format!("{{{{baseUrl}}}}{path}{tail}"),
            "host": ["{{baseUrl}}"],
            "path": segments,
            "query": parameters(Place::Query).map(query).collect::<Vec<_>>(),
        },
        "description": text,
    });
    if !operation.guarded {
        request["auth"] = json!({"type": "noauth"});
    }
    if let Some(body) = &operation.body {
        let raw = if body.media == "application/json" { journey::body(operation) } else { String::new() };
        request["body"] = json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}});
        if let Some(headers) = request["header"].as_array_mut() {
            headers.push(json!({"key": "Content-Type", "value": body.media}));
        }
    }
    let script = json!({"listen": "test", "script": {"type": "text/javascript", "exec": tests}});
    json!({"name": if name.is_empty() { &operation.id } else { name }, "request": request, "event": [script]})
}
