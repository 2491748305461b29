//! `PATCH /api/v1/users/{id}`.

use std::sync::Arc;

use access::people::{OperatorRole, User, UserStatus};
use axum::extract::State;
use kernel::{Caller, Error, Result, UserId};
use serde::Deserialize;
use store::Tx;
use web::Patch;

use super::sql;
use crate::{People, ceremonies, errors, links, rules, sessions, sign_in};

/// What changes of a person.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateUser {
    /// The address by which they sign in. Their sessions and links end.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// Whether they may sign in. Suspending ends their sessions and what applications may do for them, at once.
    pub status: Option<UserStatus>,
    /// Which of the operator's people they are; null: none.
    #[serde(default)]
    #[schema(value_type = Option<OperatorRole>)]
    pub operator_role: Patch<OperatorRole>,
}

impl People {
    /// Changes a person.
    ///
    /// Errors: 403 `operator_only`, 403 `reauthentication_required` (a person who changes who may operate), 404, 409 `email_taken`, 409
    /// `last_operator`, 422 `validation_failed`.
    pub async fn update_user(self: &Arc<Self>, caller: &Caller, id: UserId, input: UpdateUser) -> Result<User> {
        let scope = caller.operate()?;
        let email = input.email.as_deref().map(|email| rules::email("/email", email)).transpose()?;
        let name = input.name.as_deref().map(|name| rules::name("/name", name)).transpose()?;
        if !input.operator_role.is_absent() {
            caller.require_fresh(self.ambient.now())?;
        }
        let people = Arc::clone(self);
        let written = self.store.answer(scope, move |tx| {
            let before = access::people::user(tx, id)?.ok_or_else(|| Error::not_found("user"))?;
            let mut after = before.clone();
            after.email = email.unwrap_or(after.email);
            after.name = name.unwrap_or(after.name);
            after.status = input.status.unwrap_or(after.status);
            match input.operator_role {
                Patch::Absent => {}
                Patch::Null => after.operator_role = None,
                Patch::Value(role) => after.operator_role = Some(role),
            }
            after.updated_at = tx.now();
            people.apply(tx, &before, &after)?;
            Ok(after)
        });
        written.await.map_err(|error| if store::is_unique_violation(&error) { errors::email_taken() } else { error })
    }

    fn apply(&self, tx: &mut Tx<'_>, before: &User, after: &User) -> Result<()> {
        let id = before.id;
        keep_an_operator(tx, before, Some(after))?;
        if before.email != after.email {
            if access::people::user_by_email(tx, &after.email)?.is_some() {
                return Err(errors::email_taken());
            }
            sql::unverify_email(tx, id)?;
        }
        sql::update(tx, after)?;
        if before.email != after.email || after.status == UserStatus::Suspended {
            end_everything(tx, id)?;
        }
        if after.status == UserStatus::Suspended {
            for tenant in sql::tenants_of(tx, id)? {
                self.lifecycles.iter().try_for_each(|lifecycle| lifecycle.member_left(tx, tenant, id))?;
            }
        }
        tx.audit_change("user.update", id, before, after)
    }
}

/// A person's sessions, links and half-finished sign-ins are over.
pub(super) fn end_everything(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    sessions::sql::end_all(tx, user, None)?;
    sign_in::drop_pending(tx, user)?;
    ceremonies::drop_all(tx, user)?;
    links::sql::drop_all(tx, user)
}

/// Somebody must be able to operate. (Whoever runs the server can always make another on the command line.)
pub(super) fn keep_an_operator(tx: &mut Tx<'_>, before: &User, after: Option<&User>) -> Result<()> {
    let operates = |user: &User| user.operator_role == Some(OperatorRole::Admin) && user.status == UserStatus::Active;
    if operates(before) && !after.is_some_and(operates) && sql::other_admins(tx, before.id)? == 0 {
        return Err(Error::conflict(
            "last_operator",
            "This is the last of the operator's people who may do everything. Make another first.",
        ));
    }
    Ok(())
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<UserId>,
    web::Json(input): web::Json<UpdateUser>,
) -> web::Result<web::Json<User>> {
    Ok(web::Json(people.update_user(&caller, id, input).await?))
}
