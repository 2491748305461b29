//! `jobs.list`: the newest first.

use std::sync::Arc;

use axum::extract::State as Shared;
use kernel::{Caller, Cursor, Page, PageRequest, Result};
use serde::Deserialize;

use super::sql::{self, Narrow};
use super::{Job, State, Status};
use crate::Jobs;

/// Later than every id of a job.
const LAST: &str = "job_~";

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobFilter {
    /// Only those that stand so.
    #[serde(default)]
    pub status: Option<Status>,
    /// Only those of this type.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

impl Jobs {
    /// A part of the tenant's jobs that the caller may see, without input and result. Error: 403 `insufficient_scope`.
    pub async fn list(&self, caller: &Caller, filter: JobFilter, page: PageRequest) -> Result<Page<Job>> {
        let mut kinds = self.readable(caller)?;
        if let Some(wanted) = filter.kind {
            kinds = Some(vec![wanted].into_iter().filter(|one| kinds.as_ref().is_none_or(|seen| seen.contains(one))).collect());
        }
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        if kinds.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Page::from_rows(Vec::new(), &page, None, |_: &Job| Cursor { key: 0, id: String::new() }));
        }
        let states = states(filter.status);
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let narrow = Narrow { states, kinds: kinds.as_deref(), before, limit: page.limit + 1, offset: page.offset() };
                let rows: Vec<Job> = sql::list(tx, tenant, &narrow)?.into_iter().map(Job::of).collect::<Result<_>>()?;
                Ok(Page::from_rows(rows, &page, None, |job| Cursor { key: job.created_at.millis(), id: job.id.to_string() }))
            })
            .await
    }
}

fn states(status: Option<Status>) -> &'static [State] {
    match status {
        None => &[],
        Some(Status::Pending) => &[State::Ready, State::Held, State::Waiting],
        Some(Status::Processing) => &[State::Processing],
        Some(Status::Completed) => &[State::Completed],
        Some(Status::Failed) => &[State::Failed],
        Some(Status::Cancelled) => &[State::Cancelled],
    }
}

pub(crate) async fn handle(
    Shared(jobs): Shared<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<JobFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Job>>> {
    Ok(web::Json(jobs.list(&caller, filter, page).await?))
}
