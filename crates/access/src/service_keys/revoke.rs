//! `tradewind service-key revoke`.

use kernel::Result;
use store::Store;

use super::{ServiceKey, TOPIC, sql};

/// Revokes the service key of this id (`svc_…`), or of this beginning (`tws_live_…`), for good. Errors: 404; those of the store.
pub async fn revoke(store: &Store, name: &str) -> Result<ServiceKey> {
    let name = name.to_owned();
    store
        .write(super::authority()?, move |tx| {
            let key = sql::get(tx, &name)?;
            sql::revoke(tx, key.id)?;
            let after = sql::get(tx, &key.id.to_string())?;
            tx.audit_change("service_key.revoke", key.id, &key, &after)?;
            tx.notify(TOPIC, key.id);
            Ok(after)
        })
        .await
}
