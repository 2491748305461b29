//! Authorization codes: made when a person consents, redeemed once, within a minute.

mod redeem;
pub(crate) mod sql;

use kernel::{ClientId, GrantId, TenantId, Timestamp, UserId};

use crate::grants::SignIn;

/// A code, without its secret.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) key_id: String,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) user: UserId,
    /// What it turns into.
    pub(crate) grant: GrantId,
    pub(crate) scope: String,
    /// The address that it was sent to, and whether the request named it.
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) resource: Option<String>,
    /// The key that the request said it would prove (RFC 9449 §10).
    pub(crate) jkt: Option<String>,
    pub(crate) sign_in: SignIn,
    pub(crate) expires_at: Timestamp,
}
