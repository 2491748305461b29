//! What happens to records when their tenant goes.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::Records;

impl Lifecycle for Records {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        // Records belong to the tenant, not to the client that made them; an event is a copy that holds nothing here.
        if *subject != Subject::Tenant {
            return Ok(());
        }
        for sql in [
            "DELETE FROM record_fields WHERE tenant_id = ?1",
            "DELETE FROM record_uniques WHERE tenant_id = ?1",
            "DELETE FROM records WHERE tenant_id = ?1",
        ] {
            tx.exec(sql, &[tenant.into()])?;
        }
        Ok(())
    }
}
