//! A call, as it is logged.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{ClientId, KeyId, RequestId, TenantId, Timestamp};
use store::Value;

/// Longest query string and user agent that are kept, in bytes.
const MAX_TEXT: usize = 512;
pub(crate) const COLUMNS: usize = 15;
pub(crate) const INSERT: &str = "INSERT INTO request_logs (id, tenant_id, client_id, key_id, at, method, endpoint, query, status, duration_us, \
                                 request_bytes, response_bytes, ip, user_agent, error_code) VALUES";

/// One call. Texts are shared or short: a row is made for every request.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// The request's id.
    pub id: RequestId,
    /// The tenant; none where no credential, or a service key, named one: such rows are the operator's.
    pub tenant: Option<TenantId>,
    /// The client, if a client's credential was used.
    pub client: Option<ClientId>,
    /// The key, if a key was used.
    pub key: Option<KeyId>,
    /// When it came in.
    pub at: Timestamp,
    /// The method.
    pub method: &'static str,
    /// The route's template, such as `/api/v1/leads/{id}`.
    pub endpoint: Arc<str>,
    /// The query string, without `?`.
    pub query: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// Size of the request's body in bytes, as announced.
    pub request_bytes: u64,
    /// Size of the answer's body in bytes, as announced.
    pub response_bytes: u64,
    /// The caller's address.
    pub ip: Option<IpAddr>,
    /// The caller's user agent.
    pub user_agent: Option<String>,
    /// The error's code, if it failed.
    pub error_code: Option<&'static str>,
}

impl RequestRow {
    pub(crate) fn into_values(self, out: &mut Vec<Value>) {
        out.extend([
            self.id.into(),
            self.tenant.map(|tenant| tenant.to_string()).unwrap_or_default().into(),
            self.client.into(),
            self.key.into(),
            self.at.into(),
            self.method.into(),
            (&*self.endpoint).into(),
            self.query.map(cut).into(),
            self.status.into(),
            self.duration_us.into(),
            self.request_bytes.into(),
            self.response_bytes.into(),
            self.ip.map(|ip| ip.to_string()).into(),
            self.user_agent.map(cut).into(),
            self.error_code.into(),
        ]);
    }
}

/// At most [`MAX_TEXT`] bytes, without NUL, which PostgreSQL cannot store.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
    if text.contains('\0') { text.replace('\0', "") } else { text }
}
