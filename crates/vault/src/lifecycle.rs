//! A tenant's tokens go with it.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::{TOPIC, Vault, connections, tokens};

impl Lifecycle for Vault {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject != Subject::Tenant {
            return Ok(());
        }
        for id in tokens::sql::ids(tx, tenant)? {
            tx.notify(TOPIC, id);
        }
        connections::sql::delete_of_tenant(tx, tenant)?;
        tokens::sql::delete_of_tenant(tx, tenant)
    }
}
