//! Service keys: the operator's credentials for host backends. Made on the command line, so these are functions over a [`store::Store`] and
//! need no running server; one that runs learns of changes by its store's notices.

mod create;
mod list;
mod revoke;
mod rotate;
pub(crate) mod sql;

use kernel::{Caller, OperatorScope, Result, ServiceKeyId, TenantId, Timestamp};
use serde::Serialize;

pub use create::{NewServiceKey, ServiceKeyWithToken, create};
pub use list::list;
pub use revoke::revoke;
pub use rotate::rotate;

/// Topic of change notices, by service key id (`svc_…`).
pub(crate) const TOPIC: &str = "service_key";

/// A service key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceKey {
    /// `svc_…`
    pub id: ServiceKeyId,
    /// What may be shown of it.
    pub mask: String,
    /// Its name.
    pub name: String,
    /// The only tenant that it may act for; none: any.
    pub tenant: Option<TenantId>,
    /// The permissions held; none: all.
    pub permissions: Option<Vec<String>>,
    /// `active`, `revoked` or `expired`.
    pub status: String,
    /// When it ends by itself (after a rotation).
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whoever can run the command line on this database is the operator.
fn authority() -> Result<OperatorScope> {
    Caller::system("command-line", None).operate()
}
