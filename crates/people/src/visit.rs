//! Who is at the other end, before anything is known of them.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Extensions, HeaderMap, header};
use kernel::{Ambient, RequestId, RequestInfo};
use web::{PeerAddress, RequestIdentity};

/// Longest name of a browser that is kept, in bytes.
const MAX_AGENT: usize = 300;

/// A request of somebody who signs in.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The address.
    pub ip: Option<IpAddr>,
    /// What the browser calls itself.
    pub user_agent: Option<Arc<str>>,
    /// The request's id.
    pub request: RequestId,
}

impl Visit {
    /// Of a request's headers and extensions.
    pub fn of(headers: &HeaderMap, extensions: &Extensions, ambient: &Ambient) -> Self {
        let ip = extensions.get::<PeerAddress>().map(|peer| peer.0.to_canonical());
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = agent.map(|text| Arc::from(text.get(..MAX_AGENT).unwrap_or(text)));
        Self { ip, user_agent, request: RequestIdentity::of(extensions).unwrap_or_else(|| ambient.id()) }
    }

    /// As operations see it.
    pub fn info(&self) -> Arc<RequestInfo> {
        Arc::new(RequestInfo { id: self.request, ip: self.ip, user_agent: self.user_agent.clone(), slot: None })
    }
}
