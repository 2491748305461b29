//! The answers of an operation: those that it gives when all is well, and every error that it can give.

use http::Method;
use serde_json::{Map, Value, json};

use super::example::{Fill, example};
use super::parameters::any_in_path;
use super::schemas;
use crate::endpoint::{Access, Endpoint};

/// Status, name of the component, an example's code, title and detail.
const ERRORS: &[(u16, &str, &str, &str, &str)] = &[
    (400, "Malformed", "malformed_json", "Malformed request", "The body is not JSON: expected value at line 1 column 1."),
    (
        401,
        "Unauthenticated",
        "missing_credential",
        "Authentication required",
        "API key required. Include \"Authorization: Bearer YOUR_API_KEY\" header.",
    ),
    (
        403,
        "NotAllowed",
        "insufficient_scope",
        "Not allowed",
        "This needs a scope that grants webhooks.write, which this credential does not hold.",
    ),
    (404, "NotFound", "not_found", "Not found", "There is no such webhook, or it is not yours."),
    (
        405,
        "MethodNotAllowed",
        "method_not_allowed",
        "Method not allowed",
        "This path exists, but not for this method; see the Allow header.",
    ),
    (409, "Conflict", "idempotency_key_busy", "Conflict", "The first request with this idempotency key still runs."),
    (412, "PreconditionFailed", "precondition_failed", "Precondition failed", "Somebody changed it in the meantime. Read it again."),
    (413, "TooLarge", "body_too_large", "Too large", "The body is larger than 1048576 bytes, the limit of this path."),
    (415, "UnsupportedMedia", "unsupported_media_type", "Unsupported media type", "Send JSON with one Content-Type: application/json."),
    (422, "Invalid", "validation_failed", "Validation failed", "The request breaks a rule; see errors."),
    (429, "TooManyRequests", "rate_limited", "Too many requests", "Too many requests. Try again later."),
    (500, "Internal", "internal", "Internal error", "Something went wrong on our side. The request id helps us find it."),
    (502, "BadGateway", "upstream_unreachable", "Bad gateway", "The service behind this endpoint could not be reached."),
    (503, "Unavailable", "overloaded", "Unavailable", "Too much is under way at the moment. Try again shortly."),
    (504, "GatewayTimeout", "upstream_timeout", "Gateway timeout", "The service behind this endpoint did not answer in time."),
];

/// One reusable answer for each error.
pub(super) fn components() -> Map<String, Value> {
    ERRORS.iter().map(|error| (error.1.to_owned(), component(error))).collect()
}

fn component(&(status, _, code, title, detail): &(u16, &str, &str, &str, &str)) -> Value {
    let mut example = json!({
        "type": format!("/docs/errors#{code}"), "title": title, "status": status, "detail": detail, "code": code,
        "requestId": "req_01jd3m9x7efd2v5k8q0r4tnwye",
    });
    if status == 422 {
        example["errors"] = json!([{"pointer": "/name", "detail": "must not be empty"}]);
    }
    json!({
        "description": reason(status),
        "headers": failure_headers(status),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    })
}

/// What is said beside an error.
fn failure_headers(status: u16) -> Value {
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
    match status {
        401 => headers["WWW-Authenticate"] = json!({"schema": {"type": "string"}, "description": "Bearer"}),
        405 => headers["Allow"] = json!({"schema": {"type": "string"}, "description": "The methods of this path"}),
        429 | 503 => headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"}),
        _ => {}
    }
    headers
}

/// The headers that many answers share.
pub(super) fn headers() -> Value {
    let number = || json!({"type": "integer", "minimum": 0});
    json!({
        "RequestId": {"description": "This request's id, for whoever looks into a trouble.", "schema": {"type": "string"}},
        "RateLimitLimit": {"description": "Requests in the window that is nearest to its end of quota.", "schema": number()},
        "RateLimitRemaining": {"description": "How many are left in it.", "schema": number()},
        "RateLimitReset": {"description": "When it is whole again: Unix seconds, or RFC 3339 where the product says so.", "schema": {"type": "string"}},
        "RetryAfter": {"description": "Seconds until it is worth trying again.", "schema": number()},
        "Location": {"description": "Where the new object is.", "schema": {"type": "string", "format": "uri-reference"}},
    })
}

