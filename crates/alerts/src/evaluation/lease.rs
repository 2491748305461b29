//! One server at a time. The unique index keeps two at once from doing harm: the lease only saves work.

use std::time::Duration;

use kernel::{NodeId, Result};
use store::Tx;

/// For how long it is held without being renewed: two looks that were missed.
const HELD_FOR: Duration = Duration::from_secs(150);
const NAME: &str = "evaluation";

/// Takes or renews the lease; false: another server has it.
pub(super) fn take(tx: &mut Tx<'_>, holder: NodeId) -> Result<bool> {
    let now = tx.now();
    let taken = tx.exec(
        "INSERT INTO alert_lease (name, holder, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE \
         SET holder = excluded.holder, expires_at = excluded.expires_at WHERE alert_lease.holder = ?2 OR alert_lease.expires_at < ?4",
        &[NAME.into(), holder.into(), now.plus(HELD_FOR).into(), now.into()],
    )?;
    Ok(taken == 1)
}

/// Gives it back, if it is held.
pub(super) fn release(tx: &mut Tx<'_>, holder: NodeId) -> Result<()> {
    tx.exec("DELETE FROM alert_lease WHERE name = ?1 AND holder = ?2", &[NAME.into(), holder.into()]).map(drop)
}
