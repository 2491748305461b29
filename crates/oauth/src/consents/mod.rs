//! What people allowed: remembered, listed, withdrawn.

mod end;
mod id;
mod list;
pub(crate) mod sql;
mod withdraw;

use kernel::{ClientId, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

pub use id::AuthorizedAppId;
pub use list::AppFilter;

pub(crate) use end::Changed;
pub(crate) use list::handle as list;
pub(crate) use withdraw::handle as withdraw;

use crate::scope::ScopeLine;

/// An application that somebody allowed something.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizedApp {
    /// `cns_…`; `grt_…` where nothing is remembered.
    #[schema(value_type = String, example = "cns_01k2x3v7m8e1r9q0s5t6w7y8za")]
    pub id: AuthorizedAppId,
    /// The application.
    pub client_id: ClientId,
    /// Its name.
    pub client_name: String,
    /// Its website.
    pub website: Option<String>,
    /// Its logo.
    pub logo_url: Option<String>,
    /// The name of the tenant that made it.
    pub publisher: String,
    /// The tenant whose data it may use.
    pub tenant_id: TenantId,
    /// Who allowed it.
    pub user_id: UserId,
    /// Whether the person is not asked again for what was remembered. False: there are tokens only, and the next request asks.
    pub remembered: bool,
    /// What was allowed, in plain words: remembered, or by tokens that live.
    pub scopes: Vec<ScopeLine>,
    /// When it was first allowed.
    pub created_at: Timestamp,
    /// When it was last allowed; of what is remembered, when that last grew.
    pub updated_at: Timestamp,
    /// When its tokens were last renewed; null: it has none that can be.
    pub last_used_at: Option<Timestamp>,
}
