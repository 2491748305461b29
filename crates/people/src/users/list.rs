//! `GET /api/v1/users`.

use std::sync::Arc;

use access::people::{OperatorRole, User, UserStatus};
use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Result};
use serde::Deserialize;

use super::sql;
use crate::People;

/// Which people are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserFilter {
    /// Only these.
    pub status: Option<UserStatus>,
    /// Only these of the operator's.
    pub operator_role: Option<OperatorRole>,
    /// Only those whose address or name contains this, whatever the case.
    pub search: Option<String>,
}

impl People {
    /// Everybody, newest first; the first page and numbered pages tell the total. Errors: 403 `operator_only`.
    pub async fn list_users(&self, caller: &Caller, filter: UserFilter, page: PageRequest) -> Result<Page<User>> {
        let scope = caller.operate()?;
        let (status, role) = (filter.status.map(UserStatus::as_str), filter.operator_role.map(OperatorRole::as_str));
        let values = [status.into(), role.into(), pattern(filter.search.as_deref()).into()];
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or("~", |cursor| cursor.id.as_str());
                let rows = sql::list(tx, &values, before, page.limit + 1, page.offset())?;
                let total = if page.cursor.is_none() { Some(sql::count(tx, &values)?) } else { None };
                Ok(Page::from_rows(rows, &page, total, |user: &User| Cursor { key: 0, id: user.id.to_string() }))
            })
            .await
    }
}

/// A pattern of `LIKE` that finds `search` anywhere, for what it is.
fn pattern(search: Option<&str>) -> String {
    let text: String = search.unwrap_or_default().to_lowercase().chars().filter(|c| !c.is_control()).take(200).collect();
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<UserFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<User>>> {
    Ok(web::Json(people.list_users(&caller, filter, page).await?))
}
