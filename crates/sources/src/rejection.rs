//! What is told beyond the quarantine when a call is refused: the one place from which `source.rejected` goes out.
//!
//! It is sent in the transaction that keeps the refused call, at most once a minute for a source: strangers cause it. Each call that is kept is
//! counted for alerts; what is kept is bounded.

use events::SOURCE_REJECTED;
use kernel::{CallId, Result};
use serde_json::json;
use store::Tx;

use crate::Sources;
use crate::cache::Loaded;
use crate::providers::Refusal;

impl Sources {
    /// Tells the tenant.
    pub(crate) fn announce(&self, tx: &mut Tx<'_>, source: &Loaded, call: CallId, reason: Refusal) -> Result<()> {
        signals::report(tx, signals::Kind::IntegrationError, Some(source.tenant), source.id, 1, reason.as_str())?;
        if !self.bounds.may_announce(source.id, tx.now()) {
            return Ok(());
        }
        tracing::info!(source = %source.id, reason = reason.as_str(), %call, "a call to a source was refused");
        let data = json!({"sourceId": source.id, "provider": source.provider, "reason": reason.as_str(), "callId": call});
        self.events.report(tx, source.tenant, SOURCE_REJECTED, &data)
    }
}
