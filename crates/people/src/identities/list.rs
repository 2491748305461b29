//! `GET /api/v1/me/identities`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Result};
use serde::Serialize;

use super::{Identity, sql};
use crate::People;

/// A person's accounts elsewhere.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct IdentityList {
    /// The oldest first.
    data: Vec<Identity>,
}

impl People {
    /// The caller's accounts elsewhere by which they sign in, the oldest first. Error: 403 `people_only`.
    pub async fn list_identities(&self, caller: &Caller) -> Result<Vec<Identity>> {
        let (user, _, scope) = caller.myself()?;
        let mut all = self.store.read(scope, move |tx| sql::of_user(tx, user)).await?;
        let providers = self.providers();
        for identity in &mut all {
            identity.provider = providers.iter().find(|one| one.issuer == identity.issuer).map(|one| one.slug.clone());
        }
        Ok(all)
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<IdentityList>> {
    Ok(web::Json(IdentityList { data: people.list_identities(&caller).await? }))
}
