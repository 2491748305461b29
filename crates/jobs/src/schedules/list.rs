//! `job_schedules.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};

use super::{JobSchedule, sql};
use crate::Jobs;

/// Later than every id of a schedule.
const LAST: &str = "jsc_~";

impl Jobs {
    /// A part of the tenant's schedules. Error: 403 `insufficient_scope`.
    pub async fn list_schedules(&self, caller: &Caller, page: PageRequest) -> Result<Page<JobSchedule>> {
        let scope = caller.allow(Permission::JobsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, before, page.limit + 1, page.offset())?;
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<JobSchedule>>> {
    Ok(web::Json(jobs.list_schedules(&caller, page).await?))
}
