//! One server at a time. Every step can be repeated, so two at once would do no harm: the lease only saves work.

use std::time::Duration;

use kernel::{NodeId, Result};
use store::Tx;

/// For how long it is held without being renewed.
const HELD_FOR: Duration = Duration::from_secs(300);

/// Takes or renews the lease, or takes it from a server that has stopped; false: another server has it.
pub(crate) fn take(tx: &mut Tx<'_>, name: &str, holder: NodeId) -> Result<bool> {
    let now = tx.now();
    let taken = tx.exec(
        "INSERT INTO retention_lease (name, holder, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE \
         SET holder = excluded.holder, expires_at = excluded.expires_at WHERE retention_lease.holder = ?2 OR retention_lease.expires_at < ?4 \
         OR NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = retention_lease.holder AND nodes.stopped_at IS NULL)",
        &[name.into(), holder.into(), now.plus(HELD_FOR).into(), now.into()],
    )?;
    Ok(taken == 1)
}
