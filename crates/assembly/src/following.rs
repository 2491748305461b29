//! Where integrations and syncs meet: syncs use their accounts, and hear what vendors tell of them.

use std::sync::Arc;

use connectors::{Connector, Hint};
use futures_util::future::BoxFuture;
use integrations::{HintSink, Integrations};
use kernel::{IntegrationId, Result, TenantId, TenantScope, Timestamp};
use store::Tx;
use syncs::{Accounts, Inbound, Opened, Syncs};

/// The accounts that syncs use.
pub(crate) struct Connected(pub(crate) Arc<Integrations>);

impl Accounts for Connected {
    fn connector<'a>(&'a self, scope: &'a TenantScope, integration: IntegrationId) -> BoxFuture<'a, Result<Arc<dyn Connector>>> {
        Box::pin(self.0.connector(scope, integration))
    }

    fn open<'a>(&'a self, scope: &'a TenantScope, integration: IntegrationId) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(self.0.session(scope, integration))
    }

    fn inbound<'a>(&'a self, scope: &'a TenantScope, integration: IntegrationId) -> BoxFuture<'a, Result<Option<Inbound>>> {
        Box::pin(async move {
            let secret = self.0.inbound_secret(scope, integration).await?;
            Ok(Some((self.0.inbound_url(integration), secret)))
        })
    }

    fn require(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
        Integrations::require(tx, tenant, integration).map(drop)
    }

    fn usable(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
        Integrations::usable(tx, tenant, integration)
    }

    fn synced(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, at: Timestamp) -> Result<()> {
        Integrations::synced(tx, tenant, integration, at)
    }
}

/// What vendors tell, for syncs.
pub(crate) struct Hearing(pub(crate) Arc<Syncs>);

impl HintSink for Hearing {
    fn hints(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, hints: &[Hint]) -> Result<()> {
        self.0.note_hints(tx, tenant, integration, hints).map(drop)
    }

    fn removing(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
        syncs::refuse_removal(tx, tenant, integration)
    }
}
