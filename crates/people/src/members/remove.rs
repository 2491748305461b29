//! `DELETE /api/v1/members/{userId}`.

use std::sync::Arc;

use access::people::Role;
use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, TenantId, UserId};
use store::Tx;

use super::may_hand;
use crate::users::sql;
use crate::{People, errors, sessions};

impl People {
    /// Takes a member out of the tenant, or lets somebody leave it themselves. Applications that they let in lose what they had of this
    /// tenant; sessions that a host began for it end.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `last_owner`, 422 `role_exceeds_own`, 422 `tenant_required`.
    pub async fn remove_member(self: &Arc<Self>, caller: &Caller, user: UserId) -> Result<()> {
        let is_self = caller.person().is_some_and(|(own, _)| own == user);
        let scope = if is_self { caller.tenant_scope()? } else { caller.allow(Permission::MembersWrite)? };
        // The operator may leave a tenant without people: its host works on.
        let is_operator = caller.operate().is_ok();
        let (tenant, people, asking) = (scope.tenant(), Arc::clone(self), caller.clone());
        self.store
            .answer(scope, move |tx| {
                sql::lock_members(tx, tenant)?;
                let (_, role, _) = sql::member(tx, tenant, user)?.ok_or_else(|| Error::not_found("member"))?;
                if !is_self {
                    may_hand(&asking, role)?;
                }
                if role == Role::Owner && !is_operator && sql::other_owners(tx, tenant, user)? == 0 {
                    return Err(errors::last_owner());
                }
                people.take_out(tx, tenant, user)?;
                tx.audit_change("member.delete", user, &serde_json::json!({"role": role}), &())
            })
            .await
    }

    /// The membership, and what hung on it.
    pub(crate) fn take_out(&self, tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<()> {
        sql::leave(tx, tenant, user)?;
        sessions::sql::end_bound(tx, user, tenant)?;
        self.lifecycles.iter().try_for_each(|lifecycle| lifecycle.member_left(tx, tenant, user))
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
) -> web::Result<web::NoContent> {
    people.remove_member(&caller, user).await?;
    Ok(web::NoContent)
}
