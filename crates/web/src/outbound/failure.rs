//! How a request out fails.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::outbound::refusal::Refusal;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundFault {
    /// Our own policy: nothing was sent.
    Refused(Refusal),
    /// The host name has no address.
    Dns,
    /// No connection.
    Connect,
    /// A connection, but no TLS session: certificate, name or protocol.
    Tls,
    /// The time was up: connecting, waiting or reading.
    Timeout,
    /// The other side broke off, or does not speak HTTP.
    Protocol,
}

/// A request out that got no answer.
#[derive(Clone, Debug)]
pub struct OutboundError {
    /// What went wrong, for programs.
    pub kind: OutboundFault,
    /// What went wrong, for the attempt log.
    pub text: String,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for OutboundError {}

/// What our connector reports through the HTTP client.
#[derive(Debug)]
pub(crate) enum ConnectFault {
    Refused(Refusal),
    Connect(std::io::Error),
    Timeout,
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(Refusal::Unresolvable) => f.write_str("the host name has no address"),
            Self::Refused(refusal) => write!(f, "refused: the URL {refusal}"),
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Timeout => f.write_str("no connection in time"),
        }
    }
}

impl StdError for ConnectFault {}

/// Tells the client's errors apart. The chain is walked, since the client wraps what the connector said.
pub(crate) fn classify(error: &hyper_util::client::legacy::Error) -> (OutboundFault, String) {
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    let mut innermost = error.to_string();
    while let Some(cause) = link {
        innermost = cause.to_string();
        if let Some(fault) = cause.downcast_ref::<ConnectFault>() {
            let kind = match fault {
                ConnectFault::Refused(Refusal::Unresolvable) => OutboundFault::Dns,
                ConnectFault::Refused(refusal) => OutboundFault::Refused(refusal.clone()),
                ConnectFault::Connect(_) => OutboundFault::Connect,
                ConnectFault::Timeout => OutboundFault::Timeout,
            };
            return (kind, innermost);
        }
        link = cause.source();
    }
    // Our connector speaks for TCP itself; what else fails before the request is sent is the TLS handshake.
    if error.is_connect() { (OutboundFault::Tls, format!("no TLS session: {innermost}")) } else { (OutboundFault::Protocol, innermost) }
}
