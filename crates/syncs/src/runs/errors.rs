//! `sync_runs.errors`, `sync_configs.errors`, `….retry`, `….skip`: records that failed, of a run and at present.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Error, Page, PageRequest, Permission, RecordId, Result, SyncConfigId, SyncRunId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::log::LogLine;
use crate::ledger::{Of, dirty, hints};
use crate::{Syncs, TOPIC_WORK, configs};

/// Most records of one request.
const MOST: usize = 1000;

/// Whose record it is that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncSide)]
pub enum Side {
    /// Ours, on its way to the vendor.
    Local,
    /// The vendor's, on its way to us.
    Remote,
}

/// A record that failed and is tried again.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncOutstanding)]
pub struct Outstanding {
    /// Whose record.
    pub side: Side,
    /// Our record.
    pub record_id: Option<RecordId>,
    /// The vendor's.
    pub remote_id: Option<String>,
    /// A stable code.
    pub code: String,
    /// For people.
    pub message: String,
    /// The field that is meant.
    pub field: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it is tried again.
    pub next_attempt_at: Timestamp,
}

/// Which records are meant; neither: all that failed.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncPick)]
pub struct Pick {
    /// Ours.
    #[serde(default)]
    pub record_ids: Option<Vec<RecordId>>,
    /// The vendor's.
    #[serde(default)]
    pub remote_ids: Option<Vec<String>>,
}

/// How many records were meant.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SyncPicked)]
pub struct Picked {
    /// How many.
    pub records: u64,
}

impl Syncs {
    /// What of a sync failed and waits for another try. Errors: 403 `insufficient_scope`; 404.
    pub async fn outstanding(&self, caller: &Caller, id: SyncConfigId, page: PageRequest) -> Result<Page<Outstanding>> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let of = Of { tenant: scope.tenant(), sync: id };
        self.store
            .read(scope, move |tx| {
                configs::sql::get(tx, of.tenant, id)?;
                let rows = failing(tx, of, &page)?;
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: 0, id: place(row) }))
            })
            .await
    }

    /// Tries records again now. Errors: 403 `insufficient_scope`; 404; 422 `validation_failed`.
    pub async fn retry(&self, caller: &Caller, id: SyncConfigId, pick: Pick) -> Result<Picked> {
        self.pick(caller, id, pick, "sync_config.retry", |tx, of, pick| {
            let all = pick.record_ids.is_none() && pick.remote_ids.is_none();
            let ours = if all || pick.record_ids.is_some() { dirty::retry(tx, of, pick.record_ids.as_deref())? } else { 0 };
            let theirs = if all || pick.remote_ids.is_some() { hints::retry(tx, of, pick.remote_ids.as_deref())? } else { 0 };
            Ok(ours + theirs)
        })
        .await
    }

    /// Gives records up until they change again. Errors: 403 `insufficient_scope`; 404; 422 `validation_failed`.
    pub async fn skip(&self, caller: &Caller, id: SyncConfigId, pick: Pick) -> Result<Picked> {
        if pick.record_ids.is_none() && pick.remote_ids.is_none() {
            return Err(Error::field("/recordIds", "name the records that are to be skipped, here or in remoteIds"));
        }
        self.pick(caller, id, pick, "sync_config.skip", |tx, of, pick| {
            let ours = dirty::forget(tx, of, pick.record_ids.unwrap_or_default().into_iter())?;
            Ok(ours + hints::forget(tx, of, pick.remote_ids.unwrap_or_default().into_iter())?)
        })
        .await
    }

    async fn pick(
        &self,
        caller: &Caller,
        id: SyncConfigId,
        pick: Pick,
        action: &'static str,
        act: fn(&mut Tx<'_>, Of, Pick) -> Result<u64>,
    ) -> Result<Picked> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let of = Of { tenant: scope.tenant(), sync: id };
        let count = pick.record_ids.as_ref().map_or(0, Vec::len) + pick.remote_ids.as_ref().map_or(0, Vec::len);
        if count > MOST || pick.remote_ids.iter().flatten().any(|id| id.len() > 200 || id.contains('\0')) {
            return Err(Error::field("/recordIds", "must name at most 1000 records, with remoteIds"));
        }
        self.store
            .answer(scope, move |tx| {
                configs::sql::get(tx, of.tenant, id)?;
                let records = act(tx, of, pick)?;
                tx.audit_with(action, id, &serde_json::json!({ "records": records }))?;
                tx.notify(TOPIC_WORK, of);
                Ok(Picked { records })
            })
            .await
    }
}

/// Ours come before the vendor's.
fn place(row: &Outstanding) -> String {
    match (&row.record_id, &row.remote_id) {
        (Some(record), _) => format!("a{record}"),
        (None, remote) => format!("b{}", remote.as_deref().unwrap_or_default()),
    }
}

fn failing(tx: &mut Tx<'_>, of: Of, page: &PageRequest) -> Result<Vec<Outstanding>> {
    let after = page.cursor.as_ref().map_or("", |cursor| cursor.id.as_str());
    let sql = "SELECT place, id, code, message, field, attempts, since, due_at FROM (\
               SELECT 'a' || record_id AS place, record_id AS id, code, message, field, attempts, since, due_at FROM sync_dirty \
               WHERE tenant_id = ?1 AND sync_id = ?2 AND code IS NOT NULL UNION ALL \
               SELECT 'b' || remote_id AS place, remote_id AS id, code, message, field, attempts, since, due_at FROM sync_hints \
               WHERE tenant_id = ?1 AND sync_id = ?2 AND code IS NOT NULL) AS waiting WHERE place > ?3 ORDER BY place LIMIT ?4 OFFSET ?5";
    let params = [of.tenant.into(), of.sync.into(), after.into(), (page.limit + 1).into(), page.offset().into()];
    tx.query(sql, &params, |row| {
        let is_ours = row.get::<String>(0)?.starts_with('a');
        let id: String = row.get(1)?;
        Ok(Outstanding {
            side: if is_ours { Side::Local } else { Side::Remote },
            record_id: if is_ours { Some(id.parse()?) } else { None },
            remote_id: (!is_ours).then_some(id),
            code: row.get(2)?,
            message: row.get(3)?,
            field: row.get(4)?,
            attempts: row.get(5)?,
            since: row.get(6)?,
            next_attempt_at: row.get(7)?,
        })
    })
}

pub(crate) async fn of_run(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<LogLine>>> {
    Ok(web::Json(syncs.run_log(&caller, id, true, page).await?))
}

pub(crate) async fn of_config(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Outstanding>>> {
    Ok(web::Json(syncs.outstanding(&caller, id, page).await?))
}

pub(crate) async fn retry(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
    pick: Option<web::Json<Pick>>,
) -> web::Result<web::Json<Picked>> {
    let pick = pick.map(|web::Json(pick)| pick).unwrap_or_default();
    Ok(web::Json(syncs.retry(&caller, id, pick).await?))
}

pub(crate) async fn skip(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
    web::Json(pick): web::Json<Pick>,
) -> web::Result<web::Json<Picked>> {
    Ok(web::Json(syncs.skip(&caller, id, pick).await?))
}
