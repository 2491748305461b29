//! Integrations: the resource.

mod binding;
mod check;
mod create;
mod credentials;
mod delete;
mod get;
mod health;
mod input;
mod list;
mod logs;
pub(crate) mod sql;
mod status;
mod test;
mod update;
mod view;

use kernel::{Error, IntegrationId, OauthTokenId, Result, TenantId, Timestamp};
use serde_json::{Map, Value};
use store::Tx;

pub(crate) use binding::{CREDENTIALS_BOUND, NOT_ITS_API, SEND_AGAIN, TOKEN_BASE_REFUSED, origin_of};
pub(crate) use check::base_url;
pub(crate) use credentials::{Credentials, Inbound, sign};
pub use health::{Health, Latency};
pub use input::{IntegrationInput, IntegrationPatch};
pub use logs::CallEntry;
pub use status::Status;
pub(crate) use test::into_error;
pub use test::{Exchange, Shown, TestResult};
pub use view::Integration;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use health::handle as health;
pub(crate) use list::handle as list;
pub(crate) use logs::handle as logs;
pub(crate) use test::handle as test;
pub(crate) use update::handle as update;

/// Most integrations of one tenant.
pub(crate) const MAX_PER_TENANT: u64 = 200;

/// A row of `integrations`, without what is sealed.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: IntegrationId,
    pub(crate) tenant: TenantId,
    pub(crate) connector: String,
    pub(crate) name: String,
    pub(crate) notes: Option<String>,
    pub(crate) environment: String,
    pub(crate) enabled: bool,
    pub(crate) config: Map<String, Value>,
    pub(crate) credential_names: Vec<String>,
    pub(crate) token: Option<OauthTokenId>,
    pub(crate) account: Option<String>,
    pub(crate) status: Status,
    pub(crate) status_reason: Option<String>,
    pub(crate) status_at: Timestamp,
    pub(crate) last_sync_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The row. Error: 404.
pub(crate) fn get_row(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId) -> Result<Row> {
    sql::get(tx, tenant, id)?.ok_or_else(|| Error::not_found("integration"))
}
