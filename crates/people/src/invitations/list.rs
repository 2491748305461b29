//! `GET /api/v1/invitations` and `GET /api/v1/invitations/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, InvitationId, Page, PageRequest, Permission, Result};

use super::{Invitation, sql};
use crate::People;

impl People {
    /// The invitations of the caller's tenant, newest first. Errors: 403 `insufficient_scope`, 422 `tenant_required`.
    pub async fn list_invitations(&self, caller: &Caller, page: PageRequest) -> Result<Page<Invitation>> {
        let scope = caller.allow(Permission::MembersRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or("~", |cursor| cursor.id.as_str());
                let rows = sql::list(tx, tenant, before, page.limit + 1)?;
                Ok(Page::from_rows(rows, &page, None, |one: &Invitation| Cursor { key: 0, id: one.id.to_string() }))
            })
            .await
    }

    /// One of them. Errors: 403 `insufficient_scope`, 404, 422 `tenant_required`.
    pub async fn get_invitation(&self, caller: &Caller, id: InvitationId) -> Result<Invitation> {
        let scope = caller.allow(Permission::MembersRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::get(tx, tenant, id)).await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Invitation>>> {
    Ok(web::Json(people.list_invitations(&caller, page).await?))
}

pub(crate) async fn handle_one(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<InvitationId>,
) -> web::Result<web::Json<Invitation>> {
    Ok(web::Json(people.get_invitation(&caller, id).await?))
}
