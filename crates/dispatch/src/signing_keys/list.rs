//! The tenant's keys.

use kernel::{Result, TenantId};
use store::Tx;

use super::{WebhookKey, sql};

/// Those that sign now, the newest first.
pub fn list(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<WebhookKey>> {
    let now = tx.now();
    sql::valid(tx, tenant, now)
}
