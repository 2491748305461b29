//! Deleting a destination.

use kernel::{DestinationId, Result, TenantId};
use store::Tx;

use super::{TOPIC, missing, sql};
use crate::acceptances;

/// Deletes a destination. Its pending deliveries are removed right after the commit by the nodes that own them, in bounded steps, since there
/// may be a million; what is finished stays in the log. Error: 404.
pub fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<()> {
    if tx.exec(sql::DELETE, &[tenant.into(), id.into()])? == 0 {
        return Err(missing());
    }
    tx.exec(sql::DELETE_SEQ, &[tenant.into(), id.into()])?;
    acceptances::forget(tx, tenant, id)?;
    tx.notify(TOPIC, id);
    Ok(())
}
