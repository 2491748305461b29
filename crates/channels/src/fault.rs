//! How an attempt fails, whatever the channel.

use std::time::Duration;

use bytes::Bytes;
use dispatch::{AttemptError, AttemptOutcome, AttemptReport, MAX_BODY};
use http::HeaderMap;
use web::outbound::{OutboundError, OutboundFault};

/// Longest text of a broker's error that is kept, in characters.
const MAX_TEXT: usize = 300;

/// Why an attempt failed. Cheap to clone: those that waited for one connection share its fault.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// For programs: `dns`, `connect`, `tls`, `timeout`, `protocol`, `refused`, `proxy`, `status`, `credentials`, `missing`, `rejected`, `too_large`.
    pub(crate) kind: &'static str,
    /// For people; never with a credential.
    pub(crate) text: String,
    /// Whether the connection is of no more use.
    pub(crate) broken: bool,
    /// It can never succeed.
    pub(crate) is_final: bool,
}

impl Fault {
    /// The connection is gone, or cannot be trusted to be in step.
    pub(crate) fn broken(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: cut(text.into()), broken: true, is_final: false }
    }

    /// This message was not taken; the connection goes on.
    pub(crate) fn rejected(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: cut(text.into()), broken: false, is_final: false }
    }

    /// It is too large for the other side, today and tomorrow.
    pub(crate) fn too_large(text: impl Into<String>) -> Self {
        Self { kind: "too_large", text: cut(text.into()), broken: false, is_final: true }
    }

    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::rejected("timeout", format!("no acknowledgement within {} ms", limit.as_millis()))
    }

    fn outcome(&self) -> AttemptOutcome {
        if self.is_final { AttemptOutcome::Refused(self.kind) } else { AttemptOutcome::Retry { after: None } }
    }

    pub(crate) fn report(self, request_headers: HeaderMap, duration: Duration) -> AttemptReport {
        AttemptReport { request_headers, ..AttemptReport::failure(self.outcome(), self.kind, self.text, duration) }
    }
}

impl From<OutboundError> for Fault {
    fn from(error: OutboundError) -> Self {
        let kind = match &error.kind {
            OutboundFault::Refused(_) => "refused",
            OutboundFault::Dns => "dns",
            OutboundFault::Connect => "connect",
            OutboundFault::Tls => "tls",
            OutboundFault::ClientCertificate => "auth",
            OutboundFault::Timeout => "timeout",
            OutboundFault::Protocol => "protocol",
            OutboundFault::Proxy => "proxy",
        };
        // The address is not told to partners: it would let them map the operator's names.
        let text = if kind == "refused" { "the destination leads to an address that is not allowed".to_owned() } else { error.text };
        Self::broken(kind, text)
    }
}

/// What a broker says, on one line and not for ever.
pub(crate) fn cut(text: String) -> String {
    let odd = |c: char| c.is_control();
    if text.chars().nth(MAX_TEXT).is_none() && !text.chars().any(odd) {
        return text;
    }
    text.chars().take(MAX_TEXT).map(|c| if odd(c) { ' ' } else { c }).collect()
}

/// A delivery, with what the other side said to it.
pub(crate) fn delivered(request_headers: HeaderMap, receipt: String, duration: Duration) -> AttemptReport {
    let mut response_body = Bytes::from(receipt);
    response_body.truncate(MAX_BODY);
    AttemptReport {
        outcome: AttemptOutcome::Delivered,
        status_code: None,
        error: None,
        duration,
        request_headers,
        response_headers: HeaderMap::new(),
        response_body,
    }
}

/// An answer of a service that speaks HTTP. `kind` and `is_final` say what a failure is.
pub(crate) fn answered(
    answer: web::outbound::OutboundResponse,
    request_headers: HeaderMap,
    read: impl Fn(u16, &[u8]) -> Fault,
) -> AttemptReport {
    let status = answer.status.as_u16();
    let (outcome, error) = if answer.status.is_success() {
        (AttemptOutcome::Delivered, None)
    } else {
        let fault = read(status, &answer.body);
        (fault.outcome(), Some(AttemptError { kind: fault.kind, text: fault.text }))
    };
    AttemptReport {
        outcome,
        status_code: Some(status),
        error,
        duration: answer.elapsed,
        request_headers,
        response_headers: answer.headers,
        response_body: answer.body,
    }
}
