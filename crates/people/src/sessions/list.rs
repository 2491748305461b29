//! `GET /api/v1/me/sessions`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Result};
use serde::Serialize;

use super::{SessionInfo, sql};
use crate::People;

/// A person's sessions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SessionList {
    /// Newest first.
    data: Vec<SessionInfo>,
}

impl People {
    /// The caller's own sessions that have not ended, newest first. Error: 403 `people_only`.
    pub async fn list_sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>> {
        let (user, session, scope) = caller.myself()?;
        let seen_after = self.ambient.now().minus(self.config.idle);
        self.store.read(scope, move |tx| sql::of_user(tx, user, Some(session), seen_after)).await
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<SessionList>> {
    Ok(web::Json(SessionList { data: people.list_sessions(&caller).await? }))
}
