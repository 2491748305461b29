//! The audit log, read: who did what to what, before and after, from where. Rows are written by `store`, in the transaction of the act.
//!
//! Tables: none of its own (`audit_log`, `audit_heads` and `audit_roots` are `store`'s). Events: none.
//!
//! * [`entries`]: `GET /api/v1/audit-log`. A tenant sees the acts in it, the operator sees all.
//! * [`verify`] and [`anchors`]: what `tradewind verify-log` does.
//!
//! Invariants: nothing here writes; a tenant's caller reads its own chain only.

pub mod anchors;
pub mod entries;

use std::sync::Arc;

use kernel::{Result, Scope};
use store::Store;
use store::audit::Verified;

/// The feature.
pub struct Audit {
    store: Store,
}

impl Audit {
    /// Over `store`.
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self { store })
    }

    /// The HTTP surface.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        entries::routes(self)
    }
}

/// Checks every chain of the audit log: any row that was altered, removed, moved or added is found.
pub async fn verify(store: &Store) -> Result<Verified> {
    store.read(Scope::system("audit"), store::audit::verify_chains).await
}
