//! The id of a request, in every answer and every log line; and where it came from.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use kernel::{Ambient, RequestId};

/// The header that carries it.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request at hand, kept in its extensions. The router's outermost layer puts it there before anything else runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestIdentity(pub RequestId);

impl RequestIdentity {
    /// The id in `extensions`; makes one and puts it there if there is none yet.
    pub fn ensure(extensions: &mut Extensions, ambient: &Ambient) -> RequestId {
        if let Some(known) = extensions.get::<Self>() {
            return known.0;
        }
        let id = ambient.id();
        extensions.insert(Self(id));
        id
    }

    /// The id in `extensions`, if one was made.
    pub fn of(extensions: &Extensions) -> Option<RequestId> {
        extensions.get::<Self>().map(|identity| identity.0)
    }

    /// Writes the header, unless the answer has it already.
    pub fn stamp(headers: &mut HeaderMap, id: RequestId) {
        headers
            .entry(REQUEST_ID_HEADER)
            .or_insert_with(|| HeaderValue::from_maybe_shared(bytes::Bytes::from(id.to_string())).expect("an id is visible ASCII"));
    }
}

/// The client's address: that at the other end of the connection, or the one that trusted proxies name ([`crate::TrustedProxies`]). The
/// listener puts it into every request's extensions. A request that came through a trusted proxy has a [`ProxyAddress`] beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The address of the trusted proxy at the other end of the connection: what it says of the client may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyAddress(pub IpAddr);
