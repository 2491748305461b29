//! Access tokens that we issue to OAuth clients. What they are issued for is `oauth`'s business; here is what the gate must know of them: they
//! are stored as keys are, found and compared in the same way, and bound by the limits of their client.
//!
//! A token is written `twa_live_<id>_<secret><checksum>`, like a key. The other secrets of the protocol (codes, refresh tokens, handles) have
//! the same form under other prefixes ([`Handle`]), so that none is ever taken for another.

mod handles;
mod issue;
mod lapse;
mod revoke;
pub(crate) mod signed;
pub(crate) mod sql;

use kernel::{GrantId, TenantId, Timestamp, UserId};

pub use handles::{Handle, NewHandle, ReadHandle};
pub use issue::NewToken;
pub use lapse::lapse;
pub use revoke::revoke_of_grant;

/// Topic of change notices about single tokens, by key id.
pub(crate) const TOPIC: &str = "access_token";
/// Topic of change notices about all tokens of a grant, by grant id.
pub(crate) const GRANT_TOPIC: &str = "oauth_grant";
/// Topic of change notices about a person's standing in any tenant, by user id: whoever changes a membership or a user gives them.
pub const MEMBER_TOPIC: &str = "member";

/// What an access token says beside who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// What finds it: its `jti`.
    pub key_id: String,
    /// The tenant of its client.
    pub client_tenant: TenantId,
    /// Who consented; none: the client acts for itself.
    pub user: Option<UserId>,
    /// The grant that it ends with.
    pub grant: Option<GrantId>,
    /// The scopes as they were granted, with spaces between them; also those of OpenID Connect, which open nothing here.
    pub scope: String,
    /// What it was asked for (RFC 8707); empty: this server.
    pub resource: Vec<String>,
    /// The thumbprint of the key that its holder must prove (RFC 9449 §6).
    pub jkt: Option<String>,
    /// Who acts for the subject after a token exchange (RFC 8693 §4.1), as JSON.
    pub actor: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
}
