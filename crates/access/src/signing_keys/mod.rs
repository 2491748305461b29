//! The keys that sign tokens of ours: access tokens in the form of JWTs (RFC 9068) and id tokens of OpenID Connect.
//!
//! They are the installation's: every node signs with the same one and publishes the same set. A new key is published at once and signs only
//! after a while, so that whoever keeps the set for a few minutes knows it by then; the one before stays published until what it signed has
//! ended. Private parts are sealed.

mod list;
mod rotate;
mod set;
mod sql;

use kernel::Timestamp;
use serde::Serialize;

pub use list::list;
pub use rotate::{MAX_LEAD, RotateKeys, rotate};
pub use set::{KeySet, SigningKeys};

/// The topic of change notices about these keys.
pub const TOPIC: &str = "jwt_key";

/// A key, without its private part.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JwtKey {
    /// Its id: the thumbprint (RFC 7638).
    pub kid: String,
    /// `ES256` or `EdDSA`.
    #[schema(value_type = String)]
    pub algorithm: &'static str,
    /// When it was made and published.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it signs from.
    #[schema(value_type = String, format = DateTime)]
    pub active_at: Timestamp,
    /// When it is published no longer; none for the newest.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retires_at: Option<Timestamp>,
}

fn context(kid: &str) -> String {
    format!("jwt_keys.sealed:{kid}")
}
