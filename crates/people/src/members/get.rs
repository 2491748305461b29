//! `GET /api/v1/members/{userId}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, UserId};

use super::Member;
use crate::People;
use crate::users::sql;

impl People {
    /// One member of the caller's tenant. Errors: 403 `insufficient_scope`, 404, 422 `tenant_required`.
    pub async fn get_member(&self, caller: &Caller, user: UserId) -> Result<Member> {
        let scope = caller.allow(Permission::MembersRead)?;
        let tenant = scope.tenant();
        let found = self.store.read(scope, move |tx| sql::member(tx, tenant, user)).await?;
        found.map(Member::from).ok_or_else(|| Error::not_found("member"))
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
) -> web::Result<web::Json<Member>> {
    Ok(web::Json(people.get_member(&caller, user).await?))
}
