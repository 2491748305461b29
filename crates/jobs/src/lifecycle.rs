//! A tenant's jobs go with it; jobs that ended long ago go with the lifetime of metadata.

use kernel::{ClientId, Result, TenantId, Timestamp};
use store::{Lifecycle, Subject, Tx};

use crate::Jobs;
use crate::jobs::sql;

impl Lifecycle for Jobs {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        match subject {
            Subject::Tenant => sql::delete_of_tenant(tx, tenant),
            Subject::Client(client) => forget_client(tx, tenant, *client),
            Subject::Event(_) => Ok(()),
        }
    }
}

/// Its webhooks are destinations, which `dispatch` deletes; its jobs are the tenant's, and stay, but tell nobody; what starts them again and again
/// stops.
fn forget_client(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<()> {
    for sql in [
        "DELETE FROM job_webhooks WHERE tenant_id = ?1 AND client_id = ?2",
        "DELETE FROM job_schedules WHERE tenant_id = ?1 AND client_id = ?2",
        "UPDATE jobs SET webhook_id = NULL WHERE tenant_id = ?1 AND client_id = ?2 AND webhook_id IS NOT NULL AND ended_at IS NULL",
    ] {
        tx.exec(sql, &[tenant.into(), client.into()])?;
    }
    Ok(())
}

/// A step of retention: removes some of a tenant's jobs that ended before a time; answers how many.
pub fn delete_old(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    sql::delete_old(tx, tenant, before, limit)
}
