//! `oauth_tokens.refresh`: renewing because somebody asks for it.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, OauthTokenId, Permission, Result};

use super::{OauthToken, get_row};
use crate::Vault;

impl Vault {
    /// Renews a token now. What another asks for at the same moment is the same renewal.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `oauth_token_reauth_required`; 503 `oauth_token_unavailable`.
    pub async fn refresh(self: &Arc<Self>, caller: &Caller, id: OauthTokenId) -> Result<OauthToken> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let tenant = scope.tenant();
        let before = self.store.read(scope.clone(), move |tx| get_row(tx, tenant, id)).await?;
        self.renewed(&scope, id, before.generation, true).await?;
        self.store.read(scope, move |tx| get_row(tx, tenant, id).map(OauthToken::from)).await
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<OauthTokenId>,
) -> web::Result<web::Json<OauthToken>> {
    Ok(web::Json(vault.refresh(&caller, id).await?))
}
