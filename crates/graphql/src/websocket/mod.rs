//! GraphQL over WebSocket, protocol `graphql-transport-ws` (the one of the library graphql-ws).
//!
//! The connection itself needs no credential: it comes with the upgrade, in `Authorization`, or in the payload of `connection_init`. Each
//! operation then passes the gate as a request of its own, with that credential: it is authenticated, limited and logged as if it had come by
//! POST. One task owns the socket; operations hand it what they have through a bounded queue, so that a slow reader slows them down.

mod messages;
mod operations;
mod socket;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use kernel::Error;

use crate::routes::Doors;

/// The protocol's name.
const PROTOCOL: &str = "graphql-transport-ws";
/// Largest message of a client, in bytes.
const MAX_MESSAGE: usize = 256 * 1024;

/// Whether a request asks for a WebSocket.
pub(crate) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).and_then(|value| value.to_str().ok()).is_some_and(|text| text.eq_ignore_ascii_case("websocket"))
}

/// Begins a WebSocket.
pub(crate) async fn open(doors: Doors, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let detail = "This is no good WebSocket handshake (RFC 6455).";
            return web::Failure(Error::malformed("websocket_handshake_invalid", detail).caused_by(rejection.to_string())).into_response();
        }
    };
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    upgrade.on_upgrade(move |socket| socket::serve(doors, parts, socket))
}
