//! `DELETE /api/v1/authorized-apps/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ConsentId, Credential, Error, Permission, Result};

use super::sql;
use crate::{Oauth, grants};

impl Oauth {
    /// Forgets what was allowed and ends every token that came of it. A person its own; whoever may change API clients anybody's.
    ///
    /// Errors: 404, 422 `tenant_required`.
    pub async fn withdraw_consent(self: &Arc<Self>, caller: &Caller, id: ConsentId) -> Result<()> {
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        let may_all = caller.permissions().holds(Permission::ClientsWrite);
        let own = match caller.credential() {
            Credential::User { user, .. } => Some(*user),
            _ => caller.require(Permission::ClientsWrite).map(|()| None)?,
        };
        let oauth = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let found = sql::get(tx, tenant, id)?.filter(|stored| may_all || own == Some(stored.user));
                let stored = found.ok_or_else(|| Error::not_found("authorized app"))?;
                for grant in grants::sql::live(tx, tenant, stored.user, stored.client)? {
                    oauth.end_grant_within(tx, grant, "consent_withdrawn")?;
                }
                sql::delete(tx, tenant, id)?;
                tx.audit_with("consent.withdraw", id, &serde_json::json!({"client": stored.client, "user": stored.user}))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<ConsentId>,
) -> web::Result<web::NoContent> {
    oauth.withdraw_consent(&caller, id).await?;
    Ok(web::NoContent)
}
