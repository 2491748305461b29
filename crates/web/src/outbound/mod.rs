//! The guarded outbound client: the only way out of the system over HTTP.
//!
//! Threat: a partner gives us a URL and we fetch it from inside the operator's network. Defence: one verdict about a URL and every address
//! that its host has ([`Client::verdict`]), taken when the URL is stored, when it is tested, and again by the connector each time that a
//! connection is opened. The connector connects to an address that it has just vetted and asks no resolver again, so a name that changes
//! between two look-ups gains nothing. Redirects are not followed, proxies of the environment are not used, answers are cut at a cap, and
//! one time-out covers connecting, waiting and reading.
//!
//! [`backend`] is the other way out, to the operator's own servers, under a policy of its own.
//!
//! An operator's egress proxy ([`EgressProxy`]) changes the way, not the verdict: it is asked for a tunnel to the address that was vetted.

pub mod backend;
mod certificates;
mod client;
mod connect;
mod driven;
mod explain;
mod failure;
mod heard;
mod policy;
mod pool;
mod proxy;
mod refusal;
mod resolve;
mod stream;
mod tls;
mod verdict;

pub use certificates::certificates_end;
pub use client::{Client, ClientConfig, OutboundRequest, OutboundResponse};
pub use explain::Step;
pub use failure::{OutboundError, OutboundFault};
pub use policy::{Judged, UrlPolicy};
pub use proxy::EgressProxy;
pub use refusal::Refusal;
pub use resolve::{Resolve, Resolving, SystemResolver};
pub use stream::{Peer, Security, Stream};
pub use tls::{TlsFault, TlsSettings};
pub use verdict::{MAX_URL, to_uri};
