//! `GET /api/v1/me/passkeys`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Result};
use serde::Serialize;

use super::{Passkey, sql};
use crate::People;

/// A person's passkeys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PasskeyList {
    /// The oldest first.
    data: Vec<Passkey>,
}

impl People {
    /// The caller's passkeys, the oldest first. Error: 403 `people_only`.
    pub async fn list_passkeys(&self, caller: &Caller) -> Result<Vec<Passkey>> {
        let (user, scope) = self.own(caller)?;
        self.store.read(scope, move |tx| sql::of_user(tx, user)).await
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<PasskeyList>> {
    Ok(web::Json(PasskeyList { data: people.list_passkeys(&caller).await? }))
}
