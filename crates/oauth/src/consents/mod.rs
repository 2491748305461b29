//! What people allowed: remembered, listed, withdrawn.

mod end;
mod list;
pub(crate) mod sql;
mod withdraw;

use kernel::{ClientId, ConsentId, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

pub use list::AppFilter;

pub(crate) use end::Changed;
pub(crate) use list::handle as list;
pub(crate) use withdraw::handle as withdraw;

use crate::scope::ScopeLine;

/// An application that somebody allowed something.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizedApp {
    /// `cns_…`
    pub id: ConsentId,
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
    /// What was allowed, in plain words.
    pub scopes: Vec<ScopeLine>,
    /// When it was first allowed.
    pub created_at: Timestamp,
    /// When it was last allowed.
    pub updated_at: Timestamp,
    /// When its tokens were last renewed; null: it has none that can be.
    pub last_used_at: Option<Timestamp>,
}
