//! What goes when a tenant or an event goes; a tenant's events themselves go afterwards, in bounded steps (`retention::purge_some`). A client's events stay: they are the tenant's record of what happened.

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::{Events, consumers, quarantined_events};

impl Lifecycle for Events {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        match subject {
            Subject::Tenant => {
                consumers::purge_tenant(tx, tenant)?;
                quarantined_events::purge_tenant(tx, tenant)?;
            }
            Subject::Event(id) => {
                tx.exec(
                    "DELETE FROM events WHERE tenant_id = ?1 AND id = ?2 \
                     AND created_at = (SELECT i.created_at FROM event_ids i WHERE i.tenant_id = ?1 AND i.id = ?2)",
                    &[tenant.into(), id.into()],
                )?;
                tx.exec("DELETE FROM event_ids WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])?;
                quarantined_events::purge_one(tx, tenant, id)?;
            }
            Subject::Client(client) => consumers::purge_client(tx, tenant, *client)?,
        }
        Ok(())
    }
}
