//! The end of a grant.

use std::sync::Arc;

use kernel::{GrantId, Result, TenantScope};
use serde_json::json;
use store::Tx;

use super::sql;
use crate::Oauth;

impl Oauth {
    /// Ends a grant with all its tokens, for the audit log's `reason`. One that has ended stays so. Errors: those of the store.
    pub(crate) async fn end_grant(self: &Arc<Self>, scope: TenantScope, grant: GrantId, reason: &'static str) -> Result<()> {
        let oauth = Arc::clone(self);
        self.store.write(scope, move |tx| oauth.end_grant_within(tx, grant, reason)).await
    }

    /// The same in a transaction of its tenant.
    pub(crate) fn end_grant_within(&self, tx: &mut Tx<'_>, grant: GrantId, reason: &'static str) -> Result<()> {
        let Some(tenant) = tx.scope().tenant() else {
            return Err(kernel::Error::internal("a grant is ended in its tenant's transaction, for its audit log"));
        };
        if sql::revoke(tx, tenant, grant, reason)? {
            access::access_tokens::revoke_of_grant(tx, grant)?;
            tx.audit_with("grant.revoke", grant, &json!({"reason": reason}))?;
        }
        Ok(())
    }
}
