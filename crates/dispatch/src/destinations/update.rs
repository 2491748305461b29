//! Changing a destination.

use kernel::{DestinationId, Error, Result, TenantId};
use serde_json::Value;
use store::Tx;

use super::{Destination, TOPIC, certificate_ends, context, get, sql};
use crate::Policy;

/// What is to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct DestinationUpdate {
    /// A new configuration, as [`crate::Channel::check`] answered it.
    pub config: Option<Value>,
    /// A new policy.
    pub policy: Option<Policy>,
}

/// Changes a destination. Attempts that begin after the commit see it. Error: 404.
pub fn update(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, change: DestinationUpdate) -> Result<Destination> {
    let old = get(tx, tenant, id)?;
    let now = tx.now();
    let config = change.config.unwrap_or(old.config);
    let policy = change.policy.unwrap_or(old.policy);
    let sealed = tx.sealer().seal(&context(id), config.to_string().as_bytes())?;
    let text = serde_json::to_string(&policy).map_err(Error::internal)?;
    let ends = certificate_ends(&config);
    tx.exec(sql::UPDATE, &[tenant.into(), id.into(), sealed.into(), text.into(), now.into(), ends.into()])?;
    tx.exec(sql::SET_ORDERED, &[tenant.into(), id.into(), policy.ordered.into()])?;
    tx.notify(TOPIC, id);
    Ok(Destination { config, policy, updated_at: now, ..old })
}
