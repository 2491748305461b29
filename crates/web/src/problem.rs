//! How an error looks on the wire: RFC 9457, or another form that a blueprint asks for.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use kernel::{Error, Kind, RequestId};
use serde_json::{Value, json};

use crate::identity::RequestIdentity;

/// Turns an error into an answer's status, content type and body. The headers are [`render`]'s business.
pub trait RenderError: Send + Sync {
    /// The answer for `error` in the request `request`.
    fn render(&self, error: &Error, request: RequestId) -> (StatusCode, &'static str, Vec<u8>);

    /// Media type and JSON Schema of its answers, for the document; none: problems.
    fn described(&self) -> Option<(&'static str, Value)> {
        None
    }

    /// What a 401 says in `WWW-Authenticate`.
    fn challenge(&self, error: &Error) -> HeaderValue {
        let _ = error;
        HeaderValue::from_static("Bearer")
    }
}

/// A way to show errors, shared by the endpoints that use it.
pub type ErrorForm = Arc<dyn RenderError>;

/// The native form: RFC 9457 `application/problem+json`.
pub fn problem() -> ErrorForm {
    static FORM: OnceLock<ErrorForm> = OnceLock::new();
    FORM.get_or_init(|| Arc::new(Problem)).clone()
}

struct Problem;

impl RenderError for Problem {
    fn render(&self, error: &Error, request: RequestId) -> (StatusCode, &'static str, Vec<u8>) {
        (status(error.kind()), "application/problem+json", problem_value(error, Some(request)).to_string().into_bytes())
    }
}

/// The problem object itself, for places that embed one (a batch's answer). `type` is a reference relative to the server.
pub fn problem_value(error: &Error, request: Option<RequestId>) -> Value {
    let mut value = json!({
        "type": format!("/docs/errors#{}", error.code()),
        "title": title(error.kind()),
        "status": status(error.kind()).as_u16(),
        "detail": error.detail(),
        "code": error.code(),
    });
    if let Some(id) = request {
        value["requestId"] = Value::String(id.to_string());
    }
    if let Some(policy) = error.policy() {
        // The member that draft-ietf-httpapi-ratelimit-headers gives its problem types, in this API's spelling.
        value["violatedPolicies"] = json!([policy]);
    }
    if !error.fields().is_empty() {
        value["errors"] = error.fields().iter().map(|field| json!({"pointer": field.pointer, "detail": field.detail})).collect();
    }
    value
}

/// The HTTP status of a kind.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::BadGateway => StatusCode::BAD_GATEWAY,
        Kind::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The `title` of a kind: the same for every problem of the kind.
pub fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Malformed => "Malformed request",
        Kind::Unauthenticated => "Authentication required",
        Kind::Forbidden => "Not allowed",
        Kind::NotFound => "Not found",
        Kind::MethodNotAllowed => "Method not allowed",
        Kind::Conflict => "Conflict",
        Kind::PreconditionFailed => "Precondition failed",
        Kind::TooLarge => "Too large",
        Kind::UnsupportedMedia => "Unsupported media type",
        Kind::Invalid => "Validation failed",
        Kind::RateLimited => "Too many requests",
        Kind::Internal => "Internal error",
        Kind::Unavailable => "Unavailable",
        Kind::BadGateway => "Bad gateway",
        Kind::GatewayTimeout => "Gateway timeout",
    }
}

/// The whole answer for an error: body by `form`; `Retry-After`, `WWW-Authenticate` and `X-Request-Id`. Our own faults go to the log.
pub fn render(error: &Error, form: &dyn RenderError, request: RequestId) -> Response {
    if error.kind() == Kind::Internal {
        tracing::error!(request = %request, error = ?error, "request failed");
    }
    let (status, content_type, body) = form.render(error, request);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Whoever is turned away for now is told when to come back, even where nobody knows better than soon.
    let soon = matches!(error.kind(), Kind::RateLimited | Kind::Unavailable).then_some(Duration::from_secs(1));
    if let Some(wait) = error.wait().or(soon) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if error.kind() == Kind::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, form.challenge(error));
    }
    RequestIdentity::stamp(headers, request);
    response
}

/// Rounded up, so that nobody comes back too early; at least 1.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
