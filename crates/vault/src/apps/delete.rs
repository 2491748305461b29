//! `oauth_providers.delete`: the operator's app goes.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result};

use super::sql;
use crate::Vault;

impl Vault {
    /// Forgets the operator's app. What was connected with it cannot be renewed any more. Errors: 403 `operator_only`, 404.
    pub async fn delete_provider(&self, caller: &Caller, id: String) -> Result<()> {
        let scope = caller.operate()?;
        self.store
            .answer(scope, move |tx| {
                if sql::delete(tx, &id)? == 0 {
                    return Err(Error::not_found("provider"));
                }
                tx.audit("oauth_provider.delete", &id)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<String>,
) -> web::Result<web::NoContent> {
    vault.delete_provider(&caller, id).await?;
    Ok(web::NoContent)
}
