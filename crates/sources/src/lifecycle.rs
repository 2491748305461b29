//! A tenant's sources go with it.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::sources::sql;
use crate::{Sources, TOPIC, quarantine};

impl Lifecycle for Sources {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject != Subject::Tenant {
            return Ok(());
        }
        for id in sql::ids(tx, tenant)? {
            tx.notify(TOPIC, id);
        }
        quarantine::sql::delete_of_tenant(tx, tenant)?;
        sql::delete_of_tenant(tx, tenant)
    }
}
