//! The wrapper around each route.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use kernel::{Caller, Credential, Error, KeyId, RequestId, RequestInfo, Result, ServiceKeyId, Timestamp};
use usage::RequestRow;
use web::{Access, ActedFor, Endpoint, ErrorCode, Failure, RequestIdentity, RequestNote, RouteTemplate, Tally};

use crate::admit::{Arrival, Seen};
use crate::idempotency::{self, Entrance};
use crate::timings::Phase;
use crate::{Gate, PeerAddress, Timings, cors, rate_headers, singletons};

/// A route's share of the gate.
struct Guard {
    gate: Arc<Gate>,
    endpoint: Arc<Endpoint>,
    template: Arc<str>,
}

pub(crate) fn wrap(gate: Arc<Gate>, endpoint: Arc<Endpoint>, route: MethodRouter) -> MethodRouter {
    if endpoint.guarded_within || (endpoint.access == Access::Public && !endpoint.is_logged) {
        return route;
    }
    let template = Arc::from(endpoint.path.as_str());
    let guard = Arc::new(Guard { gate, endpoint, template });
    route.layer(middleware::from_fn(move |request: Request, next: Next| pass(Arc::clone(&guard), request, next)))
}

/// What the log wants to know of a request, taken before the request is given away.
struct Ticket {
    id: RequestId,
    at: Timestamp,
    begun: Instant,
    method: Method,
    query: Option<String>,
    user_agent: Option<Arc<str>>,
    request_bytes: u64,
    ip: Option<std::net::IpAddr>,
    origin: Option<HeaderValue>,
}

#[allow(clippy::disallowed_methods, reason = "measures how long a request took, for the log")]
async fn pass(guard: Arc<Guard>, mut request: Request, next: Next) -> Response {
    let gate = &guard.gate;
    let id = RequestIdentity::ensure(request.extensions_mut(), &gate.ambient);
    let ticket = Ticket {
        id,
        at: gate.ambient.now(),
        begun: Instant::now(),
        method: request.method().clone(),
        query: request.uri().query().map(without_secrets),
        user_agent: request.headers().get(header::USER_AGENT).and_then(|v| v.to_str().ok()).map(usage::agent),
        request_bytes: request.body().size_hint().lower(),
        ip: request.extensions().get::<PeerAddress>().map(|peer| peer.0.to_canonical()),
        origin: request.headers().get(header::ORIGIN).cloned(),
    };
    if gate.usage.is_full() {
        gate.usage.room().await;
    }
    let seen = Seen { lap: Timings::begin(id, ticket.begun), ..Seen::default() };
    let mut pending = Pending { guard: &guard, ticket: Some(ticket), seen };
    let served = {
        let Pending { ticket, seen, .. } = &mut pending;
        serve(&guard, ticket.as_ref().expect("it is taken below"), request, next, seen).await
    };
    let (ticket, mut seen) = (pending.ticket.take().expect("nobody else takes it"), std::mem::take(&mut pending.seen));
    let mut response = served.unwrap_or_else(|error| Failure(error).into_response());
    let meant = response.extensions_mut().remove::<RouteTemplate>();
    if let Some(ActedFor(tenant)) = response.extensions_mut().remove() {
        seen.tenant = Some(tenant);
    }
    let error = response.extensions_mut().remove::<Arc<Error>>();
    if let Some(error) = &error {
        response = web::render(error, guard.endpoint.errors.as_ref(), id);
        gate.challenge(response.headers_mut(), &guard.endpoint, error);
        response.extensions_mut().insert(ErrorCode(error.code()));
    }
    gate.tell_of_proofs(response.headers_mut(), seen.principal.as_deref(), error.as_deref());
    if let Some(charge) = &seen.charge {
        rate_headers::add(response.headers_mut(), charge, gate.options.reset);
    }
    if let Some(origin) = &ticket.origin {
        share(response.headers_mut(), origin, &seen);
    }
    if let Some(deprecation) = &guard.endpoint.deprecation {
        deprecation.write(response.headers_mut());
        metrics::counter!("tradewind_deprecated_requests_total", "endpoint" => guard.template.to_string()).increment(1);
    }
    gate.timings.lap(&mut seen, Phase::Operation);
    let template = meant.map_or_else(|| Arc::clone(&guard.template), |meant| meant.0);
    log(&guard, ticket, template, &seen, &mut response, error.as_deref());
    response
}

