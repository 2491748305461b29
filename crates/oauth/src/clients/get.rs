//! `GET /api/v1/api-clients/{id}/oauth`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result, TenantId};
use store::Tx;

use super::{ClientSettings, OAuthClient, sql};
use crate::Oauth;

impl Oauth {
    /// How a client may use OAuth. Errors: 403 `insufficient_scope`, 404.
    pub async fn client_settings(self: &Arc<Self>, caller: &Caller, reference: IdRef<ClientId>) -> Result<ClientSettings> {
        let scope = caller.allow(Permission::ClientsRead)?;
        let (oauth, tenant) = (Arc::clone(self), scope.tenant());
        self.store.read(scope, move |tx| Ok(oauth.client_of(tx, tenant, &reference)?.show(&oauth))).await
    }

    /// A tenant's own client, with its settings. Error: 404.
    pub(super) fn client_of(&self, tx: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<OAuthClient> {
        let id = access::clients::resolve(tx, tenant, reference)?;
        let app = self.access.application(tx, id)?.ok_or_else(|| Error::not_found("client"))?;
        let stored = sql::get(tx, tenant, id)?.unwrap_or_default();
        Ok(OAuthClient { app, stored })
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
) -> web::Result<web::Json<ClientSettings>> {
    Ok(web::Json(oauth.client_settings(&caller, reference).await?))
}
