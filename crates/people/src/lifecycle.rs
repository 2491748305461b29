//! What happens here when a tenant goes. (`access` removes its memberships.)

use kernel::{Result, SessionId, TenantId, UserId};
use store::{Lifecycle, Subject, Tx};

/// To be put among the lifecycles.
pub struct PeopleLifecycle;

impl Lifecycle for PeopleLifecycle {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject != Subject::Tenant {
            return Ok(());
        }
        tx.exec("DELETE FROM invitations WHERE tenant_id = ?1", &[tenant.into()])?;
        tx.exec("DELETE FROM one_time_links WHERE bound_tenant = ?1", &[tenant.into()])?;
        let ended: Vec<SessionId> =
            tx.query("DELETE FROM sessions WHERE bound_tenant = ?1 RETURNING id", &[tenant.into()], |row| row.get(0))?;
        for id in ended {
            tx.notify(crate::sessions::TOPIC, id);
        }
        let members = "SELECT user_id FROM memberships WHERE tenant_id = ?1";
        for user in tx.query(members, &[tenant.into()], |row| row.get::<UserId>(0))? {
            tx.notify(access::people::USER_TOPIC, user);
        }
        Ok(())
    }
}