/// A request under way. Dropped before its answer, its caller has left; the call was made all the same, and is logged.
struct Pending<'a> {
    guard: &'a Guard,
    ticket: Option<Ticket>,
    seen: Seen,
}

/// What the log says of a call whose caller did not wait for the answer.
const CLIENT_GONE: (u16, &str) = (499, "client_gone");

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let mut nothing = Response::default();
        *nothing.status_mut() = StatusCode::from_u16(CLIENT_GONE.0).expect("a number of three digits");
        nothing.extensions_mut().insert(ErrorCode(CLIENT_GONE.1));
        log(self.guard, ticket, Arc::clone(&self.guard.template), &self.seen, &mut nothing, None);
    }
}

/// Lets the page that asked read the answer, if the client of its credential allows that.
fn share(headers: &mut HeaderMap, origin: &HeaderValue, seen: &Seen) {
    cors::vary(headers);
    let allows = |text: &str| seen.principal.as_ref().is_some_and(|principal| principal.origin_allowed(text));
    if origin.to_str().is_ok_and(allows) {
        cors::allow(headers, origin.clone());
    }
}

async fn serve(guard: &Guard, ticket: &Ticket, request: Request, next: Next, seen: &mut Seen) -> Result<Response> {
    let gate = &guard.gate;
    // Nobody is asked who he is; the call is only logged.
    if guard.endpoint.access == Access::Public {
        return Ok(next.run(request).await);
    }
    singletons::check(request.headers())?;
    let caller = {
        let arrival = Arrival {
            method: request.method(),
            path: request.uri().path(),
            asked: request.extensions().get(),
            headers: request.headers(),
            ip: ticket.ip,
            now: ticket.at,
        };
        gate.admit(&guard.endpoint, &arrival, seen).await?
    };
    check_scope(&guard.endpoint, &caller)?;
    match idempotency::key(&guard.endpoint, request.headers())? {
        None => Ok(run(caller, ticket, None, request, next).await.0),
        Some(key) => once(guard, ticket, caller, key, request, next).await,
    }
}

/// Marks an answer whose call has its row already.
#[derive(Clone, Copy)]
pub(crate) struct Unlogged;

/// Serves a request that carries an idempotency key.
async fn once(guard: &Guard, ticket: &Ticket, caller: Caller, key: String, request: Request, next: Next) -> Result<Response> {
    let gate = &guard.gate;
    match gate.enter(&guard.endpoint, &caller, key, request).await? {
        Entrance::Replay(response) => Ok(response),
        Entrance::Run(request, slot, hold) => {
            let (mut response, info) = run(caller, ticket, Some(slot), *request, next).await;
            let error = response.extensions_mut().remove::<Arc<Error>>();
            if let Some(error) = &error {
                response = web::render(error, guard.endpoint.errors.as_ref(), ticket.id);
            }
            if let Some(slot) = &info.slot {
                response = gate.leave(ticket.id, slot, response).await;
            }
            if let Some(error) = error {
                response.extensions_mut().insert(ErrorCode(error.code()));
            }
            drop(hold);
            Ok(response)
        }
    }
}

async fn run(
    caller: Caller,
    ticket: &Ticket,
    slot: Option<kernel::RequestSlot>,
    mut request: Request,
    next: Next,
) -> (Response, Arc<RequestInfo>) {
    let info = Arc::new(RequestInfo { id: ticket.id, ip: ticket.ip, user_agent: ticket.user_agent.clone(), slot });
    request.extensions_mut().insert(caller.in_request(Arc::clone(&info)));
    (next.run(request).await, info)
}

