//! Connecting: from "somebody wants to" over the vendor's page to a token.
//!
//! # What must not happen
//!
//! * Somebody else's grant ends up in a tenant (login forgery, RFC 9700 §4.7). The `state` is 256 random bits, of which only a hash is stored; it
//!   is good once and for ten minutes, and it names the row that has tenant, person and app. Where a browser began (a signed-in person, or an
//!   opened reconnect link), a cookie binds the callback to that browser; where a host's backend began with its key, the row is bound to the
//!   tenant and the person that the host named, and the host gives the address to that person only.
//! * A code is exchanged that another app got (RFC 9700 §4.5): PKCE wherever the vendor takes it; `iss` is compared where it is known.
//! * A code goes to another server than the vendor's (§4.4): the endpoint follows from the row. What the callback says about data centres is
//!   compared with the list of them.
//! * We send people anywhere (§4.11): `returnTo` is on this server, or registered for the tenant by the operator.

mod begin;
mod browser;
mod callback;
mod create;
mod exchange;
mod fields;
mod get;
mod page;
mod reopen;
mod return_to;
pub(crate) mod sql;
mod uninstalled;
mod view;

use kernel::{OauthConnectionId, OauthTokenId, Secret, TenantId, Timestamp};

use crate::providers::Settings;

pub(crate) use begin::Start;
pub use create::NewOauthConnection;
pub use view::{ConnectionStatus, OauthConnection};

pub(crate) use callback::handle as callback;
pub(crate) use create::handle as create;
pub(crate) use get::handle as get;
pub(crate) use reopen::handle as reopen;
pub(crate) use uninstalled::{MAX_TOLD, handle as uninstalled};

/// A row of `oauth_connections`, without what is sealed.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: OauthConnectionId,
    pub(crate) tenant: TenantId,
    pub(crate) provider: String,
    pub(crate) user_id: Option<String>,
    pub(crate) started_by: String,
    pub(crate) browser_hash: Option<Vec<u8>>,
    pub(crate) client_id: String,
    pub(crate) own_app: bool,
    pub(crate) settings: Settings,
    pub(crate) asked: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) return_to: Option<String>,
    pub(crate) token: Option<OauthTokenId>,
    pub(crate) status: ConnectionStatus,
    pub(crate) error: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What of a connection is sealed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sealed {
    /// PKCE's verifier.
    pub(crate) verifier: Option<Secret<String>>,
    /// Of the tenant's own app.
    pub(crate) client_secret: Option<Secret<String>>,
}
