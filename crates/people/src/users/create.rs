//! `POST /api/v1/users` and `tradewind user create`.

use std::sync::Arc;

use access::people::{OperatorRole, Role, User};
use axum::extract::State;
use kernel::{Caller, Error, IdRef, Result, Secret, TenantId};
use serde::Deserialize;
use store::{Store, Tx};

use super::{methods, sql};
use crate::config::Cost;
use crate::members::add::{join, new_user};
use crate::passwords::Passwords;
use crate::{People, errors, links, rules};

/// Somebody who is to be able to sign in.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUser {
    /// The address by which they sign in.
    pub email: String,
    /// What they are called; may be empty.
    #[serde(default)]
    pub name: String,
    /// Which of the operator's people they are; absent: none, but a tenant's.
    pub operator_role: Option<OperatorRole>,
    /// The tenant that they become a member of (`ten_…` or `ext:…`).
    pub tenant: Option<String>,
    /// As what. Default: developer.
    pub role: Option<Role>,
}

struct Checked {
    user: User,
    place: Option<(IdRef<TenantId>, Role)>,
}

fn check(ambient: &kernel::Ambient, input: &CreateUser) -> Result<Checked> {
    let (email, name) = (rules::email("/email", &input.email)?, rules::name("/name", &input.name)?);
    let reference = |text: &String| text.parse().map_err(|_| Error::field("/tenant", "must be ten_… or ext: and the host's id"));
    let tenant: Option<IdRef<TenantId>> = input.tenant.as_ref().map(reference).transpose()?;
    if tenant.is_none() && input.role.is_some() {
        return Err(Error::field("/role", "is a role in a tenant: name the tenant too"));
    }
    let mut user = new_user(ambient, &email, &name);
    user.operator_role = input.operator_role;
    Ok(Checked { user, place: tenant.map(|tenant| (tenant, input.role.unwrap_or(Role::Developer))) })
}

fn insert(tx: &mut Tx<'_>, checked: Checked) -> Result<User> {
    let Checked { user, place } = checked;
    if access::people::user_by_email(tx, &user.email)?.is_some() {
        return Err(errors::email_taken());
    }
    sql::insert(tx, &user)?;
    tx.audit_change("user.create", user.id, &(), &user)?;
    if let Some((tenant, role)) = place {
        let tenant = access::tenants::find(tx, &tenant)?.ok_or_else(|| Error::not_found("tenant"))?;
        join(tx, tenant, &user, role)?;
    }
    Ok(user)
}

/// Makes an account on the command line. With a password; or it answers a link by which its owner chooses one: there is none before that.
///
/// Errors: 404 (no such tenant), 409 `email_taken`, 422 `validation_failed`.
pub async fn create(
    store: &Store,
    public_url: &str,
    input: CreateUser,
    password: Option<Secret<String>>,
) -> Result<Option<Secret<String>>> {
    let checked = check(store.ambient(), &input)?;
    let (id, of) = (checked.user.id, vec![checked.user.email.clone(), checked.user.name.clone()]);
    let hash = match password {
        Some(password) => Some(Passwords::new(Cost::default(), store.ambient())?.hash("/password", password, of).await?),
        None => None,
    };
    let (scope, is_set) = (Caller::system("command-line", None).operate()?, hash.is_some());
    store
        .write(scope, move |tx| {
            insert(tx, checked)?;
            hash.map_or(Ok(()), |hash| methods::set_password(tx, id, &hash))
        })
        .await?;
    if is_set { Ok(None) } else { links::reset_link(store, public_url, id).await.map(Some) }
}

impl People {
    /// Makes an account. Its owner signs in by a link, and may choose a password.
    ///
    /// Errors: 403 `operator_only`, 403 `reauthentication_required` (a person who makes one of the operator's people), 404 (no such tenant), 409
    /// `email_taken`, 422 `validation_failed`.
    pub async fn create_user(&self, caller: &Caller, input: CreateUser) -> Result<User> {
        let scope = caller.operate()?;
        if input.operator_role.is_some() {
            caller.require_fresh(self.ambient.now())?;
        }
        let checked = check(&self.ambient, &input)?;
        let made = self.store.answer(scope, move |tx| insert(tx, checked)).await;
        made.map_err(|error| if store::is_unique_violation(&error) { errors::email_taken() } else { error })
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<CreateUser>,
) -> web::Result<web::Created<User>> {
    let user = people.create_user(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/users/{}", user.id), body: user })
}
