//! Why a message was not sent.

use lettre::transport::smtp::Error;

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFault {
    /// For programs: `connect`, `tls`, `timeout`, `credentials`, `rejected`, `protocol`.
    pub kind: &'static str,
    /// For people; without the relay's address and credentials.
    pub text: String,
    /// The relay said that it can never succeed.
    pub is_final: bool,
    /// The relay's status (RFC 5321), if it answered.
    pub status: Option<u16>,
}

/// Longest text in characters.
const MAX_TEXT: usize = 300;

impl MailFault {
    pub(super) fn timeout() -> Self {
        Self { kind: "timeout", text: "the mail relay did not take the message in time".to_owned(), is_final: false, status: None }
    }

    pub(super) fn unusable(text: String) -> Self {
        Self { kind: "rejected", text, is_final: true, status: None }
    }
}

impl From<Error> for MailFault {
    fn from(error: Error) -> Self {
        let status = error.status().map(u16::from);
        let kind = match status {
            // RFC 4954: authentication is required, or failed.
            Some(530 | 534 | 535 | 538) => "credentials",
            Some(_) => "rejected",
            None if error.is_timeout() => "timeout",
            None if error.is_tls() => "tls",
            None if error.is_response() || error.is_client() => "protocol",
            None => "connect",
        };
        // What the relay says to a message is the tenant's to know; how the relay is reached is the operator's.
        let text = match (status, kind) {
            (Some(code), "rejected") => format!("the mail relay answered {code}: {error}"),
            (_, "credentials") => "the mail relay did not accept the server's credentials".to_owned(),
            _ => "the mail relay could not be reached".to_owned(),
        };
        if kind != "rejected" {
            tracing::warn!(%error, kind, "the mail relay cannot be used");
        }
        let text = text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect();
        // The relay's own credentials can be mended, so that is not for good.
        Self { kind, text, is_final: error.is_permanent() && kind == "rejected", status }
    }
}
