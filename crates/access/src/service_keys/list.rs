//! `tradewind service-key list`.

use kernel::Result;
use store::Store;

use super::{ServiceKey, sql};

/// Every service key, oldest first, revoked ones too.
pub async fn list(store: &Store) -> Result<Vec<ServiceKey>> {
    store.read(super::authority()?, sql::list).await
}
