//! `DELETE /api/v1/users/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, UserId};

use super::update::{end_everything, keep_an_operator};
use super::{methods, sql};
use crate::{People, invitations};

impl People {
    /// Removes a person from everywhere. What the audit log says of their acts stays.
    ///
    /// Errors: 403 `operator_only`, 403 `reauthentication_required`, 404, 409 `last_operator`.
    pub async fn delete_user(self: &Arc<Self>, caller: &Caller, id: UserId) -> Result<()> {
        let scope = caller.operate()?;
        caller.require_fresh(self.ambient.now())?;
        let people = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let user = access::people::user(tx, id)?.ok_or_else(|| Error::not_found("user"))?;
                keep_an_operator(tx, &user, None)?;
                end_everything(tx, id)?;
                for tenant in sql::tenants_of(tx, id)? {
                    people.take_out(tx, tenant, id)?;
                }
                methods::delete(tx, id)?;
                invitations::forget_of(tx, &user.email)?;
                sql::delete(tx, id)?;
                tx.audit_change("user.delete", id, &user, &())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<UserId>,
) -> web::Result<web::NoContent> {
    people.delete_user(&caller, id).await?;
    Ok(web::NoContent)
}
