//! `DELETE /api/v1/authorized-apps/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Credential, Error, Permission, Result};

use super::{AuthorizedAppId, sql};
use crate::{Oauth, codes, device, grants};

impl Oauth {
    /// Forgets what a person allowed an application in the tenant and ends every token that came of it, and what would become one. A person its
    /// own; whoever may change API clients anybody's.
    ///
    /// Errors: 404, 422 `tenant_required`.
    pub async fn withdraw_consent(self: &Arc<Self>, caller: &Caller, id: AuthorizedAppId) -> Result<()> {
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
                let found = sql::named(tx, tenant, id)?.filter(|(user, _)| may_all || own == Some(*user));
                let (user, client) = found.ok_or_else(not_found)?;
                // First what turns into a grant: one that is being redeemed is either stopped here, or found among the grants.
                codes::sql::forget(tx, tenant, user, Some(client))?;
                device::sql::take_back(tx, tenant, user, Some(client))?;
                let live = grants::sql::live(tx, tenant, user, client)?;
                for grant in &live {
                    oauth.end_grant_within(tx, *grant, "consent_withdrawn")?;
                }
                if !sql::remove(tx, tenant, user, client)? && live.is_empty() {
                    return Err(not_found());
                }
                tx.audit_with("consent.withdraw", id, &serde_json::json!({"client": client, "user": user}))
            })
            .await
    }
}

fn not_found() -> Error {
    Error::not_found("authorized app")
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<AuthorizedAppId>,
) -> web::Result<web::NoContent> {
    oauth.withdraw_consent(&caller, id).await?;
    Ok(web::NoContent)
}
