//! `DELETE /api/v1/me/passkeys/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, PasskeyId, Result};

use super::sql;
use crate::People;

impl People {
    /// Takes one of the caller's passkeys away: it signs in no more. What it began stays, and is listed among the sessions.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 404, 409 `last_sign_in_method`.
    pub async fn remove_passkey(&self, caller: &Caller, id: PasskeyId) -> Result<()> {
        let (user, scope) = self.own_security(caller, true).await?;
        let can_mail = self.can_mail();
        self.store
            .answer(scope, move |tx| {
                let before = sql::get(tx, user, id)?;
                sql::remove(tx, user, id)?;
                crate::users::methods::keep_one(tx, user, can_mail)?;
                tx.notify(access::people::USER_TOPIC, user);
                tx.audit_change("passkey.delete", id, &before, &())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<PasskeyId>,
) -> web::Result<web::NoContent> {
    people.remove_passkey(&caller, id).await?;
    Ok(web::NoContent)
}
