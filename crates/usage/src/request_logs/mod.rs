//! The request log as a tenant sees it.

mod list;

use std::sync::Arc;

use kernel::{ClientId, KeyId, Permission, RequestId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Access, Api, Endpoint};

use crate::Usage;

pub use list::Filter;

/// One call.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestLog {
    /// The request's id, as in `X-Request-Id`.
    pub id: RequestId,
    /// When it came in.
    pub at: Timestamp,
    /// The client, if a client's credential was used.
    pub client_id: Option<ClientId>,
    /// The key, if a key was used.
    pub api_key_id: Option<KeyId>,
    /// Who called, if no key was used: a service key (`svc_…`), a person (`usr_…`).
    pub actor: Option<String>,
    /// The environment that the key is labelled with.
    pub environment: Option<String>,
    /// The method.
    pub method: String,
    /// The route's template.
    pub endpoint: String,
    /// The query string.
    pub query: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// Whether it succeeded: a status below 400.
    pub success: bool,
    /// How long it took, in milliseconds.
    pub response_time: f64,
    /// Size of the request's body in bytes.
    pub request_size: u64,
    /// Size of the answer's body in bytes.
    pub response_size: u64,
    /// What it cost in limits; 0 where it was refused before it was counted there.
    pub units: u32,
    /// The caller's address.
    pub ip: Option<String>,
    /// The caller's user agent.
    pub user_agent: Option<String>,
    /// The error's code, if it failed.
    pub error_code: Option<String>,
    /// What the host said about it when it had a key verified.
    pub tags: Vec<String>,
}

pub(crate) fn routes(usage: Arc<Usage>) -> Api {
    let list = Endpoint::get("/api/v1/request-logs", "request_logs.list")
        .tag("Usage")
        .summary("List the calls that were made, newest first")
        .needs(Access::Permission(Permission::UsageRead))
        .query(&[
            ("clientId", "Only this client's calls"),
            ("apiKeyId", "Only this key's calls"),
            ("endpoint", "Only calls of this route template"),
            ("method", "Only calls of this method"),
            ("status", "Only calls with this status: 404, or a class: 4xx"),
            ("errorCode", "Only calls that failed with this code"),
            ("environment", "Only calls of keys of this environment"),
            ("ip", "Only calls from this address"),
            ("from", "Not before this time (RFC 3339)"),
            ("to", "Before this time (RFC 3339)"),
        ])
        .paged()
        .answers_page::<RequestLog>();
    Api::new().route(list, list::handle, usage)
}
