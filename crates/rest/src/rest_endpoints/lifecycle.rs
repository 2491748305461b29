//! A tenant's endpoints go with it.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use super::{RestEndpoints, TOPIC, sql};

impl Lifecycle for RestEndpoints {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject == Subject::Tenant && sql::delete_of_tenant(tx, tenant)? > 0 {
            tx.notify(TOPIC, tenant);
        }
        Ok(())
    }
}
