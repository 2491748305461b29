//! The Ed25519 keys that sign a tenant's deliveries (`v1a`), made when the first webhook asks for such a signature.
//!
//! Keys belong to tenants, not to the installation: a tenant chooses where its deliveries go and what is in them, so under one key for all
//! a tenant could have a delivery signed that another tenant's receiver takes for its own.

mod cache;
mod ending;
mod ensure;
mod list;
mod rotate;
mod sql;

use kernel::Timestamp;
use web::signature::PublicKey;

pub use cache::SigningKeys;
pub use ending::ending;
pub use ensure::ensure;
pub use list::list;
pub use rotate::{MAX_KEYS, rotate};

/// The topic of change notices about signing keys; the key is the tenant's id.
pub const TOPIC: &str = "signing_key";

/// A tenant's key, without its private part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookKey {
    /// Its id, the thumbprint.
    pub kid: String,
    /// What verifies.
    pub public: PublicKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// No signature with it from then on; none for the newest.
    pub expires_at: Option<Timestamp>,
}

impl WebhookKey {
    /// Whether it signs at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

fn context(kid: &str) -> String {
    format!("signing_keys.seed:{kid}")
}
