//! A new key in place of the present ones.

use kernel::{Error, Result, TenantId, Timestamp};
use store::Tx;
use web::signature::SigningKey;

use super::{TOPIC, WebhookKey, sql};

/// Most keys of a tenant that sign at once: rotations overlap, and every key is a signature on every delivery.
pub const MAX_KEYS: usize = 4;

/// Makes a new key; the present ones sign until `until` and never longer than before. Error: 409 `too_many_keys`.
pub fn rotate(tx: &mut Tx<'_>, tenant: TenantId, until: Timestamp) -> Result<WebhookKey> {
    let now = tx.now();
    sql::end(tx, tenant, until, now)?;
    if sql::valid(tx, tenant, now)?.len() >= MAX_KEYS {
        let text = format!("At most {MAX_KEYS} keys sign at once. Wait until one has ended, or rotate with a shorter overlap.");
        return Err(Error::conflict("too_many_keys", text));
    }
    let made = sql::insert(tx, tenant, &SigningKey::generate(tx.ambient()))?;
    tx.audit("signing_key.rotate", &made.kid)?;
    tx.notify(TOPIC, tenant);
    Ok(made)
}
