//! Why a backend gave no answer.

use std::error::Error as StdError;
use std::fmt;

use http::Request;

use super::outgoing::Outgoing;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackendFault {
    /// No connection: no address, refused, or TLS failed.
    Unreachable,
    /// No connection in time.
    ConnectTimeout,
    /// As many calls are under way as may be, and none ended in time.
    Busy,
    /// The connection ended before an answer began.
    BrokeOff,
    /// What came is no HTTP.
    Nonsense,
    /// The answer did not begin in time, or nothing moved for too long.
    Timeout,
    /// The caller's body is larger than it may be.
    RequestTooLarge,
    /// The caller broke off while sending its body.
    RequestBrokeOff,
}

impl BackendFault {
    /// Whether it is the backend's fault, and not the caller's or ours.
    pub fn is_the_backends(self) -> bool {
        !matches!(self, Self::Busy | Self::RequestTooLarge | Self::RequestBrokeOff)
    }

    /// For metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::Busy => "busy",
            Self::BrokeOff => "broke_off",
            Self::Nonsense => "nonsense",
            Self::Timeout => "timeout",
            Self::RequestTooLarge => "request_too_large",
            Self::RequestBrokeOff => "request_broke_off",
        }
    }
}

/// A call that got no answer.
#[derive(Debug)]
pub struct BackendError {
    /// What went wrong, for programs.
    pub fault: BackendFault,
    /// What went wrong, for the log.
    pub text: String,
    /// The request, if nothing of it was sent: whatever it is, it may be sent elsewhere.
    pub unsent: Option<Box<Request<Outgoing>>>,
    /// Whether the connection had served before: that it was closed just then says nothing against the backend.
    pub reused: bool,
}

impl BackendError {
    pub(super) fn new(fault: BackendFault, text: impl Into<String>) -> Self {
        Self { fault, text: text.into(), unsent: None, reused: false }
    }

    pub(super) fn unsent(mut self, request: Request<Outgoing>) -> Self {
        self.unsent = Some(Box::new(request));
        self
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for BackendError {}

/// Why the caller's body ended before its end; travels through the HTTP client as the body's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    TooLarge,
    BrokeOff,
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the request's body is too large",
            Self::BrokeOff => "the caller broke off",
        })
    }
}

impl StdError for BodyFault {}

/// Tells the client's errors apart.
pub(super) fn classify(error: &hyper::Error) -> BackendError {
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    let mut innermost = String::new();
    while let Some(cause) = link {
        innermost = cause.to_string();
        if let Some(body) = cause.downcast_ref::<BodyFault>() {
            let fault = if *body == BodyFault::TooLarge { BackendFault::RequestTooLarge } else { BackendFault::RequestBrokeOff };
            return BackendError::new(fault, innermost);
        }
        link = cause.source();
    }
    let fault = if error.is_parse() { BackendFault::Nonsense } else { BackendFault::BrokeOff };
    BackendError::new(fault, format!("{error}: {innermost}"))
}
