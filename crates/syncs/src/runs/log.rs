//! `sync_runs.log`: what happened to which record, in the order in which it happened.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result, SyncRunId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::sql;
use crate::Syncs;
use crate::ledger::log::{self, LogAction, LogEntry};

/// An entry with its time.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncLogLine)]
pub struct LogLine {
    /// What happened to which record.
    #[serde(flatten)]
    pub entry: LogEntry,
    /// When.
    pub at: Timestamp,
    #[serde(skip)]
    place: (i64, usize),
}

impl Syncs {
    /// A part of a run's log. Errors: 403 `insufficient_scope`; 404.
    pub async fn run_log(&self, caller: &Caller, id: SyncRunId, only_failed: bool, page: PageRequest) -> Result<Page<LogLine>> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                sql::get(tx, tenant, id)?;
                let rows = lines(tx, tenant, id, only_failed, &page)?;
                Ok(Page::from_rows(rows, &page, None, |line| Cursor { key: line.place.0, id: line.place.1.to_string() }))
            })
            .await
    }
}

/// One more than the page has, if there are.
fn lines(tx: &mut Tx<'_>, tenant: TenantId, run: SyncRunId, only_failed: bool, page: &PageRequest) -> Result<Vec<LogLine>> {
    let after = page.cursor.as_ref().map(|cursor| (cursor.key, cursor.id.parse::<usize>().unwrap_or(usize::MAX)));
    let mut skip = page.offset();
    let wanted = page.limit as usize + 1;
    let mut out = Vec::new();
    let mut from = after.map_or(0, |(seq, _)| seq);
    loop {
        let steps = log::page(tx, tenant, run, from, only_failed, 50)?;
        let Some((last, ..)) = steps.last() else { return Ok(out) };
        from = last + 1;
        for (seq, at, entries) in steps {
            let fitting = |(_, entry): &(usize, LogEntry)| !only_failed || entry.action == LogAction::Failed;
            for (index, entry) in entries.into_iter().enumerate().filter(fitting) {
                if after.is_some_and(|after| (seq, index) <= after) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                out.push(LogLine { entry, at, place: (seq, index) });
                if out.len() == wanted {
                    return Ok(out);
                }
            }
        }
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<LogLine>>> {
    Ok(web::Json(syncs.run_log(&caller, id, false, page).await?))
}
