//! WebSocket through the proxy (RFC 6455): the handshake is a call like any other; then bytes go both ways.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, Version, header};
use kernel::{Caller, Error, Kind, Result};
use web::outbound::backend::{BackendFault, Bounds, Outgoing, Tunnel, tunnel};
use web::{RequestIdentity, Tally};

use super::head::{self, Origin};
use super::{Asked, Route, answered, attempt};

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("Upgrade");

/// Whether a request that asks for an upgrade asks for this one. Other protocols are not carried: the request is served as if it had not asked.
pub(super) fn is_meant(parts: &Parts) -> bool {
    let asked = parts.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && asked.is_some_and(|name| name.trim().eq_ignore_ascii_case("websocket"))
}

/// Asks a target to become a WebSocket, and ties the two connections together.
pub(super) async fn open(route: &Route, caller: &Caller, mut parts: Parts) -> Result<Response> {
    let upstream = &*route.upstream;
    let request_id = RequestIdentity::ensure(&mut parts.extensions, &route.ambient);
    let origin = Origin::of(&parts, caller, route.scheme);
    let mut headers = parts.headers.clone();
    head::rewrite(&mut headers, &origin, &upstream.settings);
    headers.insert(header::CONNECTION, UPGRADE);
    headers.insert(header::UPGRADE, WEBSOCKET);
    let asked = Asked { route, caller, request: request_id, path: parts.uri.path(), query: parts.uri.query() };
    let (pace, tally) = (upstream.pace(), Tally::new());
    let (mut tried, mut last) = (0_u64, None);
    let opened = loop {
        let Some(at) = upstream.choose(tried) else {
            return Err(last.map_or_else(|| attempt::unavailable(upstream), |failed| attempt::error(&asked, failed)));
        };
        let target = &upstream.targets[at];
        let mut request = Request::new(Outgoing::empty());
        *request.headers_mut() = headers.clone();
        attempt::address(&asked, target, &mut request)?;
        match target.backend.upgrade(request, attempt::holder(caller), &pace, Arc::clone(&tally)).await {
            Ok(opened) => {
                target.succeeded();
                break opened;
            }
            Err(failed) => {
                attempt::count(upstream, target, &failed, false);
                // Only where no connection came about: anything else may have begun there.
                if !matches!(failed.fault, BackendFault::Unreachable | BackendFault::ConnectTimeout) {
                    return Err(attempt::error(&asked, failed));
                }
                tried |= 1 << at;
                last = Some(failed);
            }
        }
    };
    match opened {
        Tunnel::Refused(answer) => answered(upstream, answer),
        Tunnel::Open(answer, ends) => {
            let accepted = answer.headers().get(header::UPGRADE).is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"websocket"));
            if !accepted {
                let text = "The service behind this endpoint changed to another protocol than it was asked for.";
                return Err(Error::new(Kind::BadGateway, "upstream_broke_off", text));
            }
            let mut client = Request::from_parts(parts, ());
            let bounds = Bounds { idle: upstream.settings.websocket_idle, until: pace.until, closing: upstream.closing.subscribe() };
            tunnel(&mut client, *ends, bounds, Arc::clone(&tally));
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            *response.headers_mut() = answer.into_parts().0.headers;
            head::answer(response.headers_mut(), &upstream.settings);
            response.headers_mut().insert(header::CONNECTION, UPGRADE);
            response.headers_mut().insert(header::UPGRADE, WEBSOCKET);
            response.extensions_mut().insert(tally);
            Ok(response)
        }
    }
}
