//! `PATCH /api/v1/me/passkeys/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, PasskeyId, Result};
use serde::Deserialize;

use super::{Passkey, sql};
use crate::{People, rules};

/// What changes of a passkey.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RenamePasskey {
    /// What its owner calls it, up to 200 characters.
    name: String,
}

impl People {
    /// Gives one of the caller's passkeys another name.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 404, 422 `validation_failed` at `/name`.
    pub async fn rename_passkey(&self, caller: &Caller, id: PasskeyId, name: &str) -> Result<Passkey> {
        let (user, scope) = self.own_security(caller, false).await?;
        let name = rules::name("/name", name)?;
        if name.is_empty() {
            return Err(kernel::Error::field("/name", "must not be empty"));
        }
        self.store
            .answer(scope, move |tx| {
                let before = sql::get(tx, user, id)?;
                sql::rename(tx, user, id, &name)?;
                let after = Passkey { name, ..before.clone() };
                tx.audit_change("passkey.update", id, &before, &after)?;
                Ok(after)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<PasskeyId>,
    web::Json(input): web::Json<RenamePasskey>,
) -> web::Result<web::Json<Passkey>> {
    Ok(web::Json(people.rename_passkey(&caller, id, &input.name).await?))
}
