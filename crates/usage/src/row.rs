//! A call, as it is logged.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{Actor, ClientId, KeyId, RequestId, TenantId, Timestamp};

/// Longest query string, user agent and tags that are kept, in bytes.
const MAX_TEXT: usize = 512;
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
    /// The caller's user agent; see [`agent`].
    pub user_agent: Option<Arc<str>>,
    /// The error's code, if it failed.
    pub error_code: Option<&'static str>,
    /// Who called, where it was no key: a service key, a person, an OAuth client.
    pub actor: Option<Actor>,
    /// The environment that the key is labelled with.
    pub environment: Option<&'static str>,
    /// What the host says about the call when it has a key verified: a JSON array of texts.
    pub tags: Option<String>,
    /// What it cost in limits and is billed as: usually 1, and 0 where it was refused before it was counted there.
    pub units: u32,
}

impl RequestRow {
    /// A call of which nothing else is known: of nobody, successful, one unit. To be filled in.
    pub fn new(id: RequestId, at: Timestamp, method: &'static str, endpoint: Arc<str>) -> Self {
        Self {
            id,
            tenant: None,
            client: None,
            key: None,
            at,
            method,
            endpoint,
            query: None,
            status: 200,
            duration_us: 0,
            request_bytes: 0,
            response_bytes: 0,
            ip: None,
            user_agent: None,
            error_code: None,
            actor: None,
            environment: None,
            tags: None,
            units: 1,
        }
    }
}

/// A user agent as the logs keep it: its first 512 bytes.
pub fn agent(text: &str) -> Arc<str> {
    Arc::from(&text[..end(text)])
}

/// Where a text is cut.
fn end(text: &str) -> usize {
    if text.len() <= MAX_TEXT { text.len() } else { (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0) }
}

/// At most [`MAX_TEXT`] bytes, without NUL, which PostgreSQL cannot store.
pub(crate) fn cut(mut text: String) -> String {
    text.truncate(end(&text));
    if text.contains('\0') { text.replace('\0', "") } else { text }
}
