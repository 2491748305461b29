//! A tenant's schema goes with it.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use super::{TOPIC, sql};

/// Removes a tenant's schema when the tenant goes.
pub struct GraphqlLifecycle;

impl Lifecycle for GraphqlLifecycle {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject == Subject::Tenant && sql::delete(tx, tenant)? > 0 {
            tx.notify(TOPIC, tenant);
        }
        Ok(())
    }
}
