//! Who a person is at other OpenID providers, as they see it and cut it. How the tie is made is in [`crate::external`].

mod list;
mod remove;
pub(crate) mod sql;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use list::{IdentityList, handle as list};
pub(crate) use remove::handle as remove;

/// An account elsewhere by which a person signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The provider's name in addresses; null: it is no longer set up.
    pub provider: Option<String>,
    /// Who vouches for it.
    pub issuer: String,
    /// The address that it last showed.
    pub email: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// When the person last came by it.
    pub last_used_at: Option<Timestamp>,
}
