//! `PATCH /api/v1/members/{userId}`.

use std::sync::Arc;

use access::people::Role;
use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, UserId};
use serde::Deserialize;

use super::{Member, may_hand};
use crate::users::sql;
use crate::{People, errors};

/// What changes of a member.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateMember {
    /// What they may do from now on.
    pub role: Role,
}

impl People {
    /// Changes a member's role. Their sessions know at once.
    ///
    /// Errors: 403 `insufficient_scope`, 403 `reauthentication_required` (a person who makes or unmakes an owner), 404, 409 `last_owner`, 422
    /// `role_exceeds_own`, 422 `tenant_required`.
    pub async fn update_member(&self, caller: &Caller, user: UserId, input: UpdateMember) -> Result<Member> {
        let scope = caller.allow(Permission::MembersWrite)?;
        let (tenant, now, asking) = (scope.tenant(), self.ambient.now(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                sql::lock_members(tx, tenant)?;
                let (person, before, since) = sql::member(tx, tenant, user)?.ok_or_else(|| Error::not_found("member"))?;
                may_hand(&asking, before)?;
                may_hand(&asking, input.role)?;
                if before == input.role {
                    return Ok(Member::from((person, before, since)));
                }
                if before == Role::Owner || input.role == Role::Owner {
                    asking.require_fresh(now)?;
                }
                if before == Role::Owner && sql::other_owners(tx, tenant, user)? == 0 {
                    return Err(errors::last_owner());
                }
                sql::set_role(tx, tenant, user, input.role)?;
                let role = |role: Role| serde_json::json!({"role": role});
                tx.audit_change("member.update", user, &role(before), &role(input.role))?;
                Ok(Member::from((person, input.role, since)))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
    web::Json(input): web::Json<UpdateMember>,
) -> web::Result<web::Json<Member>> {
    Ok(web::Json(people.update_member(&caller, user, input).await?))
}
