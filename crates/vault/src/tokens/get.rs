//! `oauth_tokens.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, OauthTokenId, Permission, Result};

use super::{OauthToken, get_row};
use crate::Vault;

impl Vault {
    /// One of the tenant's tokens. Errors: 403 `insufficient_scope`; 404, also for one that was disconnected.
    pub async fn get(&self, caller: &Caller, id: OauthTokenId) -> Result<OauthToken> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| get_row(tx, tenant, id).map(OauthToken::from)).await
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<OauthTokenId>,
) -> web::Result<web::Json<OauthToken>> {
    Ok(web::Json(vault.get(&caller, id).await?))
}
