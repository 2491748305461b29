//! Sources: the addresses and how each verifies.

mod create;
mod delete;
mod get;
mod input;
mod list;
mod rotate_secret;
mod secrets;
mod settings;
pub(crate) mod sql;
mod update;
mod view;

use kernel::{Error, Result, SourceId, TenantId, Timestamp};
use serde_json::Value;
use store::Tx;

use crate::providers::Provider;

pub use crate::providers::{Encoding, SecretEncoding, SignatureVersion};
pub use input::{ResponseForm, SourceInput, SourcePatch};
pub use rotate_secret::{RotateSourceSecret, RotatedSourceSecret};
pub(crate) use secrets::Secrets;
pub use settings::{DataForm, Deduplicate, SourceSettings};
pub use view::Source;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use rotate_secret::handle as rotate_secret;
pub(crate) use update::handle as update;

/// Most sources of one tenant.
pub(crate) const MAX_PER_TENANT: u64 = 100;

/// A row of `sources`, without its secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: SourceId,
    pub(crate) provider: Provider,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) events: Vec<String>,
    pub(crate) filter: Option<Value>,
    pub(crate) settings: SourceSettings,
    pub(crate) response: Option<ResponseForm>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The row. Error: 404.
pub(crate) fn get_row(tx: &mut Tx<'_>, tenant: TenantId, id: SourceId) -> Result<Row> {
    sql::get(tx, tenant, id)?.ok_or_else(|| Error::not_found("source"))
}
