//! The operator's app as vendors prove their calls with it.

use kernel::{Result, Scope, Secret};

use super::sql;
use crate::{PART, Vault};

impl Vault {
    /// The secret of the operator's app at a vendor: HubSpot signs the webhooks of all accounts with it. `None`: there is no app, or it has none.
    pub async fn app_secret(&self, provider: &str) -> Result<Option<Secret<String>>> {
        let provider = provider.to_owned();
        let row = self.store.read(Scope::system(PART), move |tx| sql::get(tx, &provider)).await?;
        Ok(row.and_then(|row| row.client_secret))
    }
}
