//! A call: from the caller's request to the backend's answer.

mod attempt;
mod checked;
mod head;
mod path;
mod websocket;

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::Response;
use blueprint::Schema;
use http::header::{self, HeaderMap};
use http::request::Parts;
use kernel::{Ambient, Caller, Error, Kind, RequestId};
use web::outbound::backend::{Answer, Outgoing, asks_for_upgrade};
use web::{RequestIdentity, Tally};

use crate::upstreams::Upstream;
use head::Origin;
pub(crate) use path::Template;

/// One declared endpoint, as its handler sees it.
pub(crate) struct Route {
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) template: Template,
    pub(crate) scope: String,
    pub(crate) websocket: bool,
    pub(crate) schema: Option<Schema>,
    pub(crate) max_request: Option<u64>,
    /// How callers reach this server when no trusted proxy says so.
    pub(crate) scheme: &'static str,
    pub(crate) ambient: Ambient,
}

/// What a log calls an answer that says that the backend failed.
const BACKEND_SAYS_IT_FAILED: &str = "upstream_error";

/// Who asks, and for what: the same for every target that is tried.
struct Asked<'a> {
    route: &'a Route,
    caller: &'a Caller,
    request: RequestId,
    /// Path and query as the caller wrote them.
    path: &'a str,
    query: Option<&'a str>,
}

/// Answers a declared endpoint by its upstream.
///
/// Errors: 400 `invalid_path`, `body_incomplete`; 413 `body_too_large`; 502 `upstream_unreachable`, `upstream_broke_off`,
/// `upstream_answer_too_large`, `upstream_invalid_answer`; 503 `upstream_unavailable`; 504 `upstream_timeout`; with a schema those of [`web::Json`] too.
pub(crate) async fn call(State(route): State<Arc<Route>>, request: Request) -> web::Result<Response> {
    let (mut parts, body) = request.into_parts();
    let missing = || Error::unauthenticated("unauthenticated", "Send a credential: Authorization: Bearer <key>.");
    let caller = parts.extensions.remove::<Caller>().ok_or_else(missing)?;
    // Everything below is done for this tenant: the identity that the backend gets says so.
    caller.allow_scope(&route.scope)?;
    path::check(parts.uri.path())?;
    if route.websocket && asks_for_upgrade(&parts.headers) && websocket::is_meant(&parts) {
        return Ok(websocket::open(&route, &caller, parts).await?);
    }
    let tally = Tally::new();
    let body = outgoing(&route, &mut parts, body, &tally).await?;
    let request_id = RequestIdentity::ensure(&mut parts.extensions, &route.ambient);
    let origin = Origin::of(&parts, &caller, route.scheme);
    head::rewrite(&mut parts.headers, &origin, &route.upstream.settings);
    let asked = Asked { route: &route, caller: &caller, request: request_id, path: parts.uri.path(), query: parts.uri.query() };
    let mut request = http::Request::new(body);
    *request.method_mut() = parts.method;
    *request.headers_mut() = parts.headers;
    let answer = attempt::send(&asked, request, &tally).await?;
    Ok(answered(&route.upstream, answer)?)
}

/// The body that goes out: the caller's own as it comes in, or, where there is a schema, a whole one that satisfies it.
async fn outgoing(route: &Route, parts: &mut Parts, body: Body, tally: &Arc<Tally>) -> kernel::Result<Outgoing> {
    if let Some(schema) = &route.schema {
        let bytes = checked::read(schema, parts, body).await?;
        tally.add_request(bytes.len() as u64);
        return Ok(Outgoing::full(bytes));
    }
    if route.max_request.is_some_and(|limit| body.size_hint().lower() > limit) {
        return Err(too_large(route.max_request));
    }
    Ok(Outgoing::stream(body, route.max_request, Arc::clone(tally)))
}

fn too_large(limit: Option<u64>) -> Error {
    Error::new(Kind::TooLarge, "body_too_large", format!("The body is larger than {} bytes.", limit.unwrap_or_default()))
}

/// The backend's answer as the caller gets it.
fn answered(upstream: &Upstream, answer: http::Response<Answer>) -> kernel::Result<Response> {
    let (mut parts, body) = answer.into_parts();
    if let Some(fault) = misshapen(&parts) {
        metrics::counter!("tradewind_upstream_faults", "upstream" => Arc::clone(&upstream.name), "fault" => "invalid_answer").increment(1);
        tracing::warn!(upstream = %upstream.name, status = parts.status.as_u16(), fault, "a backend's answer cannot be passed on");
        let text = "The service behind this endpoint answered in a way that cannot be passed on.";
        return Err(Error::new(Kind::BadGateway, "upstream_invalid_answer", text).caused_by(fault));
    }
    let most = upstream.settings.max_response;
    if most.is_some_and(|most| content_length(&parts.headers).is_some_and(|length| length > most)) {
        let text = "The backend's answer is larger than it may be.";
        return Err(Error::new(Kind::BadGateway, "upstream_answer_too_large", text));
    }
    head::answer(&mut parts.headers, &upstream.settings);
    let tally = Arc::clone(body.tally());
    if parts.status.is_server_error() {
        tally.set_fault(BACKEND_SAYS_IT_FAILED);
    }
    parts.extensions.clear();
    parts.extensions.insert(tally);
    Ok(Response::from_parts(parts, Body::new(body.limited(most))))
}

/// What is wrong with the head of an answer that nobody asked for in this form; its connection is not used again.
fn misshapen(parts: &http::response::Parts) -> Option<&'static str> {
    if parts.status.is_informational() {
        // 101 where nobody asked for another protocol, or its connection was not kept for one.
        return Some("the status is none of a final answer");
    }
    head::is_framed_twice(&parts.headers).then_some("both Transfer-Encoding and Content-Length")
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
