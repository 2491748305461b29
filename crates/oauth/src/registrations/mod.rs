//! Clients that register themselves (RFC 7591) and manage their registration (RFC 7592), under the operator's policy.
//!
//! A registration makes an API client with OAuth settings, and a token that lets whoever has it read, change and remove this registration.

mod create;
mod manage;
mod metadata;
mod policy;

use kernel::{Error, Timestamp};
use serde::Serialize;

pub use policy::Registration;

pub(crate) use create::handle as create;
pub(crate) use manage::{delete, get, replace};
pub(crate) use metadata::Metadata;

use metadata::fault;

/// The answer to a registration (RFC 7591 §3.2.1, RFC 7592 §3).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RegistrationAnswer {
    /// The API client's id.
    pub(crate) client_id: String,
    /// When it was made, in seconds since the epoch.
    pub(crate) client_id_issued_at: i64,
    /// Its secret, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    /// 0: its secret does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_expires_at: Option<i64>,
    /// What lets it manage its registration, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registration_access_token: Option<String>,
    /// Where it does that.
    pub(crate) registration_client_uri: String,
    /// What was registered.
    #[serde(flatten)]
    pub(crate) metadata: Metadata,
}

impl RegistrationAnswer {
    fn of(issuer: &str, client_id: String, made_at: Timestamp, metadata: Metadata) -> Self {
        Self {
            registration_client_uri: format!("{issuer}/oauth/register/{client_id}"),
            client_id_issued_at: made_at.seconds(),
            client_id,
            client_secret: None,
            client_secret_expires_at: None,
            registration_access_token: None,
            metadata,
        }
    }
}

/// Faults of the API client's own rules, by the names of the protocol.
fn in_protocol(error: Error) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let about_redirects = error.fields().iter().any(|field| field.pointer.starts_with("/redirectUris"));
    let code = if about_redirects { "invalid_redirect_uri" } else { "invalid_client_metadata" };
    let detail = error.fields().iter().map(|field| format!("{} {}.", field.pointer, field.detail)).collect::<Vec<_>>().join(" ");
    fault(code, detail)
}
