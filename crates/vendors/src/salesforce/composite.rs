//! Several calls in one: `composite` with references to earlier results, `composite/batch` without.

use http::Method;
use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use crate::stand::{Answer, Call};

/// Calls in one.
const MAX: usize = 25;

/// Runs one of the calls.
fn run(org: &mut Org, scene: &Scene<'_>, method: &str, url: &str, body: &Value) -> Answer {
    let Ok(method) = method.parse::<Method>() else { return Failure::json().into() };
    let mut call = Call::new(method, url);
    call.headers = scene.call.headers.clone();
    if !body.is_null() {
        call = call.with_json(body);
    }
    let segments = call.segments.clone();
    let path: Vec<_> = segments.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services", "data", version, rest @ ..] | [version, rest @ ..] if !rest.is_empty() && rest != ["composite"] => {
            org.data(scene.at, &call, scene.change.by, version, rest).unwrap_or_else(Answer::from)
        }
        _ => Failure::not_found("The requested resource does not exist").into(),
    }
}

fn list(body: &Value, name: &str) -> Result<Vec<Value>, Failure> {
    let list = body[name].as_array().cloned().ok_or_else(Failure::json)?;
    let message = format!("Limit exceeded: at most {MAX} subrequests");
    if list.len() > MAX { Err(Failure::new(400, "LIMIT_EXCEEDED", message)) } else { Ok(list) }
}

pub(super) fn composite(org: &mut Org, scene: &Scene<'_>) -> Result<Answer, Failure> {
    let body = scene.call.json().ok_or_else(Failure::json)?;
    let (parts, is_atomic) = (list(&body, "compositeRequest")?, body["allOrNone"] == true);
    let (mut results, taken_back) = org.tried(is_atomic, |org| {
        let (mut results, mut failed): (Vec<Value>, bool) = (Vec::new(), false);
        for part in &parts {
            let (url, given) = (resolved(part["url"].as_str().unwrap_or_default(), &results), resolved_all(&part["body"], &results));
            let method = part["method"].as_str().unwrap_or("GET");
            let answer = if failed && is_atomic { halted() } else { run(org, scene, method, &url, &given) };
            failed |= !answer.status.is_success();
            let location = answer.headers.get("location").and_then(|value| value.to_str().ok());
            let headers = location.map_or_else(|| json!({}), |location| json!({"Location": location}));
            let (status, name) = (answer.status.as_u16(), &part["referenceId"]);
            results.push(json!({"body": answer.value(), "httpHeaders": headers, "httpStatusCode": status, "referenceId": name}));
        }
        (results, failed)
    });
    if taken_back {
        for result in results.iter_mut().filter(|result| result["httpStatusCode"].as_u64().is_some_and(|status| status < 300)) {
            let answer = halted();
            result["body"] = answer.value();
            result["httpStatusCode"] = json!(answer.status.as_u16());
        }
    }
    Ok(Answer::json(200, &json!({"compositeResponse": results})))
}

fn halted() -> Answer {
    Failure::new(400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.").into()
}

pub(super) fn batch(org: &mut Org, scene: &Scene<'_>) -> Result<Answer, Failure> {
    let body = scene.call.json().ok_or_else(Failure::json)?;
    let mut results = Vec::new();
    let mut failed = false;
    for part in list(&body, "batchRequests")? {
        let url = part["url"].as_str().unwrap_or_default();
        let answer = if failed && body["haltOnError"] == true {
            Failure::new(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request").into()
        } else {
            run(org, scene, part["method"].as_str().unwrap_or("GET"), url, &part["richInput"])
        };
        failed |= !answer.status.is_success();
        results.push(json!({"statusCode": answer.status.as_u16(), "result": answer.value()}));
    }
    Ok(Answer::json(200, &json!({"hasErrors": failed, "results": results})))
}

/// A text with `@{reference.path}` replaced by what an earlier call answered.
fn resolved(text: &str, results: &[Value]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((path, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        let (name, path) = path.split_once('.').unwrap_or((path, ""));
        let mut found = results.iter().find(|result| result["referenceId"] == name).map_or(&Value::Null, |result| &result["body"]);
        for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
            found = step.parse::<usize>().map_or_else(|_| &found[step], |index| &found[index]);
        }
        out.push_str(&super::query::plain(found));
        rest = tail;
    }
    out + rest
}

fn resolved_all(value: &Value, results: &[Value]) -> Value {
    match value {
        Value::String(text) => Value::String(resolved(text, results)),
        Value::Array(all) => all.iter().map(|one| resolved_all(one, results)).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(name, one)| (name.clone(), resolved_all(one, results))).collect()),
        other => other.clone(),
    }
}
