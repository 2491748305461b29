//! `sync_configs.run`.

use std::sync::Arc;

use axum::extract::State as Shared;
use kernel::{Caller, Permission, Result, SyncConfigId};
use serde::Deserialize;
use store::Tx;

use super::{Checkpoint, Counters, Mode, Phase, Row, State, SyncRun, sql};
use crate::configs;
use crate::frequency::Schedule;
use crate::ledger::Of;
use crate::{Syncs, TOPIC_WORK};

/// A run as it is asked for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewSyncRun)]
pub struct NewRun {
    /// By default `incremental`; the first run of a sync is always full.
    #[serde(default, alias = "syncType")]
    pub mode: Option<Mode>,
    /// Changes nothing, and lists every change that it would make. By default false.
    #[serde(default)]
    pub dry_run: Option<bool>,
}

impl Syncs {
    /// Queues a run. If one of the same kind waits already, that is the answer.
    ///
    /// Errors: 403 `insufficient_scope`; 404.
    pub async fn run(self: &Arc<Self>, caller: &Caller, id: SyncConfigId, new: NewRun) -> Result<SyncRun> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let of = Of { tenant: scope.tenant(), sync: id };
        let (mode, dry_run) = (new.mode.unwrap_or_default(), new.dry_run.unwrap_or_default());
        self.store
            .answer(scope, move |tx| {
                let config = configs::sql::get(tx, of.tenant, id)?;
                let run = queue(tx, of, asked(&config, mode), dry_run, "request")?;
                tx.audit_with("sync_config.run", id, &serde_json::json!({ "run": run.id, "mode": run.mode, "dryRun": dry_run }))?;
                tx.notify(TOPIC_WORK, of);
                Ok(run.view())
            })
            .await
    }
}

/// What is looked at: all of it the first time, and whenever everything is due.
pub(crate) fn asked(config: &configs::Row, mode: Mode) -> Mode {
    match mode {
        Mode::Full => Mode::Full,
        _ if config.cursor.is_none() && config.config.settings.direction.pulls() => Mode::Full,
        _ => mode_without_realtime(mode),
    }
}

fn mode_without_realtime(mode: Mode) -> Mode {
    if mode == Mode::Realtime { Mode::Incremental } else { mode }
}

/// Queues a run, or finds the one that waits.
pub(crate) fn queue(tx: &mut Tx<'_>, of: Of, mode: Mode, dry_run: bool, trigger: &str) -> Result<Row> {
    let open = sql::open(tx, of)?;
    let covers = |row: &Row| row.state == State::Queued && row.dry_run == dry_run && (row.mode == mode || row.mode == Mode::Full);
    if let Some(waiting) = open.into_iter().find(covers) {
        return Ok(waiting);
    }
    begin(tx, of, mode, dry_run, trigger, State::Queued)
}

/// Sees to it that what waits is worked on, where the sync does not do so by itself.
pub(crate) fn queue_work(tx: &mut Tx<'_>, of: Of) -> Result<()> {
    let config = configs::sql::get(tx, of.tenant, of.sync)?;
    let is_lively = config.config.enabled && config.config.settings.schedule()? == Schedule::Realtime;
    if is_lively || sql::open(tx, of)?.iter().any(|row| row.state == State::Queued && !row.dry_run) {
        return Ok(());
    }
    let mut row = begin(tx, of, Mode::Incremental, false, "decision", State::Queued)?;
    row.checkpoint.phase = Phase::Hints;
    sql::save(tx, &row).map(drop)
}

/// A new run.
pub(crate) fn begin(tx: &mut Tx<'_>, of: Of, mode: Mode, dry_run: bool, trigger: &str, state: State) -> Result<Row> {
    let now = tx.now();
    let row = Row {
        tenant: of.tenant,
        id: tx.ambient().id(),
        sync: of.sync,
        number: configs::sql::next_number(tx, of)?,
        mode,
        dry_run,
        trigger: trigger.to_owned(),
        state,
        checkpoint: Checkpoint::default(),
        counters: Counters::default(),
        approved: false,
        code: None,
        message: None,
        parked_until: None,
        log_seq: 0,
        created_at: now,
        started_at: (state == State::Running).then_some(now),
        ended_at: None,
    };
    sql::insert(tx, &row)?;
    Ok(row)
}

pub(crate) async fn handle(
    Shared(syncs): Shared<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
    new: Option<web::Json<NewRun>>,
) -> web::Result<web::Accepted<SyncRun>> {
    let new = new.map(|web::Json(new)| new).unwrap_or_default();
    Ok(web::Accepted(syncs.run(&caller, id, new).await?))
}
