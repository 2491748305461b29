//! `integrations.logs`: the last calls to the vendor, the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, IntegrationId, Page, PageRequest, Permission, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::get_row;
use crate::Integrations;
use crate::journal::sql;

/// Later than every id of a call.
const LAST: &str = "~";

/// A call to the vendor. The last 1000 of each integration are kept.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationCall)]
pub struct CallEntry {
    /// Its id.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub endpoint: String,
    /// The vendor's status; null: there was no answer.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u64,
    /// Whether the answer was a good one.
    pub success: bool,
    /// Why there was none.
    pub error: Option<String>,
    /// Who caused it: a key, a person, the system's part.
    pub actor: String,
}

/// Which calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    success: Option<bool>,
}

impl Integrations {
    /// A part of the log. Error: 404.
    pub async fn logs(
        self: &Arc<Self>,
        caller: &Caller,
        id: IntegrationId,
        success: Option<bool>,
        page: PageRequest,
    ) -> Result<Page<CallEntry>> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let tenant = scope.tenant();
        self.journal.flush().await;
        self.parts
            .store
            .read(scope, move |tx| {
                get_row(tx, tenant, id)?;
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let found = sql::list(tx, tenant, id, success, before, page.limit + 1)?;
                let cursor = |row: &CallEntry| Cursor { key: row.time.millis(), id: row.id.clone() };
                Ok(Page::from_rows(found, &page, None, cursor))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
    web::Query(filter): web::Query<Filter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<CallEntry>>> {
    Ok(web::Json(integrations.logs(&caller, id, filter.success, page).await?))
}
