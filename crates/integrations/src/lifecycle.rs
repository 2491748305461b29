//! A tenant's integrations go with it.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::integrations::sql;
use crate::{Integrations, TOPIC};

impl Lifecycle for Integrations {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject != Subject::Tenant {
            return Ok(());
        }
        for id in sql::ids(tx, tenant)? {
            tx.notify(TOPIC, id);
        }
        sql::delete_of_tenant(tx, tenant)
    }
}
