//! The keys that are published.

use kernel::{Caller, Result};
use store::Store;

use super::{JwtKey, sql};

/// The newest first. Errors: 403 for whoever is not the operator; those of the store.
pub async fn list(store: &Store, caller: &Caller) -> Result<Vec<JwtKey>> {
    let scope = caller.operate()?;
    store
        .read(scope, |tx| {
            let now = tx.now();
            Ok(sql::published(tx, now)?.iter().map(sql::Stored::shown).collect())
        })
        .await
}
