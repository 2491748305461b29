//! A tenant's alerts and rules go with it.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::{Alerts, alerts, rules};

impl Lifecycle for Alerts {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject != Subject::Tenant {
            return Ok(());
        }
        alerts::sql::purge(tx, tenant)?;
        rules::sql::purge(tx, tenant)?;
        signals::purge(tx, tenant)
    }
}
