//! Connectors that tenants and operators describe in a file, and which connector a slug means.

mod compiled;
mod create;
mod delete;
mod get;
mod known;
mod list;
pub(crate) mod sql;

use connectors::About;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use compiled::Compiled;
pub use create::CustomConnectorInput;
pub(crate) use known::Known;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;

/// Most connectors of one tenant, and most versions of one that are kept.
pub(crate) const MAX_PER_TENANT: u64 = 50;
pub(crate) const MAX_VERSIONS: u64 = 20;

/// Where a connector comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectorSource)]
pub enum Source {
    /// It is a part of the program.
    BuiltIn,
    /// The operator described it, for every tenant.
    Operator,
    /// The tenant described it, for itself.
    Tenant,
}

/// A connector that a file describes.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomConnector {
    /// Its slug, which the file says.
    pub id: String,
    /// 1, 2, …: each POST of the same slug makes a new one, which holds from then on.
    pub version: u64,
    /// Whose it is.
    pub source: Source,
    /// What the catalogue says of it.
    pub about: About,
    /// The file; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// When this version was made.
    pub created_at: Timestamp,
}
