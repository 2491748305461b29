//! `PUT /api/v1/api-clients/{id}/oauth`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, IdRef, Permission, Result};

use super::settings::Stored;
use super::{ClientSettings, OAuthClient, SettingsInput, TOPIC, sql};
use crate::Oauth;

impl Oauth {
    /// Sets how a client may use OAuth. A caller that holds less than the client has may not change it.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 422 `validation_failed`, `scope_exceeds_client`.
    pub async fn replace_client_settings(
        self: &Arc<Self>,
        caller: &Caller,
        reference: IdRef<ClientId>,
        input: SettingsInput,
    ) -> Result<ClientSettings> {
        let scope = caller.allow(Permission::ClientsWrite)?;
        let (oauth, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let present = oauth.client_of(tx, tenant, &reference)?;
                access::scopes::within_caller(&caller, &present.app.scopes)?;
                let before = present.show(&oauth);
                let mut stored = Stored::of(input, present.stored, present.app.confidential)?;
                stored.updated_at = Some(tx.now());
                sql::put(tx, tenant, present.app.id, &stored)?;
                let after = OAuthClient { stored, app: present.app }.show(&oauth);
                tx.audit_change("client.set_oauth", after.client_id, &before, &after)?;
                tx.notify(TOPIC, after.client_id);
                Ok(after)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
    web::Json(input): web::Json<SettingsInput>,
) -> web::Result<web::Json<ClientSettings>> {
    Ok(web::Json(oauth.replace_client_settings(&caller, reference, input).await?))
}