/// The answers of `endpoint`.
pub(super) fn of(endpoint: &Endpoint, known: &mut Map<String, Value>) -> Map<String, Value> {
    let mut answers = Map::new();
    for (status, shape) in &endpoint.answers {
        let answer = answers.entry(status.to_string()).or_insert_with(|| good(endpoint, *status));
        let Some(shape) = shape else { continue };
        let (media, schema) = schemas::content(shape, known);
        let mut entry = json!({"schema": schema});
        if media == "application/json" {
            entry["example"] = example(&entry["schema"], known, Fill::All);
        }
        answer["content"][media] = entry;
    }
    if answers.is_empty() {
        answers.insert("200".into(), good(endpoint, 200));
    }
    if let Some((media, schema)) = endpoint.errors.described() {
        for status in failures(endpoint) {
            let answer = answers
                .entry(status.to_string())
                .or_insert_with(|| json!({"description": reason(status), "headers": failure_headers(status)}));
            answer["content"][media] = json!({ "schema": schema });
        }
        return answers;
    }
    for status in failures(endpoint) {
        let name = ERRORS.iter().find(|error| error.0 == status).map(|error| error.1);
        let answer = match name {
            Some(name) => json!({"$ref": format!("#/components/responses/{name}")}),
            None => json!({"description": reason(status)}),
        };
        match answers.get_mut(&status.to_string()) {
            None => {
                answers.insert(status.to_string(), answer);
            }
            // The endpoint has a form of its own for it; what comes from before the endpoint has the usual one.
            Some(own) => own["content"]["application/problem+json"] = json!({"schema": {"$ref": "#/components/schemas/Problem"}}),
        }
    }
    answers
}

/// A success without its body.
fn good(endpoint: &Endpoint, status: u16) -> Value {
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
    if endpoint.access != Access::Public {
        for name in ["Limit", "Remaining", "Reset"] {
            headers[format!("X-RateLimit-{name}")] = json!({"$ref": format!("#/components/headers/RateLimit{name}")});
        }
    }
    if status == 201 {
        headers["Location"] = json!({"$ref": "#/components/headers/Location"});
    }
    json!({"description": reason(status), "headers": headers})
}

/// The statuses of the errors that this endpoint can answer, in order.
fn failures(endpoint: &Endpoint) -> Vec<u16> {
    let mut statuses = endpoint.failures.clone();
    let guarded = endpoint.access != Access::Public;
    let takes_a_body = endpoint.body.is_some()
        || !endpoint.body_media.is_empty()
        || (guarded && matches!(endpoint.method, Method::POST | Method::PUT | Method::PATCH));
    if takes_a_body {
        statuses.extend([400, 413, 415, 422]);
    }
    if !endpoint.query.is_empty() {
        statuses.extend([400, 422]);
    }
    if endpoint.idempotent {
        statuses.extend([400, 409, 422]);
    }
    if guarded {
        // 400: a header that may stand once stands twice. 404 and 422: the tenant that a service key names, or does not.
        statuses.extend([400, 401, 403, 404, 422, 429]);
    }
    if any_in_path(&endpoint.path) {
        statuses.push(404);
    }
    statuses.extend([500, 503]);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Answer")
}

pub(super) fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable, for programs."},
            "requestId": {"type": "string"},
            "violatedPolicies": {"type": "array", "items": {"type": "string"}, "description": "Of a 429: the limits that are used up."},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string", "description": "RFC 6901"}, "detail": {"type": "string"}},
            }},
        },
    })
}
