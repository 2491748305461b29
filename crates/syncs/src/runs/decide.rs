//! `sync_runs.deletions`, `sync_runs.approve`, `sync_runs.reject`: a run that would delete much waits for somebody's word.

use std::sync::Arc;

use axum::extract::State as Shared;
use kernel::{Caller, Error, Permission, RecordId, Result, SyncRunId, TenantScope};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::cancel::ended;
use super::{Row, State, SyncRun, sql};
use crate::ledger::{Of, dirty, hints, links};
use crate::{Syncs, TOPIC_WORK};

/// Most deletions that are listed of each side.
const LISTED: u32 = 500;

/// What a run would delete.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncPendingDeletions)]
pub struct PendingDeletions {
    /// How many in all.
    pub count: u64,
    /// How many links there are.
    pub links: u64,
    /// Ours, because the vendor's is gone; at most 500.
    pub here: Vec<PendingDeletion>,
    /// The vendor's, because ours is gone; at most 500.
    pub there: Vec<PendingDeletion>,
}

/// One.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncPendingDeletion)]
pub struct PendingDeletion {
    /// Our record.
    pub record_id: Option<RecordId>,
    /// The vendor's.
    pub remote_id: Option<String>,
}

impl Syncs {
    /// What a run that waits for approval would delete. Errors: 403 `insufficient_scope`; 404.
    pub async fn pending_deletions(&self, caller: &Caller, id: SyncRunId) -> Result<PendingDeletions> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let of = Of { tenant, sync: sql::get(tx, tenant, id)?.sync };
                let here = hints::gone(tx, of, LISTED)?.into_iter();
                let there = dirty::gone(tx, of, LISTED)?.into_iter();
                Ok(PendingDeletions {
                    count: hints::count_gone(tx, of)? + dirty::count_gone(tx, of)?,
                    links: links::count(tx, of)?,
                    here: here.map(|(remote, record)| PendingDeletion { record_id: record, remote_id: Some(remote) }).collect(),
                    there: there.map(|(record, remote)| PendingDeletion { record_id: Some(record), remote_id: remote }).collect(),
                })
            })
            .await
    }

    /// Lets a run delete what it would. Errors: 403 `insufficient_scope`; 404; 409 `sync_run_not_waiting`.
    pub async fn approve_run(&self, caller: &Caller, id: SyncRunId) -> Result<SyncRun> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        self.decide(&scope, id, "sync_run.approve", |_, _| Ok(())).await
    }

    /// Keeps everything: the records that are left go their own ways, and the run goes on.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `sync_run_not_waiting`.
    pub async fn reject_run(&self, caller: &Caller, id: SyncRunId) -> Result<SyncRun> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        self.decide(&scope, id, "sync_run.reject", keep_all).await
    }

    async fn decide(
        &self,
        scope: &TenantScope,
        id: SyncRunId,
        action: &'static str,
        act: fn(&mut Tx<'_>, Of) -> Result<()>,
    ) -> Result<SyncRun> {
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let row = waiting(sql::get(tx, tenant, id)?)?;
                let of = Of { tenant, sync: row.sync };
                act(tx, of)?;
                if !sql::decide(tx, tenant, id, State::Queued, true, None)? {
                    return Err(ended());
                }
                tx.audit(action, id)?;
                tx.notify(TOPIC_WORK, of);
                Ok(sql::get(tx, tenant, id)?.view())
            })
            .await
    }
}

fn waiting(row: Row) -> Result<Row> {
    if row.state == State::AwaitingApproval {
        return Ok(row);
    }
    Err(Error::conflict("sync_run_not_waiting", "The run does not wait for an approval."))
}

fn keep_all(tx: &mut Tx<'_>, of: Of) -> Result<()> {
    let remotes = hints::drop_gone(tx, of)?;
    let here = links::by_remote(tx, of, remotes.into_iter())?.into_values().map(|link| link.record);
    let there = dirty::drop_gone(tx, of)?;
    here.chain(there).try_for_each(|record| links::unlink(tx, of, record))
}

pub(crate) async fn deletions(
    Shared(syncs): Shared<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
) -> web::Result<web::Json<PendingDeletions>> {
    Ok(web::Json(syncs.pending_deletions(&caller, id).await?))
}

pub(crate) async fn approve(
    Shared(syncs): Shared<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
) -> web::Result<web::Json<SyncRun>> {
    Ok(web::Json(syncs.approve_run(&caller, id).await?))
}

pub(crate) async fn reject(
    Shared(syncs): Shared<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
) -> web::Result<web::Json<SyncRun>> {
    Ok(web::Json(syncs.reject_run(&caller, id).await?))
}
