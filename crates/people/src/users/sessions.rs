//! `GET` and `DELETE /api/v1/users/{id}/sessions`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, UserId};
use serde::Serialize;

use crate::People;
use crate::sessions::{SessionInfo, sql};

/// A person's sessions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UserSessions {
    /// Newest first.
    data: Vec<SessionInfo>,
}

impl People {
    /// A person's sessions, newest first. Errors: 403 `operator_only`, 404.
    pub async fn sessions_of(&self, caller: &Caller, user: UserId) -> Result<Vec<SessionInfo>> {
        let scope = caller.operate()?;
        let (current, seen_after) = (caller.person().map(|(_, session)| session), self.ambient.now().minus(self.config.idle));
        self.store
            .read(scope, move |tx| {
                access::people::user(tx, user)?.ok_or_else(|| Error::not_found("user"))?;
                sql::of_user(tx, user, current, seen_after)
            })
            .await
    }

    /// Signs a person out everywhere; how many sessions ended. Errors: 403 `operator_only`, 404.
    pub async fn end_sessions_of(&self, caller: &Caller, user: UserId) -> Result<u64> {
        let scope = caller.operate()?;
        self.store
            .answer(scope, move |tx| {
                access::people::user(tx, user)?.ok_or_else(|| Error::not_found("user"))?;
                sql::end_all(tx, user, None)
            })
            .await
    }
}

pub(crate) async fn handle_list(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
) -> web::Result<web::Json<UserSessions>> {
    Ok(web::Json(UserSessions { data: people.sessions_of(&caller, user).await? }))
}

pub(crate) async fn handle_end(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
) -> web::Result<web::NoContent> {
    people.end_sessions_of(&caller, user).await?;
    Ok(web::NoContent)
}
