//! The accounts at vendors, as far as syncs must know them.

use std::sync::Arc;

use connectors::{Connector, Session};
use futures_util::future::BoxFuture;
use kernel::{IntegrationId, Result, Secret, TenantId, TenantScope, Timestamp};
use store::Tx;

/// A connector, and an account that it is used with.
pub type Opened = (Arc<dyn Connector>, Session);

/// An address that a vendor may call, and what proves its calls.
pub type Inbound = (String, Secret<String>);

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

    /// The address that the vendor may call about the account, and what proves such calls; none: it has none.
    ///
    /// Errors: 404.
    fn inbound<'a>(&'a self, scope: &'a TenantScope, integration: IntegrationId) -> BoxFuture<'a, Result<Option<Inbound>>> {
        let _ = (scope, integration);
        Box::pin(async { Ok(None) })
    }

    /// That an integration is there, in a transaction that refers to it. Error: 404.
    fn require(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
        let _ = (tx, tenant, integration);
        Ok(())
    }

    /// That an integration may be used now, in a transaction of a run that uses it.
    ///
    /// Errors: 404; 409 for one that is switched off.
    fn usable(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
        let _ = (tx, tenant, integration);
        Ok(())
    }

    /// Notes that a sync of it ended well, in its transaction.
    ///
    /// Errors: the store's.
    fn synced(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, at: Timestamp) -> Result<()> {
        let _ = (tx, tenant, integration, at);
        Ok(())
    }
}
