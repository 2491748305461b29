//! A key for a tenant that has none.

use kernel::{Result, TenantId};
use store::Tx;
use web::signature::SigningKey;

use super::{TOPIC, sql};

/// Sees to it that the tenant has a key, in the transaction that makes a webhook ask for one. Two such transactions at once may make two:
/// both sign and are published then, until the next rotation.
pub fn ensure(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    let now = tx.now();
    if sql::valid(tx, tenant, now)?.iter().any(|key| key.expires_at.is_none()) {
        return Ok(());
    }
    let made = sql::insert(tx, tenant, &SigningKey::generate(tx.ambient()))?;
    tx.audit("signing_key.create", &made.kid)?;
    tx.notify(TOPIC, tenant);
    Ok(())
}
