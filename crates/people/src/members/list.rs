//! `GET /api/v1/members`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};

use super::Member;
use crate::People;
use crate::users::sql;

impl People {
    /// The members of the caller's tenant, by address. Errors: 403 `insufficient_scope`, 422 `tenant_required`.
    pub async fn list_members(&self, caller: &Caller, page: PageRequest) -> Result<Page<Member>> {
        let scope = caller.allow(Permission::MembersRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let after = page.cursor.as_ref().map_or("", |cursor| cursor.id.as_str());
                let rows = sql::members(tx, tenant, after, page.limit + 1)?.into_iter().map(Member::from).collect();
                Ok(Page::from_rows(rows, &page, None, |member: &Member| Cursor { key: 0, id: member.email.clone() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Member>>> {
    Ok(web::Json(people.list_members(&caller, page).await?))
}
