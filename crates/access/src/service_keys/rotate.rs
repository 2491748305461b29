//! `tradewind service-key rotate`.

use std::time::Duration;

use kernel::{Error, Result};
use serde_json::json;
use store::Store;

use super::create::insert;
use super::{ServiceKeyWithToken, TOPIC, sql};
use crate::credentials::Pepper;

/// Makes a service key like this one; the old one works for `grace` more, or ends at once when that is zero.
///
/// Errors: 404, 409 `key_revoked` for one that is revoked or expired; those of the store.
pub async fn rotate(store: &Store, name: &str, grace: Duration) -> Result<ServiceKeyWithToken> {
    let name = name.to_owned();
    let pepper = Pepper::load(store).await?;
    store
        .write(super::authority()?, move |tx| {
            let old = sql::get(tx, &name)?;
            if old.status != "active" {
                return Err(Error::conflict("key_revoked", "This service key is not active any more. Make a new one."));
            }
            let answer = insert(tx, &pepper, old.name, old.tenant, old.permissions)?;
            let end = tx.now().plus(grace);
            if grace.is_zero() {
                sql::revoke(tx, old.id)?;
            } else if old.expires_at.is_none_or(|expires| end < expires) {
                sql::expire_at(tx, old.id, end)?;
            }
            tx.audit_with("service_key.rotate", old.id, &json!({"successor": answer.info.id, "gracePeriodSeconds": grace.as_secs()}))?;
            tx.notify(TOPIC, old.id);
            Ok(answer)
        })
        .await
}
