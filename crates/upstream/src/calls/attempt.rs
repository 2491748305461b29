//! A call to one target after another, as far as that is safe.

use std::sync::Arc;

use http::{Method, Request, Response, header};
use kernel::id::TypedId as _;
use kernel::{Caller, Error, Kind, Result};
use web::Tally;
use web::outbound::backend::{Answer, BackendError, BackendFault, Holder, Outgoing};

use super::{Asked, too_large};
use crate::upstreams::{Target, Upstream};

/// Sends a request to a target, and to others if it fails before an answer began and may be sent twice.
pub(super) async fn send(asked: &Asked<'_>, mut request: Request<Outgoing>, tally: &Arc<Tally>) -> Result<Response<Answer>> {
    let upstream = &*asked.route.upstream;
    let pace = upstream.pace();
    let repeatable = upstream.settings.retries > 0 && is_idempotent(request.method());
    let (mut left, mut tried) = (upstream.settings.retries, 0_u64);
    upstream.budget.pay_in();
    let mut last = None;
    loop {
        let Some(at) = upstream.choose(tried) else {
            return Err(last.map_or_else(|| unavailable(upstream), |failed| error(asked, failed)));
        };
        let target = &upstream.targets[at];
        address(asked, target, &mut request)?;
        let spare = if repeatable { copy(&request) } else { None };
        let mut failed = match target.backend.send(request, holder(asked.caller), &pace, Arc::clone(tally)).await {
            Ok(answer) => {
                target.succeeded();
                return Ok(answer);
            }
            Err(failed) => failed,
        };
        let stale = failed.reused && failed.fault == BackendFault::BrokeOff;
        count(upstream, target, &failed, stale);
        let again = failed.unsent.take().map(|unsent| *unsent).or_else(|| spare.filter(|_| may_repeat(failed.fault)));
        match again.filter(|_| left > 0 && upstream.budget.take()) {
            None => return Err(error(asked, failed)),
            Some(again) => request = again,
        }
        left -= 1;
        // A connection that was closed while it lay idle says nothing against its target.
        tried |= if stale { 0 } else { 1 << at };
        last = Some(failed);
        metrics::counter!("tradewind_upstream_retries", "upstream" => Arc::clone(&upstream.name)).increment(1);
    }
}

/// Whose places a call takes: its tenant's. Operators' own calls share one name, as health checks do.
pub(super) fn holder(caller: &Caller) -> Holder {
    Holder(caller.tenant().map_or(0, |tenant| tenant.uuid().as_u128()))
}

/// What depends on the target: path, host, and the identity, which is signed for that path.
pub(super) fn address(asked: &Asked<'_>, target: &Target, request: &mut Request<Outgoing>) -> Result<()> {
    let upstream = &asked.route.upstream;
    let to = target.backend.address();
    let path = asked.route.template.apply(to.path(), asked.path, asked.query)?;
    let method = request.method().clone();
    let headers = request.headers_mut();
    if !upstream.settings.preserve_host {
        headers.insert(header::HOST, to.host_header().clone());
    }
    upstream.signer.sign(headers, asked.caller, asked.request, asked.route.ambient.now(), method.as_str(), path.as_str());
    *request.uri_mut() = path.into();
    Ok(())
}

/// RFC 9110 §9.2.2.
fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

/// Whether another try may help. Not after a time-out: the backend is at work on it, and the caller has waited long enough.
fn may_repeat(fault: BackendFault) -> bool {
    matches!(fault, BackendFault::Unreachable | BackendFault::ConnectTimeout | BackendFault::BrokeOff | BackendFault::Nonsense)
}

/// The same request once more, if its body can be had twice.
fn copy(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let mut copy = Request::new(request.body().again()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

pub(super) fn count(upstream: &Upstream, target: &Target, failed: &BackendError, stale: bool) {
    if stale || !failed.fault.is_the_backends() {
        return;
    }
    metrics::counter!("tradewind_upstream_faults", "upstream" => Arc::clone(&upstream.name), "fault" => failed.fault.name()).increment(1);
    tracing::debug!(upstream = %upstream.name, error = %failed, "a call failed");
    upstream.failed(target);
}

pub(super) fn unavailable(upstream: &Upstream) -> Error {
    let text = "The service behind this endpoint is not available at the moment. Try again when Retry-After says.";
    Error::unavailable("upstream_unavailable", text).retry_after(upstream.retry_after(upstream.ambient.now()))
}

pub(super) fn error(asked: &Asked<'_>, failed: BackendError) -> Error {
    let (kind, code, text) = match failed.fault {
        BackendFault::Unreachable => {
            (Kind::BadGateway, "upstream_unreachable", "The service behind this endpoint could not be reached. Try again.")
        }
        BackendFault::BrokeOff | BackendFault::Nonsense => {
            (Kind::BadGateway, "upstream_broke_off", "The service behind this endpoint broke off before it answered.")
        }
        BackendFault::ConnectTimeout | BackendFault::Timeout => {
            (Kind::GatewayTimeout, "upstream_timeout", "The service behind this endpoint did not answer in time.")
        }
        BackendFault::Busy => return unavailable(&asked.route.upstream).caused_by(failed.text),
        BackendFault::RequestTooLarge => return too_large(asked.route.max_request),
        BackendFault::RequestBrokeOff => return Error::malformed("body_incomplete", "The body broke off.").caused_by(failed.text),
    };
    Error::new(kind, code, text).caused_by(failed.text)
}
