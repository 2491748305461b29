//! The accounts at vendors, as far as syncs must know them.

use std::sync::Arc;

use connectors::{Connector, Session};
use futures_util::future::BoxFuture;
use kernel::{IntegrationId, Result, TenantScope};

/// A connector, and an account that it is used with.
pub type Opened = (Arc<dyn Connector>, Session);

/// Opens accounts. Implemented over `integrations`.
pub trait Accounts: Send + Sync + 'static {
    /// The connector of a tenant's integration.
    ///
    /// Errors: 404; whatever its configuration is refused for.
    fn connector<'a>(&'a self, scope: &'a TenantScope, integration: IntegrationId) -> BoxFuture<'a, Result<Arc<dyn Connector>>>;

    /// The same with its account.
    ///
    /// Errors: 404; 409 for one that is switched off or has to be connected again.
    fn open<'a>(&'a self, scope: &'a TenantScope, integration: IntegrationId) -> BoxFuture<'a, Result<Opened>>;
}
