//! Devices without a browser (RFC 8628): a television shows a short code, a person types it at `/portal/device` and decides there, and the device,
//! which has been asking, gets its tokens.

mod authorize;
mod person;
mod redeem;
pub(crate) mod sql;
mod user_code;

use kernel::{ClientId, Error, Result, Timestamp};
use serde::Serialize;

pub use person::DeviceRequest;

pub(crate) use authorize::handle as authorize;

use crate::Oauth;

/// Where a person types the code, under the issuer.
pub const PAGE: &str = "/portal/device";

/// What a device gets (RFC 8628 §3.2).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeviceAnswer {
    /// To be sent to the token endpoint until there is an answer.
    device_code: String,
    /// What the person types.
    user_code: String,
    /// Where.
    verification_uri: String,
    /// The same with the code in it, for a QR code.
    verification_uri_complete: String,
    /// How long the codes are good, in seconds.
    expires_in: u64,
    /// How many seconds there are at least between two requests of the device.
    interval: u64,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nobody has answered yet.
    Pending,
    /// Somebody allowed it.
    Approved,
    /// Somebody refused it.
    Denied,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            _ => Self::Denied,
        }
    }
}

/// A request as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) key_id: String,
    pub(crate) client: ClientId,
    pub(crate) scope: String,
    pub(crate) resource: Option<String>,
    pub(crate) status: Status,
    pub(crate) interval_ms: i64,
    pub(crate) polled_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
}

impl Oauth {
    /// The hash by which a request is found: keyed, since a code has few letters.
    async fn user_hash(&self, letters: &str) -> Result<[u8; 32]> {
        let ambient = self.ambient.clone();
        let secret = self
            .user_codes
            .get_or_try_init(|| async { self.store.installation_secret("oauth_user_codes", move || ambient.bytes::<32>().to_vec()).await });
        Ok(web::signature::derive(secret.await?, letters))
    }
}

/// 404, the same for a code that was mistyped, is over, or was answered.
fn over() -> Error {
    Error::not_found("device code")
}
