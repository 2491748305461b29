//! Tokens that we hold: what is stored, and in which state.

mod create;
mod delete;
mod get;
mod list;
mod reconnect;
mod refresh;
mod sealed;
pub(crate) mod sql;
mod state;
mod uses;
mod view;

use kernel::{Error, OauthTokenId, Result, TenantId, Timestamp};
use serde_json::{Map, Value};
use store::Tx;

use crate::providers::Settings;

pub use create::NewOauthToken;
pub use list::OauthTokenFilter;
pub use reconnect::Reconnect;
pub(crate) use sealed::Sealed;
pub use state::Revocation;
pub use state::Status;
pub(crate) use state::{margin, pause, revocation_pause};
pub use uses::OauthTokenUse;
pub use view::OauthToken;

pub(crate) use create::{Adopted, adopt, handle as create, scopes as check_scopes, user_id as check_user_id};
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use reconnect::{handle as reconnect, read_link};
pub(crate) use refresh::handle as refresh;
pub(crate) use uses::handle as uses;

/// Most tokens of one tenant.
pub(crate) const MAX_PER_TENANT: u64 = 10_000;

/// A row of `oauth_tokens`, without what is sealed.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: OauthTokenId,
    pub(crate) tenant: TenantId,
    pub(crate) provider: String,
    pub(crate) user_id: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) own_app: bool,
    pub(crate) settings: Settings,
    pub(crate) is_renewable: bool,
    pub(crate) scopes: Vec<String>,
    pub(crate) asked: Vec<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) base_url: Option<String>,
    pub(crate) generation: u64,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) refreshed_at: Timestamp,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) claim_epoch: u64,
    pub(crate) claim_until: Timestamp,
    pub(crate) failures: u32,
    pub(crate) minted: Vec<i64>,
    pub(crate) revocation: Option<Revocation>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The row of a token that is not disconnected. Error: 404.
pub(crate) fn get_row(tx: &mut Tx<'_>, tenant: TenantId, id: OauthTokenId) -> Result<Row> {
    sql::get(tx, tenant, id)?.filter(|row| row.status != Status::Revoked).ok_or_else(|| Error::not_found("OAuth token"))
}