/// Whether a caller may call an endpoint. The same checks that the operation makes, made before it, so that a caller without the scope learns
/// nothing about what exists.
pub fn check_scope(endpoint: &Endpoint, caller: &Caller) -> Result<()> {
    match &endpoint.access {
        Access::Public | Access::AnyCredential => Ok(()),
        Access::Operator => caller.operate().map(drop),
        Access::Permission(permission) => caller.require(*permission),
        Access::PermissionOr(permission, scopes) => {
            let refused = caller.require(*permission);
            if scopes.iter().any(|scope| caller.require_scope(scope).is_ok()) { Ok(()) } else { refused }
        }
        Access::Scope(scope) => caller.require_scope(scope),
    }
}

fn log(guard: &Guard, ticket: Ticket, template: Arc<str>, seen: &Seen, response: &mut Response<Body>, error: Option<&Error>) {
    let principal = seen.principal.as_deref();
    let key = principal.and_then(|p| key_of(&p.credential));
    if let Some(key) = key {
        guard.gate.access.touch(key, ticket.at);
    }
    let duration = ticket.begun.elapsed();
    let code = error.map(Error::code).or_else(|| response.extensions().get::<ErrorCode>().map(|code| code.0));
    if guard.gate.notes.get().is_some() {
        response.extensions_mut().insert(RequestNote {
            id: ticket.id,
            endpoint: Arc::clone(&template),
            tenant: seen.tenant,
            client: principal.and_then(|p| p.client),
            key,
            service_key: principal.and_then(|p| service_key_of(&p.credential)),
            ip: ticket.ip,
            error: code,
        });
    }
    let row = RequestRow {
        id: ticket.id,
        tenant: seen.tenant,
        client: principal.and_then(|p| p.client),
        key,
        at: ticket.at,
        method: method_name(&ticket.method),
        endpoint: template,
        query: ticket.query,
        status: response.status().as_u16(),
        duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        request_bytes: ticket.request_bytes,
        response_bytes: response.body().size_hint().lower(),
        ip: ticket.ip,
        user_agent: ticket.user_agent,
        error_code: code,
        actor: principal.filter(|_| key.is_none()).map(|p| p.caller().actor()),
        environment: principal.filter(|_| key.is_some()).map(|p| p.environment),
        tags: None,
        units: seen.units,
    };
    if response.extensions_mut().remove::<Unlogged>().is_some() {
        guard.gate.timings.answered(response.status(), duration);
        return;
    }
    record(guard, row, ticket.begun, response.extensions_mut().remove::<Arc<Tally>>());
    guard.gate.timings.answered(response.status(), duration);
}

/// Logs a call now, or, if its bodies are still on their way, when they have passed: with their real sizes and the whole time.
fn record(guard: &Guard, mut row: RequestRow, begun: Instant, tally: Option<Arc<Tally>>) {
    let Some(tally) = tally else { return guard.gate.usage.record(row) };
    let usage = Arc::clone(&guard.gate.usage);
    tally.on_end(move |tally| {
        row.duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        row.request_bytes = row.request_bytes.max(tally.request());
        row.response_bytes = tally.response();
        row.error_code = row.error_code.or_else(|| tally.fault());
        usage.record(row);
    });
}

/// A query string for the log: values that look like credentials of ours, or are called so, are masked.
fn without_secrets(query: &str) -> String {
    const NAMES: [&str; 7] = ["token", "access_token", "key", "api_key", "apikey", "secret", "password"];
    const MARKS: [&str; 4] = ["_live_", "_test_", "_dev_", "whsec_"];
    let mask = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) => format!("{name}=***"),
        Some((name, value)) if MARKS.iter().any(|mark| value.contains(mark)) => format!("{name}=***"),
        _ => pair.to_owned(),
    };
    query.split('&').map(mask).collect::<Vec<_>>().join("&")
}

fn key_of(credential: &Credential) -> Option<KeyId> {
    match credential {
        Credential::Key { key, .. } => Some(*key),
        _ => None,
    }
}

fn service_key_of(credential: &Credential) -> Option<ServiceKeyId> {
    match credential {
        Credential::ServiceKey { key, .. } => Some(*key),
        _ => None,
    }
}

/// The method of this name in upper case, as it is logged.
pub(crate) fn method_named(name: &str) -> &'static str {
    Method::from_bytes(name.as_bytes()).map_or("OTHER", |method| method_name(&method))
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}
