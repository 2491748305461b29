//! `alerts.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};
use serde::Deserialize;

use super::{Alert, Status, sql};
use crate::authority::reach;
use crate::{Alerts, Rule, Severity};

/// Later than every id of an alert.
const LAST: &str = "alr_~";

/// Which alerts are wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertFilter {
    /// Only those that are so far.
    pub status: Option<Status>,
    /// Only this rule's.
    pub rule: Option<Rule>,
    /// Only as grave as this.
    pub severity: Option<Severity>,
}

impl Alerts {
    /// The alerts of the caller's tenant; for the operator who names none, everybody's and the operator's own. Needs `alerts.read`.
    pub async fn list(&self, caller: &Caller, filter: AlertFilter, page: PageRequest) -> Result<Page<Alert>> {
        let reach = reach(caller, Permission::AlertsRead)?;
        let tenant = reach.tenant;
        self.store
            .read(reach.scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, &filter, before, page.limit + 1, page.offset())?;
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: row.opened_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(alerts): State<Arc<Alerts>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<AlertFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Alert>>> {
    Ok(web::Json(alerts.list(&caller, filter, page).await?))
}
