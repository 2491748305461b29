//! A call to a vendor, for the log.

use kernel::{IntegrationId, TenantId, Timestamp};

/// A call, without anything secret: the path without its query, no headers, no bodies.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) tenant: TenantId,
    pub(crate) integration: IntegrationId,
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    pub(crate) endpoint: String,
    pub(crate) status: Option<u16>,
    pub(crate) ms: u64,
    pub(crate) error: Option<String>,
    /// Who caused it.
    pub(crate) actor: String,
}

impl Entry {
    pub(crate) fn is_success(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|status| status < 400)
    }
}
