//! `DELETE /api/v1/me/totp`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result};

use crate::People;
use crate::sessions::sql as sessions;
use crate::users::methods;

impl People {
    /// Takes the authenticator and its recovery codes away; the person's other sessions end.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 404 if there is none.
    pub async fn disable_totp(&self, caller: &Caller) -> Result<()> {
        let (user, scope) = self.own_security(caller, true).await?;
        let session = caller.person().map(|(_, session)| session);
        self.store
            .answer(scope, move |tx| {
                if !methods::remove_totp(tx, user)? {
                    return Err(Error::not_found("authenticator"));
                }
                sessions::end_all(tx, user, session)?;
                tx.notify(access::people::USER_TOPIC, user);
                tx.audit("user.disable_totp", user)
            })
            .await
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::NoContent> {
    people.disable_totp(&caller).await?;
    Ok(web::NoContent)
}
