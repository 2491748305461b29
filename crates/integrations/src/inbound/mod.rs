//! The addresses that vendors call: one of each integration, and one of each vendor's app, which serves all of its accounts.
//!
//! A call is verified by the connector on its raw bytes. What it says are hints: records that are worth a look. They are kept by whoever does
//! the looking ([`HintSink`]), in a transaction, and the vendor is answered after its commit.
//!
//! What a stranger can make us do: one look-up by a key, reading a body of bounded size, one or two MACs.

mod provider;
mod receive;

use connectors::Hint;
use kernel::{IntegrationId, Result, TenantId};
use store::Tx;

pub(crate) use provider::handle as receive_of_provider;
pub(crate) use receive::handle as receive;

/// Largest body of a call.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// Who keeps what vendors hint at. Implemented by `syncs`.
pub trait HintSink: Send + Sync {
    /// Keeps hints of an integration, in the transaction after which the vendor is answered.
    fn hints(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, hints: &[Hint]) -> Result<()>;

    /// An integration is about to be deleted, in the same transaction: what hangs on it goes, or says that it cannot (409).
    fn removing(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
        let _ = (tx, tenant, integration);
        Ok(())
    }
}

impl crate::Integrations {
    /// Says who keeps hints. Once; without it they are verified and forgotten.
    pub fn set_hints(&self, sink: std::sync::Arc<dyn HintSink>) {
        let _ = self.hints.set(sink);
    }
}
