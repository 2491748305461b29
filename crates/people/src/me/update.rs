//! `PATCH /api/v1/me`.

use std::sync::Arc;

use access::people::User;
use axum::extract::State;
use kernel::{Caller, Error, Result};
use serde::Deserialize;
use web::Patch;

use crate::users::sql;
use crate::{People, rules};

/// What somebody changes of themselves.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateProfile {
    /// What they are called; may be empty.
    pub name: Option<String>,
    /// The language that they read, as a BCP 47 tag; null: what their browser says.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub language: Patch<String>,
}

impl People {
    /// Changes the caller's own profile. Errors: 403 `people_only`, 422 `validation_failed`.
    pub async fn update_profile(&self, caller: &Caller, input: UpdateProfile) -> Result<User> {
        let (id, _, scope) = caller.myself()?;
        let name = input.name.map(|name| rules::name("/name", &name)).transpose()?;
        let language = match input.language {
            Patch::Absent => None,
            Patch::Null => Some(None),
            Patch::Value(tag) => Some(Some(rules::language("/language", &tag)?)),
        };
        self.store
            .answer(scope, move |tx| {
                let before = access::people::user(tx, id)?.ok_or_else(|| Error::not_found("user"))?;
                let mut after = before.clone();
                after.name = name.unwrap_or(after.name);
                after.language = language.unwrap_or(after.language);
                after.updated_at = tx.now();
                sql::update(tx, &after)?;
                tx.audit_change("user.update", id, &before, &after)?;
                Ok(after)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<UpdateProfile>,
) -> web::Result<web::Json<User>> {
    Ok(web::Json(people.update_profile(&caller, input).await?))
}
