//! The operator's own backends, and the endpoints that are answered by them.

use serde_json::Value;

/// A backend of the operator's: several servers that answer alike.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `orders`.
    pub name: String,
    /// Where it is; never empty.
    pub targets: Vec<UpstreamTarget>,
    /// How HTTP is spoken to it.
    pub protocol: UpstreamProtocol,
    /// The most time for a connection, TLS included, in milliseconds; also how long a call waits for a free place.
    pub connect_timeout_ms: u64,
    /// The most time from the last byte of the request to the first of the answer, in milliseconds.
    pub first_byte_timeout_ms: u64,
    /// The longest silence between two parts of either body, in milliseconds.
    pub idle_timeout_ms: u64,
    /// The most time for a whole call, in milliseconds; none: no limit.
    pub total_timeout_ms: Option<u64>,
    /// The longest silence on a WebSocket, in milliseconds.
    pub websocket_idle_ms: u64,
    /// How often a call is tried again, at most.
    pub retries: u32,
    /// The most calls at once to one target (HTTP/1.1 has a connection for each).
    pub max_in_flight: u32,
    /// Idle connections that are kept to one target.
    pub max_idle: u32,
    /// How long an idle connection is kept, in milliseconds.
    pub idle_connection_ms: u64,
    /// The largest body of a request in bytes; none: no limit.
    pub max_request_bytes: Option<u64>,
    /// The largest body of an answer in bytes; none: no limit.
    pub max_response_bytes: Option<u64>,
    /// Failures in a row after which a target gets no calls for a while; 0: never.
    pub eject_after: u32,
    /// That while, in milliseconds; longer each time that it fails again, at most ten times as long.
    pub eject_ms: u64,
    /// How its targets are asked whether they are well.
    pub health: Option<UpstreamHealth>,
    /// Credentials of the caller that are passed on: `authorization`, `cookie`, `x-api-secret`.
    pub forward: Vec<String>,
    /// Headers that every request carries.
    pub headers: Vec<(String, String)>,
    /// Whether `Host` stays as the caller sent it.
    pub preserve_host: bool,
    /// A PEM file of certificate authorities that are trusted beside the public ones.
    pub ca_file: Option<String>,
}

/// One server of an [`Upstream`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamTarget {
    /// `http://` or `https://`, host and port, and perhaps a path that every request begins with (without a slash at its end).
    pub url: String,
    /// Its share of the calls, 1 to 100.
    pub weight: u32,
}

/// How HTTP is spoken to an [`Upstream`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// On https as TLS agrees, HTTP/1.1 on http.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, on http with prior knowledge.
    Http2,
}

/// How targets are asked whether they are well: a GET that is answered 200 to 399.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamHealth {
    /// `/healthz`.
    pub path: String,
    /// Between two questions, in milliseconds.
    pub interval_ms: u64,
    /// For an answer, in milliseconds.
    pub timeout_ms: u64,
    /// Good answers in a row after which a target gets calls again.
    pub healthy_after: u32,
    /// Bad ones in a row after which it gets none.
    pub unhealthy_after: u32,
}

/// What an endpoint with the operation `upstream` does.
#[derive(Clone, Debug)]
pub struct UpstreamCall {
    /// The [`Upstream`] by its name.
    pub upstream: String,
    /// The path that is asked for, with the endpoint's placeholders and its `*rest`: `/v2/orders/{id}`.
    pub path: String,
    /// Whether a caller may change to WebSocket here.
    pub websocket: bool,
    /// JSON Schema of the request's body; with it the body is read and checked before the backend sees anything.
    pub schema: Option<Value>,
    /// The largest body of a request in bytes, in place of the upstream's.
    pub max_request_bytes: Option<u64>,
}
