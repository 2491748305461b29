//! What is left of tenants and clients that are gone.
//!
//! Deleting one takes away at once whatever it needs to be or to do anything: keys, webhooks, sources. What was logged about it can be millions of
//! rows, and goes afterwards: in steps that hold the writer for milliseconds, from where the last committed one ended. Nobody can see it
//! meanwhile, since nobody can act for a tenant that is gone.

mod runner;
mod sql;

use std::sync::Arc;

use kernel::{Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::Retention;

/// A feature's step: removes some of a tenant's rows from the state and answers how many; 0: nothing is left.
pub type Step = fn(&mut Tx<'_>, TenantId, u32) -> Result<u64>;

/// This feature's part in the life of tenants: the binary puts it among the lifecycles.
pub struct RetentionLifecycle(pub Arc<Retention>);

impl Lifecycle for RetentionLifecycle {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        let client = match subject {
            Subject::Tenant => None,
            Subject::Client(client) => Some(*client),
            Subject::Event(_) => return Ok(()),
        };
        if client.is_none() {
            tx.exec("DELETE FROM expunges WHERE tenant_id = ?1", &[tenant.into()])?;
            tx.exec("DELETE FROM retention_marks WHERE tenant_id = ?1", &[tenant.to_string().into()])?;
        }
        sql::ask(tx, tenant, client)?;
        let retention = Arc::clone(&self.0);
        tx.after_commit(move || retention.wanted.notify_one());
        Ok(())
    }
}
