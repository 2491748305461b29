//! `DELETE /api/v1/me/identities/{provider}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result};

use super::sql;
use crate::People;

impl People {
    /// Cuts the tie to an account elsewhere. `provider`: its name in addresses, or its issuer if it is no longer set up.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 404, 409 `last_sign_in_method`.
    pub async fn remove_identity(&self, caller: &Caller, provider: &str) -> Result<()> {
        let (user, scope) = self.own_security(caller, true).await?;
        let issuer = self.provider(provider).map_or(provider, |known| &known.config.issuer).to_owned();
        let can_mail = self.can_mail();
        self.store
            .answer(scope, move |tx| {
                if !sql::remove(tx, user, &issuer)? {
                    return Err(Error::not_found("identity"));
                }
                crate::users::methods::keep_one(tx, user, can_mail)?;
                tx.notify(access::people::USER_TOPIC, user);
                tx.audit_with("identity.delete", user, &serde_json::json!({"issuer": issuer}))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(provider): web::Path<String>,
) -> web::Result<web::NoContent> {
    people.remove_identity(&caller, &provider).await?;
    Ok(web::NoContent)
}
