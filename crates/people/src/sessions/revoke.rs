//! Ending sessions: `DELETE /api/v1/me/sessions/{id}`, `DELETE /api/v1/me/sessions`, and signing out.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, Scope, SessionId};

use super::sql;
use crate::People;
use crate::tokens::Kind;

impl People {
    /// Ends one of the caller's own sessions, perhaps this one. Errors: 403 `people_only`, 404.
    pub async fn revoke_session(&self, caller: &Caller, id: SessionId) -> Result<()> {
        let (user, _, scope) = caller.myself()?;
        let ended = move |tx: &mut store::Tx<'_>| {
            if sql::end(tx, user, id)? { Ok(()) } else { Err(Error::not_found("session")) }
        };
        self.store.answer(scope, ended).await
    }

    /// Ends all of the caller's sessions but this one; how many. Error: 403 `people_only`.
    pub async fn revoke_other_sessions(&self, caller: &Caller) -> Result<u64> {
        let (user, session, scope) = caller.myself()?;
        self.store.answer(scope, move |tx| sql::end_all(tx, user, Some(session))).await
    }

    /// Signs out. A token that is nobody's is no error.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let Some(hash) = self.hasher.shown(Kind::Session, token) else { return Ok(()) };
        let ended = move |tx: &mut store::Tx<'_>| match sql::find(tx, &hash)? {
            Some(stored) => sql::end(tx, stored.user, stored.id).map(drop),
            None => Ok(()),
        };
        self.store.write(Scope::system("people"), ended).await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SessionId>,
) -> web::Result<web::NoContent> {
    people.revoke_session(&caller, id).await?;
    Ok(web::NoContent)
}

pub(crate) async fn handle_others(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::NoContent> {
    people.revoke_other_sessions(&caller).await?;
    Ok(web::NoContent)
}
