//! How a request out fails.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::outbound::pool::Failure;
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
    /// The other side wants a certificate of ours, or another one.
    ClientCertificate,
    /// The time was up: connecting, waiting or reading.
    Timeout,
    /// The other side broke off, or does not speak HTTP.
    Protocol,
    /// The egress proxy is not there or will not serve us: no fault of the receiver's.
    Proxy,
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
    Proxy(String),
    Timeout,
}

impl ConnectFault {
    pub(crate) fn kind(&self) -> OutboundFault {
        match self {
            Self::Refused(Refusal::Unresolvable) => OutboundFault::Dns,
            Self::Refused(refusal) => OutboundFault::Refused(refusal.clone()),
            Self::Connect(_) => OutboundFault::Connect,
            Self::Proxy(_) => OutboundFault::Proxy,
            Self::Timeout => OutboundFault::Timeout,
        }
    }
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(Refusal::Unresolvable) => f.write_str("the host name has no address"),
            Self::Refused(refusal) => write!(f, "refused: the URL {refusal}"),
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Proxy(why) => write!(f, "the egress proxy: {why}"),
            Self::Timeout => f.write_str("no connection in time"),
        }
    }
}

impl StdError for ConnectFault {}

/// Tells failures apart. The chain is walked, since libraries wrap what the connector said.
pub(crate) fn classify(failure: &Failure) -> (OutboundFault, String) {
    let (error, is_connect): (&(dyn StdError + 'static), bool) = match failure {
        Failure::Connect(error) => (error.as_ref(), true),
        Failure::Exchange(error) => (error, false),
    };
    let mut link = Some(error);
    let mut innermost = error.to_string();
    while let Some(cause) = link {
        innermost = cause.to_string();
        if let Some(fault) = cause.downcast_ref::<ConnectFault>() {
            return (fault.kind(), innermost);
        }
        // Under TLS 1.3 a receiver refuses our certificate only after the handshake, when we already read its answer.
        if let Some(fault) = tls_fault(cause) {
            return tell(fault);
        }
        link = cause.source();
    }
    // Our connector speaks for TCP itself; what else fails before the request is sent is the TLS handshake.
    if is_connect { (OutboundFault::Tls, format!("no TLS session: {innermost}")) } else { (OutboundFault::Protocol, innermost) }
}

/// What TLS says is wrapped as an I/O error, whose chain leaves it out.
fn tls_fault<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref()
}

/// Whose fault it is: of a receiver whose certificate does not do, or of ours.
fn tell(fault: &rustls::Error) -> (OutboundFault, String) {
    use rustls::AlertDescription as Alert;
    match fault {
        rustls::Error::AlertReceived(
            alert @ (Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError),
        ) => (OutboundFault::ClientCertificate, format!("the receiver does not take our certificate: {alert:?}")),
        _ => (OutboundFault::Tls, format!("no TLS session: {fault}")),
    }
}
