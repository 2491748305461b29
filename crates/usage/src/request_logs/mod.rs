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
    /// The method.
    pub method: String,
    /// The route's template.
    pub endpoint: String,
    /// The query string.
    pub query: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub response_time: f64,
    /// Size of the request's body in bytes.
    pub request_size: u64,
    /// Size of the answer's body in bytes.
    pub response_size: u64,
    /// The caller's address.
    pub ip: Option<String>,
    /// The caller's user agent.
    pub user_agent: Option<String>,
    /// The error's code, if it failed.
    pub error_code: Option<String>,
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
            ("status", "Only calls with this status"),
            ("from", "Not before this time (RFC 3339)"),
            ("to", "Before this time (RFC 3339)"),
            ("limit", "Rows in the answer (default 20, most 100)"),
            ("cursor", "Go on where the last answer's nextCursor points"),
        ])
        .answers_page::<RequestLog>();
    Api::new().route(list, list::handle, usage)
}
