//! `POST /api/v1/users/{id}/reset-link` and `tradewind user reset-password`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, Scope, Secret, UserId};
use serde::Serialize;
use store::Store;

use crate::{People, links, rules};

/// A link by which a person chooses a password, this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResetLink {
    /// Good once, for 24 hours.
    pub url: String,
}

/// On the command line. Errors: 404; 422 `validation_failed`.
pub async fn of_email(store: &Store, public_url: &str, email: &str) -> Result<Secret<String>> {
    let email = rules::email("/email", email)?;
    let found = store.read(Scope::system("people"), move |tx| access::people::user_by_email(tx, &email)).await?;
    let user = found.ok_or_else(|| Error::not_found("user"))?;
    links::reset_link(store, public_url, user.id).await
}

impl People {
    /// A link to be handed over to a person who cannot sign in. Whoever has it gets the account, but for the code of an authenticator.
    ///
    /// Errors: 403 `operator_only`, 403 `reauthentication_required`, 404.
    pub async fn make_reset_link(&self, caller: &Caller, user: UserId) -> Result<Secret<String>> {
        let scope = caller.operate()?;
        caller.require_fresh(self.ambient.now())?;
        self.store.read(scope, move |tx| access::people::user(tx, user)).await?.ok_or_else(|| Error::not_found("user"))?;
        links::reset_link(&self.store, &self.config.public_url, user).await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<ResetLink>> {
    let url = people.make_reset_link(&caller, user).await?;
    Ok(web::Json(ResetLink { url: url.reveal().clone() }))
}
