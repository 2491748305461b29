//! Making a destination.

use kernel::{ClientId, DestinationId, Error, Result, TenantId};
use serde_json::Value;
use store::Tx;

use super::{Destination, State, TOPIC, certificate_ends, context, sql};
use crate::Policy;

/// What a destination is made from.
#[derive(Clone, Debug)]
pub struct NewDestination {
    /// Its id, chosen by the caller.
    pub id: DestinationId,
    /// Whose.
    pub tenant: TenantId,
    /// Of which client.
    pub client: ClientId,
    /// The channel's name.
    pub channel: String,
    /// The configuration as [`crate::Channel::check`] answered it.
    pub config: Value,
    /// How it is treated.
    pub policy: Policy,
}

/// Makes an enabled destination and its sequence.
pub fn create(tx: &mut Tx<'_>, new: NewDestination) -> Result<Destination> {
    let now = tx.now();
    let sealed = tx.sealer().seal(&context(new.id), new.config.to_string().as_bytes())?;
    let policy = serde_json::to_string(&new.policy).map_err(Error::internal)?;
    tx.exec(
        sql::INSERT,
        &[
            new.id.into(),
            new.tenant.into(),
            new.client.into(),
            new.channel.as_str().into(),
            sealed.into(),
            policy.into(),
            now.into(),
            certificate_ends(&new.config).into(),
        ],
    )?;
    tx.exec(sql::INSERT_SEQ, &[new.id.into(), new.tenant.into(), new.client.into(), new.policy.ordered.into()])?;
    tx.notify(TOPIC, new.id);
    let NewDestination { id, tenant, client, channel, config, policy } = new;
    let (state, state_reason, failing_since) = (State::Enabled, None, None);
    Ok(Destination { id, tenant, client, channel, config, policy, state, state_reason, failing_since, created_at: now, updated_at: now })
}
