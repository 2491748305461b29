//! A tenant's syncs go with it; runs that ended long ago go with the lifetime of metadata.

use kernel::{Result, TenantId, Timestamp};
use store::{Lifecycle, Subject, Tx};

use crate::Syncs;
use crate::runs::sql;

/// Every table, those that are found by others first.
const TABLES: [&str; 8] =
    ["sync_configs", "sync_log", "sync_runs", "sync_links", "sync_dirty", "sync_hints", "sync_intents", "sync_conflicts"];

impl Lifecycle for Syncs {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        if *subject != Subject::Tenant {
            return Ok(());
        }
        TABLES.iter().try_for_each(|table| tx.exec(&format!("DELETE FROM {table} WHERE tenant_id = ?1"), &[tenant.into()]).map(drop))
    }
}

/// A step of retention: removes some of a tenant's runs that ended before a time, with their logs; answers how many.
pub fn delete_old(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    sql::delete_old(tx, tenant, before, limit)
}
