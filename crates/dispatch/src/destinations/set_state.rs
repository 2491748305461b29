//! Enabling, pausing and disabling; noting that nothing arrives.

use kernel::{DestinationId, Result, TenantId, Timestamp};
use store::Tx;

use super::{State, TOPIC, missing, sql};

/// Sets the state. Pending deliveries of a paused destination wait; those of a disabled one end as skipped. Error: 404.
pub fn set_state(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, state: State, reason: Option<&str>) -> Result<()> {
    let now = tx.now();
    let changed = tx.exec(sql::SET_STATE, &[tenant.into(), id.into(), state.as_str().into(), reason.into(), now.into()])?;
    if changed == 0 {
        return Err(missing());
    }
    tx.notify(TOPIC, id);
    Ok(())
}

/// Disables a destination that is not; false if it was, or is deleted.
pub(crate) fn disable(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, reason: &str) -> Result<bool> {
    let now = tx.now();
    let changed = tx.exec(sql::DISABLE, &[tenant.into(), id.into(), reason.into(), now.into()])?;
    if changed > 0 {
        tx.notify(TOPIC, id);
    }
    Ok(changed > 0)
}

/// A destination's turn for the worse or the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Nothing has arrived since then.
    Since(Timestamp),
    /// Something arrived.
    No,
}

/// Notes a turn. A destination that is gone meanwhile is no matter.
pub(crate) fn mark_failing(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, failing: Failing) -> Result<()> {
    match failing {
        Failing::Since(at) => tx.exec(sql::FAILING, &[tenant.into(), id.into(), at.into()])?,
        Failing::No => tx.exec(sql::NOT_FAILING, &[tenant.into(), id.into()])?,
    };
    Ok(())
}
