//! `GET /api/v1/users/{id}` and `GET /api/v1/users/{id}/memberships`.

use std::sync::Arc;

use access::people::{Membership, User};
use axum::extract::State;
use kernel::{Caller, Error, Result, UserId};
use serde::Serialize;

use crate::People;

/// A person's tenants.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MembershipList {
    /// By the tenants' names.
    data: Vec<Membership>,
}

impl People {
    /// One person. Errors: 403 `operator_only`, 404.
    pub async fn get_user(&self, caller: &Caller, user: UserId) -> Result<User> {
        let scope = caller.operate()?;
        self.store.read(scope, move |tx| access::people::user(tx, user)).await?.ok_or_else(|| Error::not_found("user"))
    }

    /// A person's places in active tenants. Errors: 403 `operator_only`, 404.
    pub async fn memberships(&self, caller: &Caller, user: UserId) -> Result<Vec<Membership>> {
        let scope = caller.operate()?;
        self.store
            .read(scope, move |tx| {
                access::people::user(tx, user)?.ok_or_else(|| Error::not_found("user"))?;
                access::people::memberships_of(tx, user)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
) -> web::Result<web::Json<User>> {
    Ok(web::Json(people.get_user(&caller, user).await?))
}

pub(crate) async fn handle_memberships(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(user): web::Path<UserId>,
) -> web::Result<web::Json<MembershipList>> {
    Ok(web::Json(MembershipList { data: people.memberships(&caller, user).await? }))
}
