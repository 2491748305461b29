//! `POST /api/v1/members`: for hosts and operators, who need not ask the person.

use std::sync::Arc;

use access::people::{Role, User, UserStatus};
use axum::extract::State;
use kernel::{Ambient, Caller, Error, Result, TenantId};
use serde::Deserialize;
use store::Tx;

use super::Member;
use crate::users::sql;
use crate::{People, errors, rules};

/// Who becomes a member.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddMember {
    /// Their address. Somebody whom nobody knows gets an account, without a password: they sign in by a link.
    pub email: String,
    /// What they are called, if they have no account yet.
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
}

impl People {
    /// Makes somebody a member without asking them. Partners' own people invite instead.
    ///
    /// Errors: 403 `operator_only`, 404 (no such tenant), 409 `already_member`, 422 `tenant_required`, 422 `validation_failed`.
    pub async fn add_member(&self, caller: &Caller, input: AddMember) -> Result<Member> {
        caller.operate()?;
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        let (email, name) = (rules::email("/email", &input.email)?, rules::name("/name", input.name.as_deref().unwrap_or_default())?);
        self.store
            .answer(scope, move |tx| {
                let user = known_or_new(tx, &email, &name)?;
                if !join(tx, tenant, &user, input.role)? {
                    return Err(errors::already_member());
                }
                let member = sql::member(tx, tenant, user.id)?;
                member.map(Member::from).ok_or_else(|| Error::internal("a member who was just made is not there"))
            })
            .await
    }
}

/// The person with this address; a new one, without any way to sign in but links, if there is none.
pub(crate) fn known_or_new(tx: &mut Tx<'_>, email: &str, name: &str) -> Result<User> {
    if let Some(known) = access::people::user_by_email(tx, email)? {
        return Ok(known);
    }
    let user = new_user(tx.ambient(), email, name);
    sql::insert(tx, &user)?;
    tx.audit_change("user.create", user.id, &(), &user)?;
    Ok(user)
}

/// Somebody whom nobody knew.
pub(crate) fn new_user(ambient: &Ambient, email: &str, name: &str) -> User {
    let now = ambient.now();
    User {
        id: ambient.id(),
        email: email.to_owned(),
        email_verified: false,
        name: name.to_owned(),
        status: UserStatus::Active,
        operator_role: None,
        language: None,
        created_at: now,
        updated_at: now,
    }
}

/// Makes a person a member; false: they are one. Error: 404 for a tenant that does not exist.
pub(crate) fn join(tx: &mut Tx<'_>, tenant: TenantId, user: &User, role: Role) -> Result<bool> {
    // Holds the tenant's row: nobody becomes a member of one that is being deleted.
    access::tenants::held_slug(tx, tenant)?;
    let joined = sql::join(tx, tenant, user.id, role)?;
    if joined {
        let detail = serde_json::json!({"tenantId": tenant, "email": user.email, "role": role});
        tx.audit_with("member.create", user.id, &detail)?;
    }
    Ok(joined)
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<AddMember>,
) -> web::Result<web::Created<Member>> {
    let member = people.add_member(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/members/{}", member.user_id), body: member })
}
