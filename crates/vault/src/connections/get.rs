//! `oauth_connections.get`: how far it is, for a host that waits. Kept for a day.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, OauthConnectionId, Permission, Result};

use super::{OauthConnection, sql};
use crate::Vault;

impl Vault {
    /// One of the tenant's connections. Errors: 403 `insufficient_scope`, 404.
    pub async fn connection(&self, caller: &Caller, id: OauthConnectionId) -> Result<OauthConnection> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let tenant = scope.tenant();
        let found = self.store.read(scope, move |tx| sql::get(tx, tenant, id)).await?;
        found.map(OauthConnection::from).ok_or_else(|| Error::not_found("OAuth connection"))
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<OauthConnectionId>,
) -> web::Result<web::Json<OauthConnection>> {
    Ok(web::Json(vault.connection(&caller, id).await?))
}
